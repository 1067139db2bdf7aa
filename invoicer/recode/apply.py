"""What people decided, written back into a finished output."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from invoicer.assistant import Assistant
from invoicer.batch import NO_DEFAULTS, Defaults
from invoicer.columns import known_fields
from invoicer.errors import InputError
from invoicer.readers import read_table
from invoicer.recode.findings import Finding
from invoicer.recode.forms import KEEPERS, OutRow, join
from invoicer.recode.judge import Judge
from invoicer.recode.judging import NO_MONEY, money_of
from invoicer.recode.lines import Heads, Row, row_of
from invoicer.recode.options import FORMS
from invoicer.recode.sources import PART_ROWS, SOURCE_COLUMN, places_of
from invoicer.recode.verdict import RECODE_COLUMNS
from invoicer.review import memory
from invoicer.review.items import Identity, identity
from invoicer.settings import Settings
from invoicer.store import Store
from invoicer.suggestion import Tier
from invoicer.table import BrokenRow

WIDTH = len(RECODE_COLUMNS)
AT = {name: i - WIDTH for i, name in enumerate(RECODE_COLUMNS)}  # places from the end of a row


def apply_reviews(
    assistant: Assistant,
    path: Path,
    tenant: str,
    raw: bool,
    mapping: Mapping[str, str] | None = None,
    defaults: Defaults = NO_DEFAULTS,
) -> tuple[int, int]:
    """(rows that people have decided, rows that still wait); the file is replaced whole.

    mapping, defaults: those of the run. Raises InputError where the file is no output of ours.
    """
    table = read_table(path, raw)
    header = table.header
    form = path.suffix.lower().lstrip(".")
    if tuple(header[-WIDTH:]) != RECODE_COLUMNS or form not in FORMS:
        raise InputError(f"{path.name} 不是 invoicer recode 的输出文件", file=str(path))
    writer = _Applier(assistant, header, tenant, mapping or {}, defaults)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        parts: list[Path] = []
        done = 0
        while rows := list(islice(table.rows, PART_ROWS)):
            numbers = table.numbers(done, done + len(rows))
            for number, cells in zip(numbers, rows, strict=True):
                if isinstance(cells, BrokenRow):  # what it held would be lost
                    raise InputError(f"{path.name} 第 {number} 行{cells.why}", file=str(path))
            done += len(rows)
            part = Path(folder) / f"{len(parts):06d}"
            part.write_bytes(KEEPERS[form](writer.rows(rows), header, raw))
            parts.append(part)
        whole = Path(folder) / f"whole.{form}"
        join(form, parts, header, whole)
        os.replace(whole, path)
    return writer.applied, writer.waiting


class _Applier:
    """Rewrites rows of an output. applied, waiting: how many so far."""

    def __init__(
        self,
        assistant: Assistant,
        header: Sequence[str],
        tenant: str,
        mapping: Mapping[str, str],
        defaults: Defaults,
    ):
        self._judge = Judge(assistant)
        self._rates = assistant.rate_table
        self._columns = _columns_of(header[:-WIDTH], mapping)
        self._places = {field: i for i, field in enumerate(self._columns)}
        self._defaults = defaults
        self._heads, self._source = Heads(self._places), ""
        self._tenant = tenant
        self._store = Store.open(Settings().database)
        self._versions = {
            "model_version": assistant.model_version,
            "kb_version": assistant.kb_version,
        }
        self.applied = self.waiting = 0

    def rows(self, rows: Sequence[list[str]]) -> Iterator[OutRow]:
        read = [self._read(cells[:-WIDTH]) for cells in rows]
        asked = [self._identity(c, row) for c, row in zip(rows, read, strict=True)]
        waited = [
            (row.line, who)
            for row, who in zip(read, asked, strict=True)
            if row.line is not None and who is not None
        ]
        lines, questions = [line for line, _ in waited], [who for _, who in waited]
        answers = iter(memory.settled(self._store, self._tenant, lines, questions))
        for cells, row, who in zip(rows, read, asked, strict=True):
            confirmed = next(answers) if who is not None else None
            if confirmed is not None and row.line is not None:
                self.applied += cells[AT["tier"]] != Tier.STRONG
                yield self._settled(cells, row, confirmed.code)
            else:
                self.waiting += who is not None
                yield _as_it_was(cells)

    def _read(self, cells: Sequence[str]) -> Row:
        """The row as it was judged."""
        fields = [
            next((cells[i] for i in columns if cells[i]), "") for columns in self._columns.values()
        ]
        if (source := fields[self._places[SOURCE_COLUMN]]) != self._source:
            self._heads, self._source = Heads(self._places), source
        return row_of(fields, self._places, self._defaults, self._heads)

    def _identity(self, cells: Sequence[str], row: Row) -> Identity | None:
        """The question that was handed over with a row; None where none was."""
        item = cells[AT["review_id"]]
        if not item or row.line is None:
            return None
        who = identity(self._tenant, row.line, self._rates)
        return who if who.item == item else Identity("", item)

    def _settled(self, cells: Sequence[str], row: Row, code: str) -> OutRow:
        if row.line is None:
            raise ValueError("a row without a line has no decision")
        verdict = self._judge.settle(row.line, row.fields, code)
        answer: dict[str, Any] = {
            **NO_MONEY,
            **verdict.to_row(),
            **money_of(row.fields, verdict)[1],
            "review_id": cells[AT["review_id"]],
            **self._versions,
        }
        return OutRow(cells[:-WIDTH], answer, verdict.severity)


def _columns_of(header: Sequence[str], mapping: Mapping[str, str]) -> dict[str, list[int]]:
    """Field → its columns, and that which names the input: several inputs may each have had their
    own title for it, and a row has the cell of one."""
    several = header[-1] == SOURCE_COLUMN
    columns = {field: [i] for field, i in places_of(header, mapping).items()}
    taken = {i for found in columns.values() for i in found}
    for i, title in enumerate(header if several else ()):
        for field in known_fields([title]) if i not in taken else ():
            columns.setdefault(field, []).append(i)
    return {**columns, SOURCE_COLUMN: [len(header) - 1] if several else []}


def _as_it_was(cells: Sequence[str]) -> OutRow:
    answer: dict[str, Any] = dict(zip(RECODE_COLUMNS, cells[-WIDTH:], strict=True))
    answer["candidates"] = orjson.dumps(orjson.loads(answer["candidates"] or "[]")).decode()
    if answer["confidence"]:
        answer["confidence"] = float(answer["confidence"])
    severity = max(
        (int(kind.severity) for kind in Finding if f"{kind.label}:" in answer["findings"]),
        default=0,
    )
    return OutRow(cells[:-WIDTH], answer, severity)
