"""Reading tables of lines: CSV, TSV, JSONL, XLSX, XLS, Parquet, plain lines; always as text."""

from __future__ import annotations

import codecs
import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from invoicer.columns import known_fields
from invoicer.errors import InputError
from invoicer.guard import freed
from invoicer.headers import SEARCHED, find_header
from invoicer.json_lines import json_header, json_lines, json_row
from invoicer.recode.verdict import RECODE_COLUMNS
from invoicer.table import BrokenRow, Table, checked_header, text_of
from invoicer.workbooks import read_workbook

SUFFIXES = (".csv", ".tsv", ".jsonl", ".xlsx", ".xls", ".parquet")
DELIMITED = (".csv", ".tsv")
ENCODINGS = ("utf-8-sig", "gb18030")
MAX_CELL = 1_000_000
SAMPLE = 1 << 16  # characters at the start of a file that tell its delimiter
PARQUET_BUFFER = 1 << 18


def read_table(path: Path, raw: bool = False) -> Table:
    """The table in a file; raises InputError where it cannot be read.

    raw: the guards of an earlier CSV output (`invoicer/guard.py`) are left where they are.
    """
    if not path.exists():
        raise InputError(f"文件不存在:{path}", file=str(path))
    if path.is_dir():
        raise InputError(f"{path} 是文件夹,请给出一个文件", file=str(path))
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"不支持的文件类型“{path.suffix or path.name}”,请使用 {' '.join(SUFFIXES)}",
            file=str(path),
        )
    if path.stat().st_size == 0:
        raise InputError(f"文件是空的:{path.name}", file=str(path))
    try:
        table = reader(path)
    except InputError:
        raise
    except Exception as error:
        said = str(error).partition("\n")[0]
        raise InputError(
            f"无法读取 {path.name}:{type(error).__name__}: {said};请确认文件未损坏、未加密",
            file=str(path),
        ) from error
    if path.suffix.lower() in DELIMITED and not raw and is_guarded(table.header):
        return replace(table, rows=(list(map(freed, row)) for row in table.rows))
    return table


def is_guarded(header: list[str]) -> bool:
    """Whether the columns are those of an output of ours."""
    return tuple(header[-len(RECODE_COLUMNS) :]) == RECODE_COLUMNS


def read_lines(stream: Iterable[bytes] | None = None) -> Table:
    """One name a line, from standard input; each line UTF-8 or GB18030."""
    lines = sys.stdin.buffer if stream is None else stream
    return Table(["name"], ([_decoded(line)] for line in lines), first_row=1)


def _decoded(line: bytes) -> str:
    line = line.rstrip(b"\r\n")
    for encoding in ENCODINGS:
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("utf-8", errors="replace")


def _encoding(path: Path) -> str:
    """UTF-16 where the file begins with its mark, UTF-8 where the whole file is UTF-8, else
    GB18030; InputError where it is none of these."""
    with path.open("rb") as file:
        marked = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    for encoding in ("utf-16",) if marked else ENCODINGS:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    decoder.decode(block)
                decoder.decode(b"", final=True)
            return encoding
        except UnicodeDecodeError:
            continue
    raise InputError(
        f"{path.name} 既不是 UTF-8 也不是 GB18030 编码,请另存为 UTF-8 的 CSV", file=str(path)
    )


def _read_delimited(delimiters: str) -> Callable[[Path], Table]:
    def read(path: Path) -> Table:
        csv.field_size_limit(MAX_CELL)
        file = path.open(encoding=_encoding(path), newline="")
        sample = file.read(SAMPLE)
        if "\0" in sample:
            file.close()
            raise InputError(f"{path.name} 不是文本文件", file=str(path))
        file.seek(0)
        delimiter = _delimiter(sample, delimiters)
        return delimited_table(csv.reader(file, delimiter=delimiter), path.name)

    return read


def _delimiter(sample: str, delimiters: str) -> str:
    """The one by which a row at the top names the most columns; the first one of equals."""

    def named(delimiter: str) -> int:
        rows = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        return max((len(known_fields(row)) for row in islice(rows, SEARCHED)), default=0)

    return max(delimiters, key=named) if len(delimiters) > 1 else delimiters


def delimited_table(reader: Any, name: str) -> Table:
    """The table that a CSV reader gives. name: of its file, for messages."""
    headed = find_header(_rows(reader, name))
    if headed is None:
        raise InputError(f"{name} 第一行没有表头", file=name)
    return Table(checked_header(headed.header), headed.rows, first_row=headed.first_row)


def _rows(reader: Any, name: str) -> Iterator[list[str]]:
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{name} 第 {reader.line_num} 行无法解析:{error};请检查引号是否成对", file=name
            ) from error
        if row:
            yield row


def _read_jsonl(path: Path) -> Table:
    """Columns are the keys in order of first appearance."""
    encoding = _encoding(path)

    def lines() -> Iterator[tuple[int, dict[str, Any] | BrokenRow]]:
        with path.open(encoding=encoding) as file:
            yield from json_lines(file)

    keys: dict[str, None] = {}
    fault = None
    size = 0
    for number, value in lines():
        if isinstance(value, BrokenRow):
            fault = fault or (number, value.why)
        else:
            keys.update(dict.fromkeys(value))
        size += 1
    header = json_header(keys, fault, path.name)
    return Table(header, (json_row(value, keys) for _, value in lines()), size, first_row=1)


def _read_parquet(path: Path) -> Table:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path, buffer_size=PARQUET_BUFFER)  # else whole row groups are held
    header = checked_header(file.schema_arrow.names)

    def rows() -> Iterator[list[str]]:
        for batch in file.iter_batches(batch_size=8192):
            columns = [column.to_pylist() for column in batch.columns]
            for cells in zip(*columns, strict=True):
                yield [text_of(cell) for cell in cells]

    return Table(header, rows(), file.metadata.num_rows, first_row=1)


_READERS: dict[str, Callable[[Path], Table]] = {
    ".csv": _read_delimited(",\t;"),
    ".tsv": _read_delimited("\t"),
    ".jsonl": _read_jsonl,
    ".xlsx": read_workbook,
    ".xls": read_workbook,
    ".parquet": _read_parquet,
}
