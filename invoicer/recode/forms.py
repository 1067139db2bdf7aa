"""The forms of an output: how the rows of a part are kept, and how parts become one file."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

from invoicer.guard import guarded, guarded_row
from invoicer.recode.verdict import RECODE_COLUMNS
from invoicer.writers import MAX_SHEET_ROWS

BOM = "\ufeff"
# Fill of a row by the severity of its worst finding: low, medium, high.
COLOURS = {1: "#FFF9E5", 2: "#FFEBD0", 3: "#FAD7D5"}
WIDTHS = {"findings": 60, "correction": 40, "candidates": 20, "short_name": 16, "code": 22}
MONEY = ("tax_declared", "tax_correct_low", "tax_correct_high", "stake_low", "stake_high")
CELL = 32_767
GROUPED = 16  # parts of a Parquet row group
_answer = itemgetter(*RECODE_COLUMNS)
_CANDIDATES = RECODE_COLUMNS.index("candidates")


@dataclass(frozen=True, slots=True)
class OutRow:
    """A row of the output: the input's cells under the common header, the answer's columns;
    candidates are JSON."""

    cells: Sequence[str]
    answer: dict[str, Any]
    severity: int


def flat_cells(row: OutRow) -> list[str]:
    """All cells as text."""
    return [*row.cells, *map(str, _answer(row.answer))]


def csv_header(names: Sequence[str]) -> bytes:
    """What a CSV output begins with."""
    header = io.StringIO(newline="")
    csv.writer(header).writerow([guarded(name) for name in names])
    return (BOM + header.getvalue()).encode("utf-8", "replace")


def keep_csv(rows: Iterable[OutRow], names: Sequence[str], raw: bool) -> bytes:
    buffer = io.StringIO(newline="")
    cells = map(flat_cells, rows)
    csv.writer(buffer).writerows(cells if raw else map(guarded_row, cells))
    return buffer.getvalue().encode("utf-8", "replace")


def keep_jsonl(rows: Iterable[OutRow], names: Sequence[str], raw: bool) -> bytes:
    lines = []
    for row in rows:
        answer = list(_answer(row.answer))
        answer[_CANDIDATES] = orjson.Fragment(answer[_CANDIDATES])
        values = [*row.cells, *answer]
        lines.append(orjson.dumps(dict(zip(names, values, strict=True))))
    return b"".join(line + b"\n" for line in lines)


def keep_sheet(rows: Iterable[OutRow], names: Sequence[str], raw: bool) -> bytes:
    """Rows for the workbook, which is written in one go at the end: [severity, cells…]."""
    return b"".join(orjson.dumps([row.severity, *flat_cells(row)]) + b"\n" for row in rows)


def keep_parquet(rows: Iterable[OutRow], names: Sequence[str], raw: bool) -> bytes:
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(parquet_table(rows, names), sink)
    return sink.getvalue()


def parquet_table(rows: Iterable[OutRow], names: Sequence[str]) -> Any:
    """Rows as an Arrow table."""
    import pyarrow as pa

    table: dict[str, list[Any]] = {name: [] for name in names}
    for row in rows:
        for name, cell in zip(names, flat_cells(row), strict=True):
            table[name].append(_typed(name, cell) if name in RECODE_COLUMNS else cell)
    return pa.table(table, parquet_schema(names))


def parquet_schema(names: Sequence[str]) -> Any:
    """Text, but for confidence and money."""
    import pyarrow as pa

    own = {"confidence": pa.float64(), **dict.fromkeys(MONEY, pa.decimal128(18, 2))}
    return pa.schema([(n, own.get(n, pa.string())) for n in names])


def _typed(name: str, cell: str) -> Any:
    if name in MONEY:
        return Decimal(cell) if cell else None
    if name == "confidence":
        return float(cell) if cell else None
    return cell


Keep = Callable[[Iterable[OutRow], Sequence[str], bool], bytes]
KEEPERS: dict[str, Keep] = {
    "csv": keep_csv, "jsonl": keep_jsonl, "xlsx": keep_sheet, "parquet": keep_parquet,
}  # fmt: skip


def join(form: str, parts: Sequence[Path], names: Sequence[str], target: Path) -> None:
    """The whole output from its parts, in order."""
    if form == "xlsx":
        _join_sheet(parts, names, target)
    elif form == "parquet":
        _join_parquet(parts, names, target)
    else:
        with target.open("wb") as file:
            if form == "csv":
                file.write(csv_header(names))
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, file, 1 << 20)


def _join_parquet(parts: Sequence[Path], names: Sequence[str], target: Path) -> None:
    """Several parts make a row group: what a file says of its row groups is held in memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetWriter(target, parquet_schema(names)) as writer:
        for start in range(0, len(parts), GROUPED):
            tables = [pq.read_table(part) for part in parts[start : start + GROUPED]]
            writer.write_table(pa.concat_tables(tables).combine_chunks())


def _join_sheet(parts: Sequence[Path], names: Sequence[str], target: Path) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(
        str(target),
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
         "strings_to_numbers": False},
    )  # fmt: skip
    bold = book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1})
    fills = {0: None} | {n: book.add_format({"bg_color": c}) for n, c in COLOURS.items()}
    sheet, place, number = _new_sheet(book, names, 1, bold), 1, 1
    for severity, cells in _kept_rows(parts):
        if place >= MAX_SHEET_ROWS:
            sheet.autofilter(0, 0, place - 1, len(names) - 1)
            number += 1
            sheet, place = _new_sheet(book, names, number, bold), 1
        for column, text in enumerate(cells):
            sheet.write_string(place, column, text[:CELL], fills[severity])
        place += 1
    sheet.autofilter(0, 0, place - 1, len(names) - 1)
    book.close()


def _new_sheet(book: Any, names: Sequence[str], number: int, bold: Any) -> Any:
    sheet = book.add_worksheet("结果" if number == 1 else f"结果{number}")
    sheet.freeze_panes(1, 0)
    for column, title in enumerate(names):
        sheet.set_column(column, column, WIDTHS.get(title, 14))
        sheet.write_string(0, column, title, bold)
    return sheet


def _kept_rows(parts: Sequence[Path]) -> Iterator[tuple[int, list[str]]]:
    for part in parts:
        with part.open("rb") as file:
            for line in file:
                severity, *cells = orjson.loads(line)
                yield severity, cells
