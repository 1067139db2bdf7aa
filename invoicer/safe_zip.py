"""Zip files (XLSX, OFD) checked before anything in them is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from invoicer.errors import InputError

MAX_ENTRIES = 10_000
MAX_UNPACKED = 4 << 30
MAX_RATIO = 250  # a sheet of one repeated row packs about 100 to 1
SUSPECT_FROM = 64 << 20


def unpacked_size(path: Path) -> int:
    """Bytes of all entries together; raises InputError for a damaged or a swollen file."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InputError(
            f"无法读取 {path.name}:文件不完整或已损坏,请重新下载或另存", file=str(path)
        ) from error
    if len(entries) > MAX_ENTRIES:
        raise InputError(f"{path.name} 内含 {len(entries)} 个文件,不予读取", file=str(path))
    if any(entry.flag_bits & 1 for entry in entries):
        raise InputError(f"{path.name} 已加密,请先取消密码", file=str(path))
    size = sum(entry.file_size for entry in entries)
    swollen = any(
        entry.file_size > SUSPECT_FROM and entry.file_size > MAX_RATIO * max(entry.compress_size, 1)
        for entry in entries
    )
    if size > MAX_UNPACKED or swollen:
        raise InputError(
            f"{path.name} 解压后有 {size >> 20} MB,疑似压缩炸弹,不予读取", file=str(path)
        )
    return size


def read_entry(path: Path, name: str, limit: int) -> bytes:
    """One entry, read to its end but never beyond the limit, whatever its header promises."""
    with zipfile.ZipFile(path) as archive, archive.open(name) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise InputError(f"{path.name} 中的 {name} 超过 {limit >> 20} MB,不予读取", file=str(path))
    return content
