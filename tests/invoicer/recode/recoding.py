"""What tests of re-coding share: small tables in files."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from invoicer.recode.pipeline import Outcome

HISTORY = Path(__file__).resolve().parents[3] / "examples" / "history.csv"
Recode = Callable[..., Outcome]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def csv_of(path: Path, *rows: list[str], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return path
