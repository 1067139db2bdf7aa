"""Sparse features of a reading: words, characters, endings, hashed into a fixed space.

Every feature is hashed (crc32) into `N_FEATURES` buckets, so no vocabulary is kept in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

import numpy as np
from scipy import sparse

from models.reading import Reading
from models.roles import ROLE_WEIGHT

N_FEATURES = 1 << 20
_MASK = N_FEATURES - 1
CACHED = 1 << 15
WORD, BIGRAM, CHAR = 1.0, 0.6, 0.25
ENDS, HEAD = (0.48, 0.8, 0.8), 1.0  # endings of one, two and three characters, and the head


class Rows(NamedTuple):
    """Weights of several readings, one after another. start: (n + 1,) offsets of each reading;
    owner: number of the reading that each weight belongs to; bucket: int32, weight: float32."""

    start: np.ndarray
    owner: np.ndarray
    bucket: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, table: sparse.csr_matrix) -> Rows:
        owner = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
        return cls(table.indptr, owner, table.indices, table.data)

    def matrix(self) -> sparse.csr_matrix:
        """The same as a matrix (n, N_FEATURES)."""
        shape = (len(self.start) - 1, N_FEATURES)
        return sparse.csr_matrix((self.weight, self.bucket, self.start), shape)

    def scaled(self, idf: np.ndarray) -> Rows:
        """Times idf, each reading of length one."""
        return self._replace(weight=self.weight * idf.take(self.bucket)).unit()

    def unit(self) -> Rows:
        """Each reading divided by its length; an empty one stays empty."""
        squares = np.bincount(
            self.owner, self.weight.astype(np.float64) ** 2, minlength=len(self.start) - 1
        )
        lengths = np.sqrt(np.maximum(squares, 1e-12)).astype(np.float32)
        return self._replace(weight=self.weight / lengths.take(self.owner))


@lru_cache(CACHED)
def _bucket(feature: str) -> int:
    return crc32(feature.encode()) & _MASK


def features(reading: Reading) -> dict[int, float]:
    """Bucket → weight before idf: what names the thing weighs most, its last noun above all."""
    found: dict[int, float] = {}
    chars = ""
    weights: list[float] = []

    def add(bucket: int, weight: float) -> None:
        if weight > found.get(bucket, 0.0):
            found[bucket] = weight

    for word, role, in_core in reading.tokens:
        weight = ROLE_WEIGHT.get(role, 0.5) * (1.0 if in_core or role == "side" else 0.8)
        if weight:
            add(_bucket(f"w{word}"), weight * WORD)
            chars += word
            weights.extend([weight] * len(word))
    last = len(chars) - 1
    for i, char in enumerate(chars):
        if char > "\u2fff":
            add(_bucket(f"c{char}"), weights[i] * CHAR)
        if i < last:
            add(_bucket(f"b{chars[i : i + 2]}"), min(weights[i], weights[i + 1]) * BIGRAM)
    ends = end_buckets(reading.core, reading.head)
    for bucket, weight in zip(ends, (*ENDS[: len(ends) - 1], HEAD), strict=False):
        add(bucket, weight)
    return found


def end_buckets(core: str, head: str) -> list[int]:
    """Buckets of the core's endings, one to three characters, then of its head."""
    if not core:
        return []
    ends = [_bucket(f"e{core[-size:]}") for size in (1, 2, 3) if len(core) >= size]
    return [*ends, _bucket(f"h{head}")]


def rows(readings: Sequence[Reading]) -> Rows:
    """Feature weights of the readings, not normalised."""
    start = [0]
    owner: list[int] = []
    buckets: list[int] = []
    weights: list[float] = []
    for number, reading in enumerate(readings):
        row = features(reading)
        owner += [number] * len(row)
        buckets += row
        weights += row.values()
        start.append(len(buckets))
    return Rows(
        np.array(start, np.int32),
        np.array(owner, np.intp),
        np.array(buckets, np.int32),
        np.array(weights, np.float32),
    )
