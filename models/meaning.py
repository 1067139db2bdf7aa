"""Neighbours in meaning: distilled vectors of words and characters, and each code's centres.

`scripts/distil_meaning.py` makes the vectors once from a multilingual embedding model; here they
are only added up: a name's vector is the weighted sum of its features' vectors. Each code has up
to CENTRES centres, the means of groups of its names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from models.features import Rows

CENTRES = 6
NAMES_PER_CENTRE = 10
ROUNDS = 4
CHUNK = 4000
WHOLE = 2000.0  # sums of products of unit vectors stay below WHOLE², far below 2²⁴
FILE = "meaning.npz"


@dataclass(slots=True)
class Meaning:
    """buckets: (n,) int32 ascending feature buckets; vectors: (n, dim) int8; scale: (dim,);
    centres: (n_centres, dim) float32 unit rows; start: (n_codes + 1,) offsets of each code's
    centres, every code having at least one."""

    buckets: np.ndarray
    vectors: np.ndarray
    scale: np.ndarray
    centres: np.ndarray
    start: np.ndarray
    _means: np.ndarray = field(init=False, repr=False)
    _whole: np.ndarray = field(init=False, repr=False)
    _own: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        means = np.add.reduceat(self.centres, self.start[:-1], axis=0)
        self._means = _whole(_units(means).T)
        self._whole = _whole(self.centres)
        # The numbers of each code's centres; one of fewer has its last one several times.
        counts = np.diff(self.start)[:, None]
        self._own = self.start[:-1, None] + np.minimum(np.arange(counts.max()), counts - 1)
        _one_thread()

    def embedded(self, raw: Rows) -> np.ndarray:
        """Vectors of lines, (n_lines, dim) in whole steps. raw: feature weights before idf."""
        return _whole(embed(raw, self.buckets, self.vectors, self.scale))

    def roughly(self, lines: np.ndarray) -> np.ndarray:
        """Cosine of each line with the mean of every code's centres: (n_lines, n_codes)."""
        rough: np.ndarray = lines @ self._means
        rough *= np.float32(1 / WHOLE**2)
        return rough

    def closely(self, lines: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Highest cosine of each line with a centre of some codes. codes: (n_lines, n) places."""
        centres = self._whole.take(self._own.take(codes, axis=0).reshape(len(codes), -1), axis=0)
        products = np.matmul(centres, lines[:, :, None]).reshape(*codes.shape, -1)
        close: np.ndarray = products.max(axis=2) * np.float32(1 / WHOLE**2)
        return close


def _whole(unit: np.ndarray) -> np.ndarray:
    """Unit vectors in whole steps: their products are exact in single precision, whatever the
    order of summing, so that a line comes out the same alone and in a batch."""
    steps: np.ndarray = np.ascontiguousarray(np.round(unit * WHOLE), np.float32)
    return steps


@cache
def _one_thread() -> None:
    """One thread for a product, from now on: several processes and requests share the cores, and
    waking others takes longer than what they would do."""
    threadpool_limits(limits=1, user_api="blas")


def embed(raw: Rows, buckets: np.ndarray, vectors: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Unit vectors (n_lines, dim) of feature rows; zero where no feature is known."""
    place = buckets.searchsorted(raw.bucket)
    weights = raw.weight * (buckets.take(place, mode="clip") == raw.bucket)
    filled = np.flatnonzero(np.diff(raw.start))
    total = np.zeros((len(raw.start) - 1, vectors.shape[1]), np.float32)
    if len(filled):
        parts = weights[:, None] * vectors.take(place, axis=0, mode="clip")
        total[filled] = np.add.reduceat(parts, raw.start[filled], axis=0)
    return _units(total * scale)


def compile_meaning(
    root: Path, raw: sparse.csr_matrix, term_code: np.ndarray, weight: np.ndarray, n_codes: int
) -> Meaning:
    """Centres of every code from its terms' feature rows (n_terms, N_FEATURES).

    weight: (n_terms,) how much each term counts; terms of weight 0 are left out.
    """
    with np.load(root / FILE, allow_pickle=False) as stored:
        buckets, vectors, scale = stored["buckets"], stored["vectors"], stored["scale"]
    rows = np.concatenate(
        [
            embed(Rows.of(raw[at : at + CHUNK]), buckets, vectors, scale)
            for at in range(0, raw.shape[0], CHUNK)
        ]
    )
    order = np.argsort(term_code, kind="stable")
    order = order[weight[order] > 0]
    bounds = np.searchsorted(term_code[order], np.arange(n_codes + 1))
    centres: list[np.ndarray] = []
    start = [0]
    for a, b in pairwise(bounds):
        own = order[a:b]
        found = _centres(rows[own], weight[own]) if b > a else np.zeros((1, rows.shape[1]))
        centres.append(found)
        start.append(start[-1] + len(found))
    return Meaning(
        buckets,
        vectors,
        scale,
        np.concatenate(centres).astype(np.float32),
        np.array(start, np.int32),
    )


def _centres(rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Spherical k-means, seeded by farthest points: deterministic."""
    k = min(CENTRES, 1 + len(rows) // NAMES_PER_CENTRE)
    chosen = [_unit((rows * weight[:, None]).sum(axis=0))]
    nearest = rows @ chosen[0]
    while len(chosen) < k:
        chosen.append(rows[int(nearest.argmin())])
        nearest = np.maximum(nearest, rows @ chosen[-1])
    centres = np.stack(chosen)
    for _ in range(ROUNDS if k > 1 else 0):
        owner = (rows @ centres.T).argmax(axis=1)
        for c in range(k):
            own = owner == c
            if own.any():
                centres[c] = _unit((rows[own] * weight[own, None]).sum(axis=0))
    return centres


def _units(rows: np.ndarray) -> np.ndarray:
    """Each row divided by its length; one of zeros stays."""
    lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    units: np.ndarray = rows / np.maximum(lengths, np.float32(1e-9))
    return units


def _unit(vector: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return unit
