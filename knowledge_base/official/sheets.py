"""Workbooks (XLS, XLSX) opened safely: bounded in bytes, rows, columns, memory and time."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
import zlib
from typing import Any

from knowledge_base.official.raw import (
    MAX_ROWS,
    OfficialTableError,
    RawTable,
    cell_text,
    too_many_rows,
)

MAX_UNPACKED = 256 << 20
MAX_RATIO = 100
RATIO_FREE = 4 << 20
MAX_COLUMNS = 200
MAX_MEMBERS = 2_000
MAX_MEMORY = 2 << 30
MAX_SECONDS = 60

_READER = """
import io, json, sys
import python_calamine
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except ImportError:
    pass
book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
sheets = [book.get_sheet_by_index(i).to_python() for i in range(len(book.sheet_names))]
text = json.dumps(sheets, default=str)
if len(text) > int(sys.argv[2]):
    sys.exit("too much text")
sys.stdout.write(text)
"""

_CELL = re.compile(rb"""\br=["']([A-Z]{1,3})([0-9]{1,7})["']""")


def read_sheet(content: bytes, kind: str, is_header: frozenset[str]) -> RawTable:
    """Rows of the first sheet whose first twenty lines hold a code column's heading."""
    sheets = _cells(_repacked(content) if kind == "xlsx" else content)
    for cells in sheets:
        for top, line in enumerate(cells[:20]):
            names = [cell_text(cell).lower() for cell in line]
            if is_header.intersection(names):
                rows = [
                    (n, {k: cell_text(v) for k, v in zip(names, row, strict=False) if k})
                    for n, row in enumerate(cells[top + 1 :], top + 2)
                ]
                if len(rows) > MAX_ROWS:
                    raise too_many_rows()
                return RawTable(kind, {}, [r for r in rows if any(r[1].values())])
    raise OfficialTableError(
        "wrong_columns",
        "表格前 20 行中没有找到编码列（SPBM、商品和服务税收分类编码等）。请核对所选文件与表头。",
    )


def _cells(content: bytes) -> list[list[list[Any]]]:
    """The cells of all sheets, read by a process of its own.

    A damaged XLS can make the sheet reader ask for any amount of memory, which ends its process.
    """
    try:
        child = subprocess.run(
            [sys.executable, "-I", "-c", _READER, str(MAX_MEMORY), str(MAX_UNPACKED)],
            input=content,
            capture_output=True,
            timeout=MAX_SECONDS,
            check=True,
        )
        sheets: list[list[list[Any]]] = json.loads(child.stdout)
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        raise OfficialTableError(
            "broken_sheet", "表格文件无法读取（损坏、加密或格式不符）。请另存为 XLSX 后再导入。"
        ) from error
    return sheets


def _repacked(content: bytes) -> bytes:
    """The workbook's parts, measured while unpacked and stored plainly.

    The sheet reader then sees exactly the bytes that were measured: a lying directory cannot
    make it unpack more.
    """
    plain = io.BytesIO()
    total = 0
    limit = min(MAX_UNPACKED, max(RATIO_FREE, MAX_RATIO * len(content)))
    try:
        with (
            zipfile.ZipFile(io.BytesIO(content)) as packed,
            zipfile.ZipFile(plain, "w", zipfile.ZIP_STORED) as target,
        ):
            members = [m for m in packed.infolist() if not m.is_dir()]
            if len({m.filename for m in members}) < len(members):
                raise zipfile.BadZipFile("duplicate member")
            declared = sum(m.file_size for m in members)
            if len(members) > MAX_MEMBERS or declared > limit:
                raise _zip_bomb()
            for member in members:
                with packed.open(member) as part:
                    data = part.read(limit - total + 1)
                total += len(data)
                if total > limit:
                    raise _zip_bomb()
                _check_part(member.filename, data)
                target.writestr(member.filename, data)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise OfficialTableError(
            "broken_zip", "XLSX 文件损坏或不完整。请重新下载原文件。"
        ) from error
    except (RuntimeError, NotImplementedError) as error:
        raise OfficialTableError(
            "locked_file", "XLSX 文件已加密或压缩方式不受支持。请另存为不加密的 XLSX 后再导入。"
        ) from error
    return plain.getvalue()


def _check_part(name: str, data: bytes) -> None:
    """Refuse document types, and cells so far out that a dense table would fill the memory."""
    if b"<!DOCTYPE" in data[:4096] or b"<!ENTITY" in data[:4096]:
        raise OfficialTableError(
            "forbidden_xml",
            f"XLSX 内的 {name} 含有 DOCTYPE 或实体定义，出于安全不予读取。请使用官方原文件。",
        )
    if b"sheetData" not in data:
        return
    for match in _CELL.finditer(data):
        letters, number = match.groups()
        column = 0
        for letter in letters:
            column = column * 26 + letter - 64
        if int(number) > MAX_ROWS or column > MAX_COLUMNS:
            cell = (letters + number).decode()
            raise OfficialTableError(
                "too_many_rows", f"表格范围过大（单元格 {cell}）。请删除多余的行列后再导入。"
            )


def _zip_bomb() -> OfficialTableError:
    return OfficialTableError(
        "zip_bomb", "XLSX 解压后过大或压缩比异常，出于安全不予读取。请使用官方原文件。"
    )
