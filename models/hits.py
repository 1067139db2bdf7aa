"""Sparse signals of a batch: a hint speaks for few of all (line, code) pairs.

A pair is one number, its flat place: line · n_codes + code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse


@dataclass(frozen=True, slots=True)
class Hits:
    """One signal. place: (n,) flat places, value: (n,) float32; where a place comes twice the
    last value holds."""

    place: np.ndarray
    value: np.ndarray

    @classmethod
    def of(cls, values: Mapping[int, float]) -> Hits:
        return cls(
            np.fromiter(values, np.intp, len(values)),
            np.fromiter(values.values(), np.float32, len(values)),
        )

    def highest(self) -> Hits:
        """The same hits in such an order that the highest value of a place holds."""
        order = np.argsort(self.value, kind="stable")
        return Hits(self.place[order], self.value[order])


NO_HITS = Hits.of({})


def rows_of(
    table: sparse.csr_matrix, rows: Sequence[int] | np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of a table one after another: (place in `rows`, column, value) of every entry."""
    wanted = np.asarray(rows, np.intp)
    start = table.indptr[wanted]
    length = table.indptr[wanted + 1] - start
    owner = np.repeat(np.arange(len(wanted)), length)
    at = np.arange(len(owner)) + (start - np.cumsum(length) + length)[owner]
    return owner, table.indices[at], table.data[at]
