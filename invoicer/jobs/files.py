"""Where the files of jobs lie: a folder a job, all names ours, nobody else may read them."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from invoicer.errors import UnavailableError
from invoicer.settings import Settings

ID_BYTES = 20  # 160 random bits
REJECTS = "rejects.csv"
REPORT = "report.html"
TEMPLATE = "template.xlsx"  # as it was handed in
FILLED = "template.zip"
WORK = "work"
LOCK = "lock"
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


def outcome(place: Path, form: str) -> dict[str, Path]:
    """What a job may leave behind, by name."""
    return {
        "result": result_file(place, form),
        "rejects": place / REJECTS,
        "report": place / REPORT,
        "template": place / FILLED,
    }


def downloads(ident: str, form: str) -> list[str]:
    """What a job has left behind; rejects only where there are any."""
    found = {n: path for n, path in outcome(folder(ident), form).items() if path.is_file()}
    return [n for n, path in found.items() if n != "rejects" or _has_rows(path)]


def _has_rows(path: Path) -> bool:
    with path.open("rb") as file:
        file.readline()
        return bool(file.readline())


def handed_out(ident: str) -> list[Path]:
    """Every file of a job that is its tenant's: what came in, and what came out."""
    place = folder(ident)
    if not place.is_dir():
        return []
    return sorted(p for p in place.iterdir() if p.is_file() and p.name not in (LOCK, TRACEBACK))


def blocks(path: Path) -> Iterator[bytes]:
    """The content of a file, piece by piece; an empty file is one empty piece."""
    with path.open("rb") as file:
        block = file.read(_BLOCK)
        yield block
        while block := file.read(_BLOCK):
            yield block


def receive(source: IO[bytes], suffix: str, template: IO[bytes] | None = None) -> tuple[Path, str]:
    """Copy what comes in to a folder that belongs to no job yet; (folder, SHA-256 of all).

    Raises UnavailableError where there is no room.
    """
    require_space()
    place = Settings().jobs_dir / f".in-{secrets.token_hex(ID_BYTES)}"
    place.mkdir(mode=0o700)
    digest = hashlib.sha256()
    try:
        for path, given in ((input_file(place, suffix), source), (place / TEMPLATE, template)):
            if given is not None:
                digest.update(_keep(given, path))
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return place, digest.hexdigest()


def _keep(source: IO[bytes], path: Path) -> bytes:
    """Write a file down; its SHA-256."""
    digest = hashlib.sha256()
    with path.open("xb") as target:
        while block := source.read(_BLOCK):
            digest.update(block)
            target.write(block)
        target.flush()
        os.fsync(target.fileno())
    return digest.digest()


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


def work(ident: str) -> Path:
    """What a re-coding keeps from one attempt to the next."""
    return folder(ident) / WORK


def remove_work(ident: str) -> None:
    """Delete what a re-coding kept for its next attempt: there will be none."""
    shutil.rmtree(work(ident), ignore_errors=True)


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
