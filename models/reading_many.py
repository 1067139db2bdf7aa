"""Reading very many names at once, with all cores where the platform can fork."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from scipy import sparse

from models import features
from models.reading import Reader, Reading

CHUNK = 4000
PARALLEL_FROM = 4 * CHUNK
Progress = Callable[[str, int, int], None]


class TermReading(NamedTuple):
    """What is kept of a term's reading: the parts that indexes are made of.

    letters: every character that was looked at, as typed or in standard words, each once.
    """

    normalised: str
    core: str
    head: str
    letters: str
    brands: tuple[str, ...]


_reader: Reader | None = None  # inherited by forked workers


def read_many(
    reader: Reader, texts: Sequence[str], progress: Progress | None = None
) -> tuple[list[TermReading], sparse.csr_matrix]:
    """Readings of the texts and their feature rows (n_texts, N_FEATURES), in order."""
    readings: list[TermReading] = []
    blocks: list[sparse.csr_matrix] = []
    for part, block in _chunks(reader, texts):
        readings.extend(part)
        blocks.append(block)
        if progress is not None:
            progress("阅读名称", len(readings), len(texts))
    return readings, sparse.vstack(blocks, format="csr")


def _chunks(
    reader: Reader, texts: Sequence[str]
) -> Iterator[tuple[list[TermReading], sparse.csr_matrix]]:
    global _reader
    chunks = [texts[i : i + CHUNK] for i in range(0, len(texts), CHUNK)] or [texts]
    workers = min(os.cpu_count() or 1, 8)
    can_fork = "fork" in multiprocessing.get_all_start_methods()
    if workers < 2 or len(texts) < PARALLEL_FROM or not can_fork:
        for chunk in chunks:
            yield _read(reader, chunk)
        return
    _reader = reader
    try:
        with multiprocessing.get_context("fork").Pool(workers) as pool:
            yield from pool.imap(_read_inherited, chunks)
    finally:
        _reader = None


def _read_inherited(texts: Sequence[str]) -> tuple[list[TermReading], sparse.csr_matrix]:
    if _reader is None:
        raise RuntimeError("no reader was inherited")
    return _read(_reader, texts)


def _read(reader: Reader, texts: Sequence[str]) -> tuple[list[TermReading], sparse.csr_matrix]:
    found = [reader.read(text) for text in texts]
    kept = [TermReading(r.normalised, r.core, r.head, _letters(r), r.brands) for r in found]
    return kept, features.rows(found).matrix()


def _letters(reading: Reading) -> str:
    looked_at = "".join((reading.normalised, reading.clean, *reading.remarks))
    return "".join(sorted(set(looked_at)))
