"""The SQLite file: opened safely, migrated, one connection a thread."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from invoicer.errors import UnavailableError

if TYPE_CHECKING:
    from sqlite_utils import Database

BUSY_SECONDS, POLL_SECONDS = 20.0, 0.001
# secure_delete: what is erased must not linger in the file's free pages.
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
Parameters = Sequence[Any] | Mapping[str, Any]


class StoreError(UnavailableError):
    """The database cannot be used: damaged, newer than the program, or not writable."""

    code = "store_unavailable"


class Store:
    """One database file in WAL mode, every commit on disk before it is acknowledged, unless it
    says that it need not be.

    Safe to share between threads and across a fork: each opens its own connection.
    """

    def __init__(self, path: Path):
        self.path = path
        self._local = threading.local()

    @classmethod
    def open(cls, path: Path) -> Store:
        """The store at `path`, made or migrated where needed.

        Raises StoreError where the file is damaged, is no database of ours, was written by a newer
        program, or cannot be written.
        """
        store = cls(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with lock_of(path):
                if path.exists():
                    inspect(path)
                else:
                    create_private(path)
                store.migrate()
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"数据库 {path} 无法使用:{error}", file=str(path)) from error
        return store

    def migrate(self) -> None:
        """Bring the tables up to this program's schema; all of a step or nothing of it."""
        # Loaded when a database is opened, as is sqlite_utils: most commands need none.
        from invoicer.store.migrations import MIGRATIONS

        MIGRATIONS.apply(self.db)

    @property
    def db(self) -> Database:
        """This thread's connection."""
        if getattr(self._local, "pid", None) != os.getpid():
            from sqlite_utils import Database

            db = Database(connect(self.path, "rw"))
            for pragma in PRAGMAS:
                db.execute(f"pragma {pragma}").close()
            self._local.db, self._local.pid = db, os.getpid()
        return self._local.db  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close this thread's connection."""
        if getattr(self._local, "pid", None) == os.getpid():
            self._local.db.close()
            self._local.pid = None

    @contextmanager
    def transaction(self, durable: bool = True) -> Iterator[Database]:
        """All or nothing; takes the write lock at once, so that what is read stays true.

        durable: on disk before it is acknowledged; otherwise it outlives the process, and a power
        cut may undo it. Inside another transaction that one's word counts.
        Raises StoreError where the database stays locked or cannot be written.
        """
        with _unavailable():
            db = self.db
            if db.conn.in_transaction:
                yield db
                return
            if not durable:
                db.conn.execute("pragma synchronous=NORMAL")
            try:
                _begin(db.conn)
                try:
                    yield db
                    db.conn.commit()
                except BaseException:
                    db.conn.rollback()
                    raise
            finally:
                if not durable:
                    db.conn.execute("pragma synchronous=FULL")

    def rows(self, sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
        """Rows of a query as dicts; raises StoreError where the database cannot be read."""
        with _unavailable():
            cursor = self.db.conn.execute(sql, parameters)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def row(self, sql: str, parameters: Parameters = ()) -> dict[str, Any] | None:
        """The first row of a query, or None."""
        return next(iter(self.rows(sql, parameters)), None)


@contextmanager
def _unavailable() -> Iterator[None]:
    """A lock or a disk that gives way as an error that callers may see."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreError("数据库暂时不可用,请稍后重试") from error


def _begin(connection: sqlite3.Connection) -> None:
    """Take the write lock; raises OperationalError where it stays taken for BUSY_SECONDS.

    Asked for every millisecond: SQLite's own waiting sleeps up to a tenth of a second at a time,
    though others hold the lock for the few milliseconds of a commit.
    """
    until = time.monotonic() + BUSY_SECONDS
    connection.execute("pragma busy_timeout=0")
    try:
        while True:
            try:
                connection.execute("begin immediate")
                return
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > until:
                    raise
            time.sleep(POLL_SECONDS)
    finally:
        connection.execute(f"pragma busy_timeout={BUSY_SECONDS * 1000:.0f}")


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection to an existing file. mode: ro or rw; neither makes a file that is missing."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)


def create_private(path: Path) -> None:
    """An empty file that nobody else may read; SQLite's companion files take its mode."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def lock_of(path: Path) -> FileLock:
    """Held while a database is made, migrated or put in place: one process at a time."""
    return FileLock(path.with_name(f"{path.name}.lock"), timeout=BUSY_SECONDS)


def inspect(path: Path) -> list[str]:
    """Migrations applied to the database at `path`, which is only read.

    Raises StoreError where it is damaged, no database of ours, or newer than this program.
    """
    from sqlite_utils import Database

    from invoicer.store.migrations import MIGRATIONS

    known = {migration.name for migration in MIGRATIONS._migrations}
    with closing(connect(path, "ro")) as connection:
        try:
            problem = connection.execute("pragma quick_check(1)").fetchone()[0]
            applied = [m.name for m in MIGRATIONS.applied(Database(connection))]
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            problem, applied = str(error), []
    if problem != "ok":
        raise StoreError(
            f"数据库 {path} 已损坏({problem});请用 invoicer db restore 恢复备份", file=str(path)
        )
    if not set(applied) & known:
        raise StoreError(f"{path} 不是 invoicer 的数据库;请恢复备份或移走该文件", file=str(path))
    if unknown := set(applied) - known:
        raise StoreError(
            f"数据库 {path} 由更新版本的程序写入({min(unknown)}),请升级 invoicer", file=str(path)
        )
    return applied


def utc_text(moment: dt.datetime | None = None) -> str:
    """A moment, now by default, as the store keeps it: 2026-11-27T03:04:05.678901Z."""
    moment = moment or dt.datetime.now(dt.UTC)
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
