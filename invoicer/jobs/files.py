"""Where the files of jobs lie: a folder a job, all names ours, nobody else may read them."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import IO

from invoicer.errors import UnavailableError
from invoicer.settings import Settings

ID_BYTES = 20  # 160 random bits
REJECTS = "rejects.csv"
TRACEBACK = "error.log"
_ID = re.compile(rf"jb_[0-9a-f]{{{2 * ID_BYTES}}}")
_BLOCK = 1 << 20
KEEP_FREE = 1 << 30  # bytes of the disk that files leave alone
# Folders that are coming or going begin with a dot; one this old was left by a crash.
_LEFT_SECONDS = 24 * 3600


def new_id() -> str:
    """An id that nobody can guess."""
    return f"jb_{secrets.token_hex(ID_BYTES)}"


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def folder(ident: str) -> Path:
    """The folder of a job."""
    if not is_id(ident):
        raise ValueError("not the id of a job")
    return Settings().jobs_dir / ident


def input_file(place: Path, suffix: str) -> Path:
    return place / f"input{suffix}"


def result_file(place: Path, form: str) -> Path:
    return place / f"result.{form}"


def require_space() -> None:
    """Raises UnavailableError where files would take the last of the disk from the database."""
    root = Settings().jobs_dir
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    if shutil.disk_usage(root).free < KEEP_FREE:
        raise UnavailableError("服务器磁盘空间不足,暂不接收文件,请联系管理员")


def receive(source: IO[bytes], suffix: str) -> tuple[Path, str]:
    """Copy what comes in to a folder that belongs to no job yet; (folder, SHA-256).

    Raises UnavailableError where there is no room.
    """
    require_space()
    place = Settings().jobs_dir / f".in-{secrets.token_hex(ID_BYTES)}"
    place.mkdir(mode=0o700)
    digest = hashlib.sha256()
    try:
        with input_file(place, suffix).open("xb") as target:
            while block := source.read(_BLOCK):
                digest.update(block)
                target.write(block)
            target.flush()
            os.fsync(target.fileno())
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return place, digest.hexdigest()


def adopt(place: Path, ident: str) -> None:
    """Make what came in the folder of a job."""
    place.rename(folder(ident))


def remove(ident: str) -> None:
    """Delete the folder of a job; a process still writing there finds its place gone."""
    place = folder(ident)
    going = place.with_name(f".out-{ident}")
    try:
        place.rename(going)
    except FileNotFoundError:
        return
    shutil.rmtree(going, ignore_errors=True)


def scratch(ident: str, attempt: int) -> Path:
    """Where one attempt at a job writes until all is written; attempts may overlap when one of
    them was taken for dead."""
    return folder(ident) / f"attempt-{attempt}"


def publish(ident: str, attempt: int) -> None:
    """Put what an attempt has written in its place."""
    place = scratch(ident, attempt)
    for path in place.iterdir():
        os.replace(path, folder(ident) / path.name)
    place.rmdir()


def sweep() -> None:
    """Delete what uploads and deletions that were cut off have left behind."""
    before = time.time() - _LEFT_SECONDS
    for place in Settings().jobs_dir.glob(".*"):
        if place.stat().st_mtime < before:
            shutil.rmtree(place, ignore_errors=True)
