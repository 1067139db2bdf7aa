"""Sparse features of a reading: words, characters, endings, hashed into a fixed space.

Every feature is hashed (crc32) into `N_FEATURES` buckets, so no vocabulary is kept in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from scipy import sparse

from models.reading import Reading
from models.roles import ROLE_WEIGHT

N_FEATURES = 1 << 20
_MASK = N_FEATURES - 1
WORD, BIGRAM, CHAR = 1.0, 0.6, 0.25
ENDS, HEAD = (0.48, 0.8, 0.8), 1.0  # endings of one, two and three characters, and the head


def _bucket(kind: str, text: str) -> int:
    return crc32(f"{kind}{text}".encode()) & _MASK


def features(reading: Reading) -> dict[int, float]:
    """Bucket → weight before idf: what names the thing weighs most, its last noun above all."""
    found: dict[int, float] = {}
    chars = ""
    weights: list[float] = []
    for word, role, in_core in reading.tokens:
        weight = ROLE_WEIGHT.get(role, 0.5) * (1.0 if in_core or role == "side" else 0.8)
        if weight:
            bucket = crc32(f"w{word}".encode()) & _MASK
            found[bucket] = max(found.get(bucket, 0.0), weight * WORD)
            chars += word
            weights.extend([weight] * len(word))
    last = len(chars) - 1
    for i, char in enumerate(chars):
        weight = weights[i]
        if char > "\u2fff":
            bucket = crc32(f"c{char}".encode()) & _MASK
            found[bucket] = max(found.get(bucket, 0.0), weight * CHAR)
        if i < last:
            weight = min(weight, weights[i + 1]) * BIGRAM
            bucket = crc32(f"b{char}{chars[i + 1]}".encode()) & _MASK
            found[bucket] = max(found.get(bucket, 0.0), weight)
    ends = end_buckets(reading.core, reading.head)
    for bucket, weight in zip(ends, (*ENDS[: len(ends) - 1], HEAD), strict=False):
        found[bucket] = max(found.get(bucket, 0.0), weight)
    return found


def end_buckets(core: str, head: str) -> list[int]:
    """Buckets of the core's endings, one to three characters, then of its head."""
    if not core:
        return []
    ends = [_bucket("e", core[-size:]) for size in (1, 2, 3) if len(core) >= size]
    return [*ends, _bucket("h", head)]


def matrix(readings: Sequence[Reading]) -> sparse.csr_matrix:
    """Feature weights, shape (len(readings), N_FEATURES), float32, not normalised."""
    indptr = [0]
    indices: list[int] = []
    data: list[float] = []
    for reading in readings:
        row = features(reading)
        indices.extend(row)
        data.extend(row.values())
        indptr.append(len(indices))
    return sparse.csr_matrix(
        (np.array(data, np.float32), np.array(indices, np.int32), np.array(indptr, np.int32)),
        shape=(len(readings), N_FEATURES),
    )


def scale(rows: sparse.csr_matrix, idf: np.ndarray) -> sparse.csr_matrix:
    """Rows times idf, each of length one."""
    rows = rows.copy()
    rows.data *= idf[rows.indices]
    return unit_rows(rows)


def unit_rows(rows: sparse.csr_matrix) -> sparse.csr_matrix:
    """Each row divided by its length; an empty row stays empty."""
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    squares = np.bincount(owner, rows.data.astype(np.float64) ** 2, minlength=rows.shape[0])
    lengths = np.sqrt(np.maximum(squares, 1e-12)).astype(np.float32)
    return sparse.csr_matrix((rows.data / lengths[owner], rows.indices, rows.indptr), rows.shape)
