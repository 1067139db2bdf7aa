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


def output_header(header: Sequence[str]) -> list[str]:
    """Input columns first, a clash renamed with `_in`, then the answer's columns."""
    names = [f"{title}_in" if title in OUTPUT_COLUMNS else title for title in header]
    return [*names, *OUTPUT_COLUMNS]


@contextmanager
def open_writer(path: Path | None, form: str, header: Sequence[str]) -> Iterator[WriteRow]:
    """A row writer to a file (whole or not at all) or, for None, to standard output."""
    if form not in FORMATS:
        raise InputError(f"不支持的输出格式“{form}”,请使用 {' '.join(FORMATS)}")
    if path is None:
        if form == "xlsx":
            raise InputError("xlsx 需要用 -o 指定输出文件")
        with _text_writer(form, sys.stdout, header) as write:
            yield write
        return
    if not path.parent.is_dir():
        raise InputError(f"输出文件夹不存在:{path.parent}", file=str(path))
    temporary = path.with_name(f".{path.name}.part")
    try:
        if form == "xlsx":
            with _sheet_writer(temporary, header) as write:
                yield write
        else:
            with temporary.open("w", encoding="utf-8", newline="") as file:
                if form == "csv":
                    file.write("\ufeff")
                with _text_writer(form, file, header) as write:
                    yield write
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _text_writer(form: str, file: IO[str], header: Sequence[str]) -> Iterator[WriteRow]:
    names = output_header(header)
    if form == "csv":
        writer = csv.writer(file)
        writer.writerow(names)
        yield lambda cells, answer: writer.writerow([*_padded(cells, header), *flat(answer)])
        return

    def write(cells: Sequence[str], answer: dict[str, Any]) -> None:
        row = dict(zip(names, _padded(cells, header), strict=False))
        row.update((column, answer.get(column, "")) for column in OUTPUT_COLUMNS)
        file.write(json.dumps(row, ensure_ascii=False) + "\n")

    yield write


@contextmanager
def _sheet_writer(path: Path, header: Sequence[str]) -> Iterator[WriteRow]:
    import xlsxwriter

    book = xlsxwriter.Workbook(
        str(path),
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    sheet = book.add_worksheet("结果")
    sheet.freeze_panes(1, 0)
    names = output_header(header)
    bold = book.add_format({"bold": True})
    for column, title in enumerate(names):
        sheet.write_string(0, column, title, bold)
    place = 0

    def write(cells: Sequence[str], answer: dict[str, Any]) -> None:
        nonlocal place
        place += 1
        if place >= MAX_SHEET_ROWS:
            raise InputError(f"超过 XLSX 的 {MAX_SHEET_ROWS} 行上限,请输出为 csv 或 jsonl")
        for column, text in enumerate([*_padded(cells, header), *flat(answer)]):
            sheet.write_string(place, column, text[:32767])

    try:
        yield write
    finally:
        book.close()


def _padded(cells: Sequence[str], header: Sequence[str]) -> list[str]:
    """Exactly as many cells as the header has."""
    row = list(cells[: len(header)])
    return row + [""] * (len(header) - len(row))
