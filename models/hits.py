"""Sparse signals of a batch: a hint speaks for few of all (line, code) pairs.

A pair is one number, its flat place: line · n_codes + code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse

# The signals of a pair by itself, in the order in which they are weighed and given to the ranker.
# Independent ones come first: their agreement counts. Those in RELATIVE count also as the distance
# to the line's best candidate.
INDEPENDENT = ("official", "name", "sample", "profile", "end2", "head", "suffix", "meaning")
RELATIVE = (*INDEPENDENT, "vote", "inside", "brand", "maker")
SIGNALS = (*RELATIVE, "tariff", "end1", "end3", "exact", "core_exact", "declared", "moved",
           "situation", "specified")  # fmt: skip
NUMBER = {name: number for number, name in enumerate(SIGNALS)}


class Hits(NamedTuple):
    """What sparse signals say. signal: (n,) numbers of the signals, place: (n,) flat places,
    value: (n,) float32; where a signal has a place twice the last value holds."""

    signal: np.ndarray
    place: np.ndarray
    value: np.ndarray

    @classmethod
    def of(cls, name: str, values: Mapping[int, float]) -> Hits:
        """The hits of one signal: place → value."""
        if not values:
            return NO_HITS
        return cls(
            np.full(len(values), NUMBER[name]),
            np.fromiter(values, np.intp, len(values)),
            np.fromiter(values.values(), np.float32, len(values)),
        )

    @classmethod
    def join(cls, parts: Iterable[Hits]) -> Hits:
        """The hits of all parts, in their order."""
        return cls(*map(np.concatenate, zip(*parts, strict=True)))

    def take(self, chosen: np.ndarray) -> Hits:
        """The hits at these numbers, in their order."""
        return Hits(self.signal.take(chosen), self.place.take(chosen), self.value.take(chosen))

    def highest(self) -> Hits:
        """The same hits in such an order that the highest value of a place holds."""
        return self.take(self.value.argsort(kind="stable")) if len(self.value) > 1 else self


NO_HITS = Hits(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.float32))


@dataclass(slots=True)
class Block:
    """All signals of the pairs that any sparse signal speaks for.

    place: (n_hit,) their flat places, ascending; column: (n_pairs,) int32, column of each pair, 0
    where nothing speaks for it; value: (n_signals, n_hit + 1), the first column empty; term:
    (n_hit + 1,) the nearest term, −1 without one.
    """

    place: np.ndarray
    column: np.ndarray
    value: np.ndarray
    term: np.ndarray

    @classmethod
    def of(cls, hits: Hits, more: np.ndarray, grids: Mapping[int, np.ndarray]) -> Block:
        """more: places that get a column though nothing speaks for them; grids: signals that speak
        for most pairs, by number, each (n_lines, n_codes)."""
        column = np.zeros(next(iter(grids.values())).size, np.int32)
        column[hits.place] = 1
        column[more] = 1
        place = np.flatnonzero(column)
        size = len(place) + 1
        column[place] = np.arange(1, size)
        value = np.zeros((len(SIGNALS), size), np.float32)
        value.reshape(-1)[hits.signal * size + column.take(hits.place)] = hits.value
        for signal, grid in grids.items():
            value[signal, 1:] = grid.take(place)
        return cls(place, column, value, np.full(size, -1, np.int32))

    def near(self, place: np.ndarray, term: np.ndarray) -> None:
        """Give places their nearest terms, of several the last."""
        self.term[self.column.take(place)] = term


def rows_of(
    table: sparse.csr_matrix, rows: Sequence[int] | np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of a table one after another: (place in `rows`, column, value) of every entry."""
    wanted = np.asarray(rows, np.intp)
    start = table.indptr.take(wanted)
    length = table.indptr.take(wanted + 1) - start
    owner = np.arange(len(wanted)).repeat(length)
    at = np.arange(len(owner))
    at += (start - length.cumsum() + length).repeat(length)
    return owner, table.indices.take(at), table.data.take(at)
