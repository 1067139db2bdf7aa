"""Labelled lines: what a set of right answers looks like and how it is read."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LabelledLine:
    """A line with its right answers: any of the codes, any of the 简称 counts as right.

    row: the line's fields as read (name, spec, unit, brand, manufacturer …).
    """

    name: str
    codes: frozenset[str]
    short_names: frozenset[str]
    row: Mapping[str, str] = field(default_factory=dict)


def parse_labels(row: Mapping[str, str]) -> LabelledLine:
    """A row with `name` and `code` and/or `short_name`; answers joined by `|`."""

    def answers(key: str) -> frozenset[str]:
        return frozenset(a.strip() for a in (row.get(key) or "").split("|") if a.strip())

    return LabelledLine(row["name"], answers("code"), answers("short_name"), row)


def read_labelled(path: Path) -> list[LabelledLine]:
    """Labelled rows of a CSV file in UTF-8."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [parse_labels(row) for row in csv.DictReader(file)]
