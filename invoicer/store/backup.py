"""Backing up, restoring and checking the database while it may be in use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from invoicer.errors import InputError
from invoicer.store.database import (
    Store,
    StoreError,
    connect,
    create_private,
    inspect,
    lock_of,
    utc_text,
)

# A database and what SQLite keeps beside it while it is open.
ENDINGS = ("", "-wal", "-shm")


def backup(store: Store, target: Path) -> None:
    """A consistent copy of the store; written beside its place and renamed."""
    if target.exists():
        raise InputError(f"备份文件已存在:{target},请换一个文件名", file=str(target))
    if not target.parent.is_dir():
        raise InputError(f"备份文件夹不存在:{target.parent}", file=str(target))
    part = _beside(target)
    try:
        _copy(store.db.conn, part)
        os.replace(part, target)
    except (sqlite3.Error, OSError) as error:
        raise InputError(f"无法写入备份文件 {target}:{error}", file=str(target)) from error
    finally:
        _remove(part)


def restore(source: Path, path: Path) -> Path | None:
    """Put a backup in the place of the database at `path`; returns where the old one was kept.

    The service must be stopped: its open connections would go on with the old file. Whatever
    fails, fails before the old file is touched.
    """
    check(source)
    part = _beside(path)
    kept = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with lock_of(path):
            with closing(connect(source, "ro")) as original:
                _copy(original, part)
            copy = Store(part)
            copy.migrate()
            copy.close()
            if path.exists():
                _refuse_in_use(path)
                # To the microsecond: of two restores in a row, both old files stay.
                kept = path.with_name(f"{path.name}.before-{utc_text()[:-1].replace(':', '')}")
                for ending in ENDINGS:
                    if (old := path.with_name(path.name + ending)).exists():
                        os.replace(old, kept.with_name(kept.name + ending))
            os.replace(part, path)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"无法恢复到 {path}:{error}", file=str(path)) from error
    finally:
        _remove(part)
    return kept


def check(path: Path) -> list[str]:
    """Migrations applied to a sound database; raises StoreError where it is none."""
    try:
        if not path.is_file():
            raise StoreError(f"数据库不存在:{path}", file=str(path))
        applied = inspect(path)
        with closing(connect(path, "ro")) as connection:
            broken = connection.execute("pragma foreign_key_check").fetchall()
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"数据库 {path} 无法读取:{error}", file=str(path)) from error
    if broken:
        raise StoreError(
            f"数据库 {path} 有 {len(broken)} 行指向不存在的行(表 {broken[0][0]})", file=str(path)
        )
    return applied


def _beside(path: Path) -> Path:
    """The name under which a file is written before it takes its place."""
    part = path.with_name(f".{path.name}.part")
    _remove(part)  # of an attempt that was cut short
    return part


def _copy(source: sqlite3.Connection, target: Path) -> None:
    """The whole database into a new file that needs no other file beside it."""
    create_private(target)
    with closing(connect(target, "rw")) as copy:
        source.backup(copy)
        copy.execute("pragma journal_mode=delete")


def _remove(path: Path) -> None:
    for ending in ENDINGS:
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _refuse_in_use(path: Path) -> None:
    """Raise StoreError where another process holds the database open."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            # Leaving WAL mode needs the file to itself: it fails while anybody else is connected.
            connection.execute("pragma journal_mode=delete").fetchall()
        except sqlite3.OperationalError as error:
            raise StoreError("数据库正在使用,请先停止 invoicer serve", file=str(path)) from error
        except sqlite3.DatabaseError:
            pass  # damaged, which is why it is being replaced
