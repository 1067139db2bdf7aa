"""Writing answered rows: JSONL, CSV, XLSX; a file is written beside its place and renamed."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from invoicer.errors import InputError
from invoicer.suggestion import OUTPUT_COLUMNS, flat

FORMATS = ("jsonl", "csv", "xlsx")
MAX_SHEET_ROWS = 1_048_576

# Takes one row: the input cells, then the answer's columns.
WriteRow = Callable[[Sequence[str], dict[str, Any]], None]


def output_header(header: Sequence[str], columns: Sequence[str] = OUTPUT_COLUMNS) -> list[str]:
    """Input columns first, a clash renamed with `_in`, then the answer's columns.

    No title comes twice: a repeated one is numbered.
    """
    names: list[str] = []
    taken = {*columns, *header}
    for title in header:
        name = f"{title}_in" if title in columns else title
        plain, number = name, 2
        while name in names or (name != title and name in taken):
            name, number = f"{plain}_{number}", number + 1
        names.append(name)
    return [*names, *columns]


@contextmanager
def open_writer(
    path: Path | None,
    form: str,
    header: Sequence[str],
    columns: Sequence[str] = OUTPUT_COLUMNS,
) -> Iterator[WriteRow]:
    """A row writer to a file (whole or not at all) or, for None, to standard output.

    columns: the answer's columns to write.
    """
    if form not in FORMATS:
        raise InputError(f"不支持的输出格式“{form}”,请使用 {' '.join(FORMATS)}")
    if path is None:
        if form == "xlsx":
            raise InputError("xlsx 需要用 -o 指定输出文件")
        with _text_writer(form, sys.stdout, header, columns) as write:
            yield write
        return
    if not path.parent.is_dir():
        raise InputError(f"输出文件夹不存在:{path.parent}", file=str(path))
    temporary = path.with_name(f".{path.name}.part")
    try:
        if form == "xlsx":
            with _sheet_writer(temporary, header, columns) as write:
                yield write
        else:
            with temporary.open("w", encoding="utf-8", newline="") as file:
                if form == "csv":
                    file.write("\ufeff")
                with _text_writer(form, file, header, columns) as write:
                    yield write
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _text_writer(
    form: str, file: IO[str], header: Sequence[str], columns: Sequence[str]
) -> Iterator[WriteRow]:
    names = output_header(header, columns)
    if form == "csv":
        writer = csv.writer(file)
        writer.writerow(names)
        yield lambda cells, answer: writer.writerow(
            [*_padded(cells, header), *flat(answer, columns)]
        )
        return

    def write(cells: Sequence[str], answer: dict[str, Any]) -> None:
        row = dict(zip(names, _padded(cells, header), strict=False))
        row.update((column, answer.get(column, "")) for column in columns)
        file.write(json.dumps(row, ensure_ascii=False) + "\n")

    yield write


@contextmanager
def _sheet_writer(path: Path, header: Sequence[str], columns: Sequence[str]) -> Iterator[WriteRow]:
    import xlsxwriter

    book = xlsxwriter.Workbook(
        str(path),
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    sheet = book.add_worksheet("结果")
    sheet.freeze_panes(1, 0)
    names = output_header(header, columns)
    bold = book.add_format({"bold": True})
    for column, title in enumerate(names):
        sheet.write_string(0, column, title, bold)
    place = 0

    def write(cells: Sequence[str], answer: dict[str, Any]) -> None:
        nonlocal place
        place += 1
        if place >= MAX_SHEET_ROWS:
            raise InputError(f"超过 XLSX 的 {MAX_SHEET_ROWS} 行上限,请输出为 csv 或 jsonl")
        for column, text in enumerate([*_padded(cells, header), *flat(answer, columns)]):
            sheet.write_string(place, column, text[:32767])

    try:
        yield write
    finally:
        book.close()


def _padded(cells: Sequence[str], header: Sequence[str]) -> list[str]:
    """Exactly as many cells as the header has."""
    row = list(cells[: len(header)])
    return row + [""] * (len(header) - len(row))
