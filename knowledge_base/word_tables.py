"""The word tables that people may edit: everyday names, ambiguous terms, scenarios, descriptors.

Provisional mappings are a table of marks beside the everyday names; it is there once one was made.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from knowledge_base import tables

Row = dict[str, str]


class WordTable(StrEnum):
    """A table of words, by the name of its file."""

    EVERYDAY_NAMES = "everyday_names"
    AMBIGUOUS = "ambiguous"
    SCENARIOS = "scenarios"
    DESCRIPTORS = "descriptors"
    EXCEPTIONS = "exceptions"
    PROVISIONAL = "provisional"

    @property
    def label(self) -> str:
        return {"everyday_names": "俗名", "ambiguous": "歧义词", "scenarios": "业务场景",
                "descriptors": "描述词", "exceptions": "例外词",
                "provisional": "暂定映射"}[self]  # fmt: skip

    @property
    def word(self) -> str:
        """The column that holds the word."""
        return "phrase" if self is WordTable.SCENARIOS else "term"

    @property
    def is_by_code(self) -> bool:
        """Whether it is kept in the order of its codes."""
        return self.columns[0] == "code"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table, in the order of the file."""
        return _COLUMNS[self]


_COLUMNS = {
    WordTable.EVERYDAY_NAMES: ("code", "term"),
    WordTable.AMBIGUOUS: ("term", "codes", "default_code", "question", "options"),
    WordTable.SCENARIOS: (
        "phrase", "aliases", "place", "seller_industry", "condition", "answer", "stated",
        "premise", "question", "code", "rate_general", "levy_small", "note",
    ),
    WordTable.DESCRIPTORS: ("term", "kind", "note"),
    WordTable.EXCEPTIONS: ("term", "head", "why"),
    WordTable.PROVISIONAL: ("code", "term"),
}  # fmt: skip


class Action(StrEnum):
    """What an edit does with a row. A row is changed by removing it and adding its new form."""

    ADD = "add"
    REMOVE = "remove"

    @property
    def label(self) -> str:
        return {"add": "新增", "remove": "删除"}[self]


@dataclass(frozen=True, slots=True)
class Edit:
    """One row of a word table that comes or goes."""

    table: WordTable
    action: Action
    row: Row

    @property
    def word(self) -> str:
        return self.row.get(self.table.word, "")

    def to_json(self) -> dict[str, Any]:
        return {"table": self.table.value, "action": self.action.value, "row": self.row}

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Edit:
        """An edit as it was kept; columns that the row does not name are empty."""
        table = WordTable(given["table"])
        row = {column: given["row"].get(column, "") for column in table.columns}
        return cls(table, Action(given["action"]), row)


class NoSuchRowError(ValueError):
    """A row is to be removed that the table does not hold."""

    def __init__(self, edit: Edit):
        super().__init__(f"{edit.table.label}表中没有这一行“{edit.word}”,可能已被他人修改")
        self.edit = edit


def read_rows(root: Path, table: WordTable) -> list[Row]:
    """The rows of a table in the order of its file; none where it has no file."""
    if not (root / f"{table.value}.csv").exists():
        return []
    return list(tables.rows(table.value, root))


def write_rows(folder: Path, table: WordTable, rows: Iterable[Row]) -> None:
    """Write a table as it is shipped: the same rows give the same bytes."""
    with (folder / f"{table.value}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, table.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def edited(table: WordTable, rows: Sequence[Row], edits: Iterable[Edit]) -> list[Row]:
    """The rows after the edits of this table, in turn; raises NoSuchRowError.

    Names under codes stay in order. In the other tables a row added right after another was removed
    takes its place, and else stands with those of its word.
    """
    found = list(rows)
    free: int | None = None
    for edit in edits:
        if edit.table is not table:
            continue
        if edit.action is Action.REMOVE:
            try:
                free = found.index(edit.row)
            except ValueError:
                raise NoSuchRowError(edit) from None
            del found[free]
            continue
        if free is None or table.is_by_code:
            free = _place(table, found, edit.row)
        found.insert(free, edit.row)
        free = None
    return found


def _place(table: WordTable, rows: Sequence[Row], row: Row) -> int:
    """Where a new row belongs."""
    if table.is_by_code:
        return bisect_right(rows, (row["code"], row["term"]), key=lambda r: (r["code"], r["term"]))
    alike = [n for n, one in enumerate(rows) if one[table.word] == row[table.word]]
    return alike[-1] + 1 if alike else len(rows)


def touched(edits: Iterable[Edit]) -> list[WordTable]:
    """The tables that edits change, in their fixed order."""
    named = {edit.table for edit in edits}
    return [table for table in WordTable if table in named]


def write_edited(root: Path, folder: Path, edits: Sequence[Edit]) -> None:
    """Write the tables of `root` that the edits change into a folder; raises NoSuchRowError."""
    for table in touched(edits):
        write_rows(folder, table, edited(table, read_rows(root, table), edits))


def difference(old: Path, new: Path) -> list[Edit]:
    """The edits that lead from the word tables of one folder to those of another.

    A row is a line of its file and stands there once, so only lines that differ are read.
    """
    found = []
    for table in WordTable:
        paths = [root / f"{table.value}.csv" for root in (old, new)]
        if table is not WordTable.PROVISIONAL and not all(path.exists() for path in paths):
            continue
        texts = [path.read_text(encoding="utf-8") if path.exists() else "" for path in paths]
        if texts[0] == texts[1]:
            continue
        before, after = (set(text.splitlines()[1:]) for text in texts)
        for action, lines in ((Action.REMOVE, before - after), (Action.ADD, after - before)):
            found += [
                Edit(table, action, dict(zip(table.columns, values, strict=True)))
                for values in sorted(csv.reader(lines))
            ]
    return found
