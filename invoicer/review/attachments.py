"""Files that come with an appeal: known kinds only, kept apart, handed out but never opened."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import time
import zipfile
from pathlib import Path, PurePath
from typing import IO, Any

from invoicer.errors import InputError, NotFoundError
from invoicer.settings import Settings
from invoicer.store import Store, utc_text

MAX_FILES = 10  # an appeal
MAX_NAME = 120
_ID = re.compile(r"af_[0-9a-f]{40}")
_BLOCK = 1 << 20
# A file without a row that is this old was left by a crash.
_LEFT_SECONDS = 24 * 3600
# What a file begins with.
_STARTS = {
    "pdf": (b"%PDF-",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8\xff",),
    "zip": (b"PK\x03\x04",),
}
# Kinds that are archives, by the member that makes them what they are.
_MEMBERS = {"xlsx": "xl/workbook.xml", "docx": "word/document.xml", "ofd": "OFD.xml"}
KINDS = ("pdf", "png", "jpg", *_MEMBERS)
_SAME = {"jpeg": "jpg"}


def add(
    store: Store, appeal: dict[str, Any], name: str, source: IO[bytes], most: int
) -> dict[str, Any]:
    """Keep a file of an appeal; raises InputError for one that is too large, of another kind than
    its name says, or one too many."""
    kind = _kind_named(name)
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    ident = "af_" + secrets.token_hex(20)
    path = folder / ident
    try:
        size, digest = _receive(source, path, most)
        if _kind_of(path) != kind:
            raise InputError(f"文件内容不是 {kind.upper()},请上传未改名的原文件", field="file")
        with store.transaction() as db:
            row = store.row(
                "select count(*) as n from appeal_files where appeal = ?", [appeal["id"]]
            )
            if row and row["n"] >= MAX_FILES:
                raise InputError(f"每个申诉最多 {MAX_FILES} 个附件", field="file")
            db.execute(
                "insert into appeal_files values (?, ?, ?, ?, ?, ?, ?, ?)",
                [ident, appeal["id"], appeal["tenant"], _shown(name), kind, size, digest,
                 utc_text()],
            )  # fmt: skip
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return find(store, appeal, ident)


def of_appeal(store: Store, appeal: dict[str, Any]) -> list[dict[str, Any]]:
    """The files of an appeal, oldest first."""
    return store.rows("select * from appeal_files where appeal = ? order by at", [appeal["id"]])


def find(store: Store, appeal: dict[str, Any], ident: str) -> dict[str, Any]:
    """A file of an appeal; raises NotFoundError where there is none."""
    row = store.row("select * from appeal_files where id = ? and appeal = ?", [ident, appeal["id"]])
    if row is None:
        raise NotFoundError("没有这个附件", file=ident[:60])
    return row


def path_of(ident: str) -> Path:
    """Where the content of a file lies."""
    if not _ID.fullmatch(ident):
        raise ValueError("not the id of a file")
    return _folder() / ident


def content(ident: str) -> str:
    """The content of a file as base64; empty where it is gone."""
    try:
        return base64.b64encode(path_of(ident).read_bytes()).decode()
    except FileNotFoundError:
        return ""


def remove(store: Store, where: str, values: list[str]) -> None:
    """Delete the content of files of the appeals that fit. Before their rows: cut off in between,
    the rows are still there to say what is left to do."""
    for row in store.rows(
        f"select f.id from appeal_files f join appeals a on a.id = f.appeal where {where}", values
    ):
        path_of(row["id"]).unlink(missing_ok=True)


def sweep(store: Store) -> None:
    """Delete content that uploads which were cut off have left behind."""
    if not _folder().is_dir():
        return
    before = time.time() - _LEFT_SECONDS
    for path in _folder().iterdir():
        known = store.row("select 1 from appeal_files where id = ?", [path.name])
        if known is None and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)


def _folder() -> Path:
    return Settings().appeals_dir


def _kind_named(name: str) -> str:
    ending = PurePath(name).suffix.lower().lstrip(".")
    kind = _SAME.get(ending, ending)
    if kind not in KINDS:
        raise InputError(f"附件只能是 {'、'.join(KINDS)} 文件", field="file")
    return kind


def _shown(name: str) -> str:
    """A file name as it may be handed out: no path, nothing that cannot be seen."""
    plain = "".join(c for c in PurePath(name.replace("\\", "/")).name if c.isprintable())
    stem, dot, ending = plain.rpartition(".")
    return stem[: MAX_NAME - len(ending) - 1] + dot + ending


def _receive(source: IO[bytes], path: Path, most: int) -> tuple[int, str]:
    """(size, SHA-256) of what comes in; readable for nobody else, never executable."""
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as target:
        while block := source.read(_BLOCK):
            size += len(block)
            if size > most:
                raise InputError(f"附件超过 {most / _BLOCK:g} MB", field="file")
            digest.update(block)
            target.write(block)
        target.flush()
        os.fsync(target.fileno())
    if not size:
        raise InputError("附件是空的", field="file")
    return size, digest.hexdigest()


def _kind_of(path: Path) -> str:
    """The kind that the content has; "" for none we take. Archives are listed, never unpacked."""
    with path.open("rb") as file:
        head = file.read(16)
    kind = next((k for k, starts in _STARTS.items() if head.startswith(starts)), "")
    if kind != "zip":
        return kind
    try:
        with zipfile.ZipFile(path) as archive:
            members = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return ""
    if any(name.lower().endswith("vbaproject.bin") for name in members):
        return ""
    return next((k for k, member in _MEMBERS.items() if member in members), "")
