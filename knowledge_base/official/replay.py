"""What was imported and edited here, laid on other tables than it was made for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from knowledge_base.official.manifest import VersionInfo
from knowledge_base.official.merge import Edition, merge_table
from knowledge_base.official.row import OfficialRow
from knowledge_base.official.state import table_days
from knowledge_base.word_checks import WordRules
from knowledge_base.word_tables import (
    Action,
    Edit,
    Row,
    WordTable,
    edited,
    read_rows,
    touched,
    write_rows,
)


def lay_tables(
    folder: Path, imports: Iterable[tuple[VersionInfo, Sequence[OfficialRow]]]
) -> None:
    """Merge official tables into the tables of a folder, in the order they were imported."""
    days = table_days(folder)
    newest: dict[str, OfficialRow] = {}
    for info, rows in imports:
        edition = Edition.among(days, info.effective, info.table_version)
        merge_table(folder, folder, rows, edition, newest)
        days.append(info.effective)
        newest = {row.code: row for row in rows} if edition.until is None else newest


def lay_edits(folder: Path, edits: Sequence[Edit], rules: WordRules) -> list[Edit]:
    """Edit the word tables of a folder, and return what they do not take.

    A row that is there already need not come, one that is gone need not go. All edits of a word
    are left out together where its rows would clash with the others or point to a stopped code.
    """
    left_out: list[Edit] = []
    shipped = read_rows(folder, WordTable.EVERYDAY_NAMES)
    for table in touched(edits):
        rows = read_rows(folder, table)
        ours = [edit for edit in edits if edit.table is table]
        if table is WordTable.PROVISIONAL:
            ours = _still_provisional(ours, shipped, read_rows(folder, WordTable.EVERYDAY_NAMES))
        known = set(rules.check(table, rows))
        while True:
            after = edited(table, rows, _due(rows, ours))
            wrong = {problem.word for problem in rules.check(table, after) if problem not in known}
            if not wrong:
                break
            # A clash may be told of the other row, under its own word.
            wrong = wrong & {edit.word for edit in ours} or {edit.word for edit in ours}
            left_out += [edit for edit in ours if edit.word in wrong]
            ours = [edit for edit in ours if edit.word not in wrong]
        write_rows(folder, table, after)
    return left_out


def _due(rows: Sequence[Row], edits: Iterable[Edit]) -> list[Edit]:
    """The edits that still change something."""
    there = {tuple(row.items()) for row in rows}
    due = []
    for edit in edits:
        row = tuple(edit.row.items())
        if (edit.action is Action.ADD) == (row in there):
            continue
        (there.add if edit.action is Action.ADD else there.remove)(row)
        due.append(edit)
    return due


def _still_provisional(
    edits: Iterable[Edit], shipped: Sequence[Row], names: Sequence[Row]
) -> list[Edit]:
    """The marks of names that stand here only because somebody added them."""
    return [
        edit for edit in edits
        if edit.action is Action.REMOVE or (edit.row in names and edit.row not in shipped)
    ]  # fmt: skip
