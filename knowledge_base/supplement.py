"""Confirmed names: what the people of an installation decided and everybody may see."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

FILE = "supplement.csv"


@dataclass(frozen=True, slots=True)
class ConfirmedName:
    """A name with the code people settled on.

    whole: "y" where the name is nothing but what the thing is called, like an everyday name;
    empty where it is a line as written, like a sample.
    """

    code: str
    name: str
    whole: str = ""


COLUMNS = tuple(field.name for field in fields(ConfirmedName))


def read_supplement(path: Path) -> tuple[ConfirmedName, ...]:
    """The rows of a supplement file."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(ConfirmedName(*(row[c] for c in COLUMNS)) for row in csv.DictReader(file))


def write_supplement(path: Path, rows: Iterable[ConfirmedName]) -> None:
    """Rows in a fixed order, each once: the same decisions give the same file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(sorted({astuple(row) for row in rows}))
