"""File steps of the version store: one change at a time, switched whole, tables shared."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Collection, Iterator
from pathlib import Path


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One change at a time; the lock sits on the folder itself and leaves no file."""
    if sys.platform == "win32" or not folder.is_dir():
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_whole(path: Path, text: str) -> None:
    """Replace a file in one step: whoever reads it sees the old or the new text."""
    beside = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def share_tables(root: Path, target: Path, leave_out: Collection[str], link: bool) -> None:
    """Bring the tables of `root` that are not in `leave_out` into `target`, by link or by copy.

    Between versions a link is safe; a file of the package may be edited in place, so it is copied.
    """
    for path in root.iterdir():
        if not path.is_file() or path.stem in leave_out:
            continue
        if link:
            try:
                os.link(path, target / path.name)
                continue
            except OSError:
                pass
        shutil.copy2(path, target / path.name)
