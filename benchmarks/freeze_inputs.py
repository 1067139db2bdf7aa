"""Write the frozen inputs of the speed benchmark: run once, then left alone.

    python benchmarks/freeze_inputs.py

Both files stay as they are when the knowledge base grows, so that figures of different days can
be compared; `README.md` holds their hashes.
"""

from __future__ import annotations

import csv
import datetime as dt
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from knowledge_base import KnowledgeBase
from knowledge_base.tables import columns

HERE = Path(__file__).parent
DAY = dt.date(2026, 1, 1)
SEED = 20260101
N_NAMES = 500


def naive_terms(kb: KnowledgeBase) -> list[tuple[str, str]]:
    """(code, term): official name, keywords and includes of every leaf in force on DAY."""
    terms: dict[tuple[str, str], None] = {}
    for leaf in kb.taxonomy.leaves():
        if leaf.is_valid_on(DAY):
            for term in (leaf.name, *leaf.keywords, *leaf.includes):
                if term.strip():
                    terms[leaf.code, term] = None
    return list(terms)


def sample_names() -> list[tuple[str]]:
    """N_NAMES different names of `samples.csv`."""
    names = sorted({name for (name,) in columns("samples", "name")})
    return [(name,) for name in random.Random(SEED).sample(names, N_NAMES)]


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    write(HERE / "naive_terms.csv", ("code", "term"), naive_terms(KnowledgeBase.load()))
    write(HERE / "names_500.csv", ("name",), sample_names())
