"""Reading the project's CSV tables: rows as dictionaries, lists split, dates parsed."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path

DATA = Path(__file__).parent / "data"


def rows(table: str, root: Path = DATA) -> Iterator[dict[str, str]]:
    """Rows of `<table>.csv`, keyed by its header."""
    path = root / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def columns(table: str, *names: str, root: Path = DATA) -> Iterator[list[str]]:
    """The named columns of `<table>.csv` as lists: the fast way through a long table."""
    with (root / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        places = [header.index(name) for name in names]
        for row in reader:
            yield [row[i] for i in places]


def split(text: str) -> tuple[str, ...]:
    """`a|b|c` as a tuple; empty for an empty cell."""
    return tuple(text.split("|")) if text else ()


def day(text: str) -> dt.date | None:
    """An ISO date, or None for an empty cell."""
    return dt.date.fromisoformat(text) if text else None


def fingerprint(root: Path = DATA) -> str:
    """SHA-256 over every data file: the identity of what is known."""
    digest = hashlib.sha256()
    for path in sorted(root.iterdir()):
        if path.suffix in {".csv", ".npz", ".json"}:
            digest.update(path.name.encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
