"""A table of lines in memory: titles, and cells that are text whatever the file held."""

from __future__ import annotations

import datetime as dt
import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from invoicer.errors import InputError

MAX_COLUMNS = 2000
# (row from 0, its number, its sheet unless it is the first)
Leap = tuple[int, int, str]
# Half of a character pair, as broken JSON escapes and undecodable arguments leave it behind.
_SURROGATE = re.compile("[\ud800-\udfff]")


class BrokenRow(list[str]):
    """A row that could not be read: no cells, and why, in Chinese."""

    def __init__(self, why: str):
        super().__init__()
        self.why = why


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
        found: list[int | str] = []
        for row in range(start, end):
            at = bisect_right(self.leaps, row, key=lambda leap: leap[0]) - 1
            index, number, sheet = self.leaps[at] if at >= 0 else (0, self.first_row, "")
            number += row - index
            found.append(f"{sheet}!{number}" if sheet else number)
        return found


def checked_header(cells: list[str]) -> list[str]:
    """Column titles; raises InputError where they are too many to be a table's."""
    if len(cells) > MAX_COLUMNS:
        raise InputError(f"表头有 {len(cells)} 列,超过 {MAX_COLUMNS} 列,请检查分隔符")
    return [cell.strip() for cell in cells]


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
