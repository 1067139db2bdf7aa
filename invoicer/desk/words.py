"""The word tables of one knowledge base in memory: found by code, by word, page by page."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from invoicer.desk.rules import word_rules
from invoicer.errors import InputError
from knowledge_base import KnowledgeBase
from knowledge_base.word_tables import (
    Action,
    Edit,
    NoSuchRowError,
    Row,
    WordTable,
    edited,
    read_rows,
    touched,
)
from models.words import name_key

PAGE = 100


def edit_of(given: dict[str, Any]) -> Edit:
    """An edit that somebody sent: {table, action, row}; raises InputError."""
    try:
        edit = Edit.from_json(given)
        unknown = given["row"].keys() - set(edit.table.columns)
        plain = all(isinstance(cell, str) for cell in edit.row.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        unknown, plain = set(), False
    if not plain:
        raise InputError("修改应写成 {table, action, row},row 的各列为文本", field="edits")
    if unknown:
        columns = "、".join(edit.table.columns)
        raise InputError(
            f"{edit.table.label}没有 {min(unknown)[:30]} 列,只有 {columns}", field="edits"
        )
    return edit


class WordIndex:
    """Rows of the editable tables, ready to be searched and checked."""

    def __init__(self, kb: KnowledgeBase):
        self.kb = kb
        self.tables: dict[WordTable, list[Row]] = {
            table: read_rows(kb.root, table) for table in WordTable
        }

    @cached_property
    def _by_code(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = defaultdict(list)
        for row in self.tables[WordTable.EVERYDAY_NAMES]:
            names[row["code"]].append(row["term"])
        return dict(names)

    @cached_property
    def _by_key(self) -> dict[str, list[Row]]:
        """Everyday names by the form in which names are compared."""
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in self.tables[WordTable.EVERYDAY_NAMES]:
            rows[name_key(row["term"])].append(row)
        return dict(rows)

    @cached_property
    def _samples(self) -> dict[str, list[str]]:
        samples: dict[str, list[str]] = defaultdict(list)
        for sample in self.kb.lexicon.samples():
            samples[sample.code].append(sample.name)
        return dict(samples)

    @cached_property
    def _texts(self) -> dict[WordTable, list[str]]:
        """Each row as one text: most are passed over after a single look."""
        return {
            table: ["\n".join(row.values()) for row in rows] for table, rows in self.tables.items()
        }

    def prepare(self) -> WordIndex:
        """Do what a first request would wait for."""
        _ = self._by_code, self._by_key, self._samples, self._texts
        return self

    def names(self, code: str) -> list[str]:
        """The everyday names of a code."""
        return self._by_code.get(code, [])

    def samples(self, code: str) -> list[str]:
        """Whole lines that stand under a code."""
        return self._samples.get(code, [])

    def mentions(self, table: WordTable, code: str) -> list[Row]:
        """Rows of another table that name a code."""
        return [row for row in self.tables[table] if any(code in cell for cell in row.values())]

    def search(self, table: WordTable, text: str, number: int = 1) -> tuple[int, list[Row]]:
        """(how many rows hold the text, those of a page); all rows for an empty text."""
        rows = self.tables[table]
        text = text.strip()
        if text:
            pairs = zip(rows, self._texts[table], strict=True)
            rows = [row for row, whole in pairs if text in whole]
        return len(rows), rows[(number - 1) * PAGE : number * PAGE]

    def marked(self, code: str) -> list[str]:
        """Everyday names of a code that stand there provisionally."""
        return self.kb.lexicon.provisional.get(code, [])

    def completed(self, edits: Sequence[Edit], provisional: bool) -> list[Edit]:
        """The edits with the marks of provisional mappings that come and go with their names."""
        names = [edit for edit in edits if edit.table is WordTable.EVERYDAY_NAMES]
        come = [edit.row for edit in names if edit.action is Action.ADD and provisional]
        if provisional and not come:
            raise InputError("暂定映射须新增至少一个俗名", field="provisional")
        given = [edit.row for edit in edits if edit.table is WordTable.PROVISIONAL]
        gone = [
            edit.row for edit in names
            if edit.action is Action.REMOVE and edit.row["term"] in self.marked(edit.row["code"])
        ]  # fmt: skip
        follow = [(Action.REMOVE, row) for row in gone] + [(Action.ADD, row) for row in come]
        return [
            *edits,
            *(Edit(WordTable.PROVISIONAL, act, row) for act, row in follow if row not in given),
        ]

    def check(self, edits: Sequence[Edit], day: dt.date) -> None:
        """Raises InputError naming the row, its field and the cure where an edit may not be.

        Of the everyday names only those are looked at that an edited one can clash with.
        """
        if not edits:
            raise InputError("没有要修改的行", field="edits")
        rules = word_rules(self.kb, day)
        words = {edit.word for edit in edits}
        for table in touched(edits):
            try:
                rows = edited(table, self._near(table, edits), edits)
            except NoSuchRowError as error:
                raise InputError(str(error), field=table.word) from None
            for problem in rules.check(table, rows):
                if problem.word in words:
                    raise InputError(str(problem), field=problem.field, table=table.value)
        self._check_marks(edits)
        kept = [edit for edit in edits if edit.action is Action.ADD]
        gone = [edit.row for edit in edits if edit.action is Action.REMOVE]
        if all(edit.row in gone for edit in kept) and len(kept) == len(gone):
            raise InputError("修改前后没有差别", field="edits")

    def _check_marks(self, edits: Sequence[Edit]) -> None:
        """Raises InputError where a name is marked as provisional that is not under its code."""
        come = [e.row for e in edits
                if e.table is WordTable.EVERYDAY_NAMES and e.action is Action.ADD]  # fmt: skip
        for edit in edits:
            if edit.table is WordTable.PROVISIONAL and edit.action is Action.ADD:
                row = edit.row
                if row not in come and row["term"] not in self.names(row["code"]):
                    raise InputError(
                        f"“{row['term'][:40]}”不是该编码的俗名,请同时新增俗名", field="term",
                        table=WordTable.PROVISIONAL.value,
                    )  # fmt: skip

    def _near(self, table: WordTable, edits: Sequence[Edit]) -> list[Row]:
        if table is not WordTable.EVERYDAY_NAMES:
            return self.tables[table]
        keys = dict.fromkeys(name_key(e.word) for e in edits if e.table is table)
        return [row for key in keys for row in self._by_key.get(key, ())]
