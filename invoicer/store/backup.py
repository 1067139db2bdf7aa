"""Backing up, restoring and checking the database while it may be in use."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from invoicer.errors import InputError
from invoicer.store.database import Store, StoreError, names_of_migrations


def backup(store: Store, target: Path) -> None:
    """A consistent copy of the store; written beside its place and renamed."""
    if target.exists():
        raise InputError(f"备份文件已存在:{target},请换一个文件名", file=str(target))
    if not target.parent.is_dir():
        raise InputError(f"备份文件夹不存在:{target.parent}", file=str(target))
    part = target.with_name(f".{target.name}.part")
    try:
        copy = sqlite3.connect(part)
        try:
            part.chmod(0o600)
            store.db.conn.backup(copy)
            copy.execute("pragma journal_mode=delete")
        finally:
            copy.close()
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def restore(source: Path, path: Path) -> Path | None:
    """Put a backup in the place of the database at `path`; returns where the old one was kept.

    The service must be stopped: its open connections would go on with the old file.
    """
    if not source.is_file():
        raise InputError(f"备份文件不存在:{source}", file=str(source))
    check(source)
    kept = None
    part = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        backup(Store(source), part)
        if path.exists():
            _refuse_in_use(path)
            kept = path.with_name(f"{path.name}.before-restore")
            os.replace(path, kept)
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    Store.open(path).close()
    return kept


def check(path: Path) -> list[str]:
    """Migrations applied to a sound database; raises StoreError where it is none."""
    if not path.is_file():
        raise StoreError(f"数据库不存在:{path}", file=str(path))
    store = Store(path)
    try:
        problems = store.problems()
        if problems:
            raise StoreError(f"数据库 {path} 已损坏:{problems[0]}", file=str(path))
        broken = store.rows("pragma foreign_key_check")
        if broken:
            raise StoreError(
                f"数据库 {path} 有 {len(broken)} 行指向不存在的行(表 {broken[0]['table']})",
                file=str(path),
            )
        from invoicer.store.migrations import MIGRATIONS

        applied = [m.name for m in MIGRATIONS.applied(store.db)]
    except sqlite3.Error as error:
        raise StoreError(f"数据库 {path} 无法读取:{error}", file=str(path)) from error
    finally:
        store.close()
    if not set(applied) & set(names_of_migrations()):
        raise StoreError(f"{path} 不是 invoicer 的数据库", file=str(path))
    return applied


def _refuse_in_use(path: Path) -> None:
    """Raise StoreError where another process holds the database open for writing."""
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        # Leaving WAL mode needs the file to itself: it fails while anybody else is connected.
        connection.execute("pragma journal_mode=delete").fetchall()
    except sqlite3.OperationalError as error:
        raise StoreError("数据库正在使用,请先停止 invoicer serve", file=str(path)) from error
    finally:
        connection.close()
