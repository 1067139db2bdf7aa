"""Reading tables of lines: CSV, TSV, JSONL, XLSX, XLS, Parquet, plain lines; always as text."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from invoicer.columns import known_fields
from invoicer.errors import InputError
from invoicer.guard import freed
from invoicer.headers import Headed, find_header
from invoicer.recode.verdict import RECODE_COLUMNS
from invoicer.safe_zip import unpacked_size

SUFFIXES = (".csv", ".tsv", ".jsonl", ".xlsx", ".xls", ".parquet")
DELIMITED = (".csv", ".tsv")
ENCODINGS = ("utf-8-sig", "gb18030")
MAX_CELL = 1_000_000
MAX_COLUMNS = 2000
# Beyond this a workbook is read row by row: slower, but never held in memory.
STREAMED_FROM = 100 << 20
PARQUET_BUFFER = 1 << 18
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# (row from 0, its number, its sheet unless it is the first)
Leap = tuple[int, int, str]
# Half of a character pair, as broken JSON escapes and undecodable arguments leave it behind.
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Table:
    """header: column titles; rows: cells as text, one list a row, in order.

    size: number of rows where it is known beforehand; first_row: the number by which people know
    the first of them (2 below a header line); notes: what was left out, in Chinese; leaps: where
    the numbers do not go on by one, told as the rows are read.
    """

    header: list[str]
    rows: Iterator[list[str]]
    size: int | None = None
    first_row: int = 2
    notes: tuple[str, ...] = ()
    leaps: list[Leap] = field(default_factory=list)

    def numbers(self, start: int, end: int) -> Sequence[int | str]:
        """The numbers by which people know rows that were read; beyond the first sheet 表2!5."""
        if not self.leaps:
            return range(self.first_row + start, self.first_row + end)
        starts = [leap[0] for leap in self.leaps]
        found: list[int | str] = []
        for row in range(start, end):
            at = bisect_right(starts, row) - 1
            index, number, sheet = self.leaps[at] if at >= 0 else (0, self.first_row, "")
            number += row - index
            found.append(f"{sheet}!{number}" if sheet else number)
        return found


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


def whole_characters(text: str) -> str:
    """The text with halves of character pairs replaced: what can be compared and written."""
    return _SURROGATE.sub("\ufffd", text)


def text_of(value: object) -> str:
    """A cell as text: whole floats without their `.0`, dates as ISO, nothing as ''."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value != value:
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    return whole_characters(str(value))


def _encoding(path: Path) -> str:
    """UTF-8 where the whole file is UTF-8, else GB18030; InputError where it is neither."""
    import codecs

    for encoding in ENCODINGS:
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


def _read_delimited(delimiter: str) -> Callable[[Path], Table]:
    def read(path: Path) -> Table:
        csv.field_size_limit(MAX_CELL)
        file = path.open(encoding=_encoding(path), newline="")
        if "\0" in file.read(4096):
            file.close()
            raise InputError(f"{path.name} 不是文本文件", file=str(path))
        file.seek(0)
        return delimited_table(csv.reader(file, delimiter=delimiter), path.name)

    return read


def delimited_table(reader: Any, name: str) -> Table:
    """The table that a CSV reader gives. name: of its file, for messages."""
    headed = find_header(_rows(reader, name))
    if headed is None:
        raise InputError(f"{name} 第一行没有表头", file=name)
    return Table(_header(headed.header), headed.rows, first_row=headed.first_row)


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


def _header(cells: list[str]) -> list[str]:
    if len(cells) > MAX_COLUMNS:
        raise InputError(f"表头有 {len(cells)} 列,超过 {MAX_COLUMNS} 列,请检查分隔符")
    return [cell.strip() for cell in cells]


def _read_jsonl(path: Path) -> Table:
    """Columns are the keys in order of first appearance."""
    encoding = _encoding(path)

    def objects() -> Iterator[dict[str, Any]]:
        with path.open(encoding=encoding) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield json_object(line, path.name, number)

    keys: dict[str, None] = {}
    size = 0
    for value in objects():
        keys.update(dict.fromkeys(value))
        size += 1
    if not keys:
        raise InputError(f"{path.name} 没有数据行", file=str(path))
    header = jsonl_header(keys)
    rows = ([text_of(value.get(key)) for key in keys] for value in objects())
    return Table(header, rows, size, first_row=1)


def jsonl_header(keys: Iterable[str]) -> list[str]:
    return _header([text_of(key) for key in keys])


def json_object(line: str, name: str, number: int) -> dict[str, Any]:
    """The object on a line of a file; raises InputError where there is none."""
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{name} 第 {number} 行不是 JSON:{error.msg}", row=number) from error
    if not isinstance(value, dict):
        raise InputError(f"{name} 第 {number} 行不是 JSON 对象", row=number)
    return value


def _read_workbook(path: Path) -> Table:
    """The first sheet that has a name column, else the first with cells; then every further sheet
    with the same titles."""
    sheets = _streamed if _is_packed(path) and unpacked_size(path) > STREAMED_FROM else _loaded
    found = [
        (name, headed)
        for name, rows in sheets(path)
        if (headed := find_header(rows)) is not None
    ]
    if not found:
        raise InputError(f"{path.name} 中没有数据", file=str(path))
    named = [one for one in found if "name" in known_fields(one[1].header)]
    first = (named or found)[0]
    header = _header(first[1].header)
    same = [one for one in named if one[1].header == first[1].header] or [first]
    left = [one for one in found if one not in same]
    notes = [
        f"{path.name} 的工作表“{'、'.join(sheets)}”{why},没有读取"
        for why, sheets in (
            ("表头不同", [one[0] for one in left if one in named]),
            ("没有商品名称列", [one[0] for one in left if one not in named]),
        )
        if sheets
    ]
    leaps: list[Leap] = []
    rows = _filled(same, leaps)
    return Table(header, rows, first_row=first[1].first_row, notes=tuple(notes), leaps=leaps)


def _is_packed(path: Path) -> bool:
    """Whether a workbook is a zip file, whatever it is called; InputError where it is none."""
    with path.open("rb") as file:
        start = file.read(8)
    if start[:4] == _ZIP:
        return True
    if start == _OLE and path.suffix.lower() == ".xls":
        return False
    if start == _OLE:
        why = "已加密,或是改了扩展名的旧版 XLS;请取消密码"
    else:
        why = "不是 Excel 工作簿(网上系统导出的常是网页或文本);请用 Excel 或 WPS 打开"
    raise InputError(f"{path.name} {why},另存为 .xlsx 再试", file=str(path))


def _filled(sheets: Sequence[tuple[str, Headed]], leaps: list[Leap]) -> Iterator[list[str]]:
    """The rows of sheets that hold anything; leaps: where `Table` tells them."""
    count, follows = 0, sheets[0][1].first_row
    for at, (name, headed) in enumerate(sheets):
        for number, row in enumerate(headed.rows, headed.first_row):
            if any(row):
                if number != follows:
                    leaps.append((count, number, name if at else ""))
                yield row
                count, follows = count + 1, number + 1
        follows = -1


def _loaded(path: Path) -> Iterator[tuple[str, Iterator[list[str]]]]:
    """The sheets of a workbook, each held in memory while it is read."""
    from python_calamine import CalamineWorkbook

    with path.open("rb") as file:
        book = CalamineWorkbook.from_filelike(file)
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).iter_rows()
            yield name, ([text_of(cell) for cell in row] for row in rows)


def _streamed(path: Path) -> Iterator[tuple[str, Iterator[list[str]]]]:
    """The sheets of a very large workbook, row by row."""
    import openpyxl

    book = openpyxl.load_workbook(path.open("rb"), read_only=True, data_only=True)
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what a file says of its size need not be true
        rows = sheet.iter_rows(values_only=True)
        yield sheet.title, ([text_of(cell) for cell in row] for row in rows)


def _read_parquet(path: Path) -> Table:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path, buffer_size=PARQUET_BUFFER)  # else whole row groups are held
    header = _header(file.schema_arrow.names)

    def rows() -> Iterator[list[str]]:
        for batch in file.iter_batches(batch_size=8192):
            columns = [column.to_pylist() for column in batch.columns]
            for cells in zip(*columns, strict=True):
                yield [text_of(cell) for cell in cells]

    return Table(header, rows(), file.metadata.num_rows, first_row=1)


_READERS: dict[str, Callable[[Path], Table]] = {
    ".csv": _read_delimited(","),
    ".tsv": _read_delimited("\t"),
    ".jsonl": _read_jsonl,
    ".xlsx": _read_workbook,
    ".xls": _read_workbook,
    ".parquet": _read_parquet,
}
