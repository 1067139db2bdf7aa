"""The schema, step by step: `schema/NNN_noun.sql`, in the order of their numbers.

A step that was released never changes; a new one gets the next number.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

SCHEMA = Path(__file__).parent / "schema"
MIGRATIONS = Migrations("invoicer")


def statements(script: str) -> Iterator[str]:
    """The statements of a script: sqlite3's own executescript would end the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def subject_key(name: str) -> str:
    """What steps fill the subject of older rows with; the words are loaded when there are such."""
    from invoicer.review import subjects

    return subjects.subject_key(name)


def slice_draw(item: str) -> float:
    """What steps fill the draw of older items with."""
    from invoicer.review import rules

    return rules.slice_draw(item)


def _step(script: str) -> Callable[[Database], None]:
    def apply(db: Database) -> None:
        for function in (subject_key, slice_draw):
            db.register_function(function, deterministic=True, replace=True)
        for statement in statements(script):
            db.execute(statement)

    return apply


for _file in sorted(SCHEMA.glob("*.sql")):
    MIGRATIONS(name=_file.stem)(_step(_file.read_text(encoding="utf-8")))
