"""JSON Lines as rows: an object a line, its keys the columns."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from invoicer.errors import InputError
from invoicer.table import BrokenRow, checked_header, text_of

Fault = tuple[int, str]  # (line, why it is no object)


def json_lines(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any] | BrokenRow]]:
    """(number of the line, its object) of all lines but empty ones."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _object(line)


def _object(line: str) -> dict[str, Any] | BrokenRow:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        return BrokenRow(f"不是 JSON:{error.msg}")
    except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
        return BrokenRow("不是可以读取的 JSON")
    return value if isinstance(value, dict) else BrokenRow("不是 JSON 对象")


def json_row(value: dict[str, Any] | BrokenRow, keys: Iterable[str]) -> list[str]:
    """The cells of an object under these keys."""
    return value if isinstance(value, BrokenRow) else [text_of(value.get(key)) for key in keys]


def json_header(keys: Collection[str], fault: Fault | None, name: str) -> list[str]:
    """The columns of a file; raises InputError where no line of it is an object.

    fault: the first line that is none; name: of the file, for messages.
    """
    if keys:
        return checked_header([text_of(key) for key in keys])
    if fault is None:
        raise InputError(f"{name} 没有数据行", file=name)
    raise InputError(f"{name} 第 {fault[0]} 行{fault[1]}", file=name, row=fault[0])
