"""The SQLite file: opened safely, migrated, one connection a thread."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoicer.errors import UnavailableError

if TYPE_CHECKING:
    from sqlite_utils import Database

BUSY_SECONDS = 20.0
Parameters = Sequence[Any] | Mapping[str, Any]


class StoreError(UnavailableError):
    """The database cannot be used: damaged, newer than the program, or not writable."""

    code = "store_unavailable"


class Store:
    """One database file in WAL mode, every commit on disk before it is acknowledged.

    Safe to share between threads and across a fork: each opens its own connection.
    """

    def __init__(self, path: Path):
        self.path = path
        self._local = threading.local()

    @classmethod
    def open(cls, path: Path) -> Store:
        """The store at `path`, made or migrated where needed.

        Raises StoreError where the file is damaged, was written by a newer program, or cannot be
        written.
        """
        # Loaded when a database is opened: most commands need none.
        from invoicer.store.migrations import MIGRATIONS

        store = cls(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            new = not path.exists()
            db = store.db
            if new:
                path.chmod(0o600)
            problems = store.problems()
            if problems:
                raise StoreError(
                    f"数据库 {path} 已损坏({problems[0]});请用 invoicer db restore 恢复备份",
                    file=str(path),
                )
            unknown = {m.name for m in MIGRATIONS.applied(db)} - set(names_of_migrations())
            if unknown:
                raise StoreError(
                    f"数据库 {path} 由更新版本的程序写入({min(unknown)}),请升级 invoicer",
                    file=str(path),
                )
            MIGRATIONS.apply(db)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"数据库 {path} 无法使用:{error}", file=str(path)) from error
        return store

    @property
    def db(self) -> Database:
        """This thread's connection."""
        if getattr(self._local, "pid", None) != os.getpid():
            from sqlite_utils import Database

            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS)
            db = Database(connection)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                db.execute(f"pragma {pragma}").close()
            self._local.db, self._local.pid = db, os.getpid()
        return self._local.db  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close this thread's connection."""
        if getattr(self._local, "pid", None) == os.getpid():
            self._local.db.close()
            self._local.pid = None

    def problems(self) -> list[str]:
        """What SQLite's own check finds wrong; empty where the file is sound."""
        try:
            found = self.rows("pragma quick_check")
        except sqlite3.DatabaseError as error:
            return [str(error)]
        return [row["quick_check"] for row in found if row["quick_check"] != "ok"]

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """All or nothing; takes the write lock at once, so that what is read stays true."""
        db = self.db
        if db.conn.in_transaction:
            yield db
            return
        db.conn.execute("begin immediate")
        try:
            yield db
        except BaseException:
            db.conn.rollback()
            raise
        db.conn.commit()

    def rows(self, sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
        """Rows of a query as dicts."""
        cursor = self.db.conn.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def row(self, sql: str, parameters: Parameters = ()) -> dict[str, Any] | None:
        """The first row of a query, or None."""
        return next(iter(self.rows(sql, parameters)), None)


def names_of_migrations() -> list[str]:
    """Every migration this program knows."""
    from invoicer.store.migrations import MIGRATIONS

    return [m.name for m in MIGRATIONS._migrations]


def utc_text(moment: dt.datetime | None = None) -> str:
    """A moment, now by default, as the store keeps it: 2026-11-27T03:04:05.678901Z."""
    moment = moment or dt.datetime.now(dt.UTC)
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
