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
    _columns: np.ndarray = field(init=False, repr=False)
    _ranks: list[tuple[int, int]] = field(init=False, repr=False)
    _place: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        counts = np.diff(self.start)
        order = np.argsort(-counts, kind="stable")
        first = self.start[:-1][order]
        sizes = [int((counts > k).sum()) for k in range(int(counts.max()))]
        centres = np.concatenate([first[:size] + k for k, size in enumerate(sizes)])
        self._columns = _whole(self.centres[centres].T)  # every code's first, then its second …
        self._ranks = list(pairwise(np.cumsum([0, *sizes]).tolist()))
        self._place = np.argsort(order)
        _one_thread()

    def similarity(self, raw: Rows) -> np.ndarray:
        """Highest cosine of each line with a code's centres: (n_lines, n_codes) float32.

        raw: feature weights before idf.
        """
        vectors = _whole(embed(raw, self.buckets, self.vectors, self.scale))
        products = vectors @ self._columns
        best = products[:, : len(self._place)]
        for begin, end in self._ranks[1:]:
            part = best[:, : end - begin]
            np.maximum(part, products[:, begin:end], out=part)
        ordered: np.ndarray = best.take(self._place, axis=1)
        ordered *= np.float32(1 / WHOLE**2)
        return ordered


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
    total *= scale
    unit: np.ndarray = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)
    return unit.astype(np.float32)


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


def _unit(vector: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return unit
