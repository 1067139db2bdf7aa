"""Nearest terms: how like each line is to what the codes are called, and how they vote."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from models.index import KEYWORD, NAME, OFFICIAL, SAMPLE, TARIFF, Index

PRUNE = 0.3
FEW = 4  # up to this many lines are multiplied without scipy


def nearest_terms(
    index: Index,
    vectors: sparse.csr_matrix,
    dense: dict[str, np.ndarray],
    hidden: Sequence[np.ndarray] | None,
) -> np.ndarray:
    """Fill in the nearest-term signals; the nearest term of each (line, code), −1 without."""
    n, n_codes = vectors.shape[0], index.n_codes
    term, data, row = _near(index, vectors, hidden)
    order = np.lexsort((term, data))  # ascending: the last write wins
    term, data, row = term[order], data[order], row[order]
    key = row * n_codes + index.term_code[term]
    kinds = index.term_kind[term]
    for name, bits in (
        ("official", OFFICIAL | KEYWORD),
        ("tariff", TARIFF),
        ("name", NAME),
        ("sample", SAMPLE),
    ):
        chosen = (kinds & bits) > 0
        dense[name].reshape(-1)[key[chosen]] = data[chosen]
    votes = np.bincount(key, data.astype(np.float64) ** 4, minlength=n * n_codes)
    votes = votes.reshape(n, n_codes)
    dense["vote"][:] = votes / np.maximum(votes.sum(axis=1, keepdims=True), 1e-9)
    best_term = np.full(n * n_codes, -1, np.int32)
    best_term[key] = term
    return best_term.reshape(n, n_codes)


def _near(
    index: Index, vectors: sparse.csr_matrix, hidden: Sequence[np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(term, similarity, line) of every term near enough to its line's nearest one."""
    n = vectors.shape[0]
    if n <= FEW and hidden is None:
        dense = product(vectors, index.postings)
        limit = np.maximum(PRUNE * dense.max(axis=1), 0.05)
        places = [np.flatnonzero(dense[i] > limit[i]) for i in range(n)]
        row = np.repeat(np.arange(n), [len(p) for p in places])
        term = np.concatenate(places)
        return term, dense[row, term], row
    found = (vectors @ index.postings).tocsr()
    if hidden is not None:
        for i, gone in enumerate(hidden):
            a, b = found.indptr[i : i + 2]
            found.data[a:b][np.isin(found.indices[a:b], gone)] = 0
    lengths = np.diff(found.indptr)
    row = np.repeat(np.arange(n), lengths)
    best = np.zeros(n, np.float32)
    filled = lengths > 0
    if found.nnz:
        best[filled] = np.maximum.reduceat(found.data, found.indptr[:-1][filled])
    keep = found.data > np.maximum(PRUNE * best[row], 0.05)
    return found.indices[keep], found.data[keep], row[keep]


def product(rows: sparse.csr_matrix, table: sparse.csr_matrix) -> np.ndarray:
    """rows @ table, dense; a few rows are added up slice by slice, which spares scipy's set-up."""
    if rows.shape[0] > FEW:
        dense: np.ndarray = (rows @ table).toarray()
        return dense
    out = np.zeros((rows.shape[0], table.shape[1]), np.float32)
    for i, total in enumerate(out):
        a, b = rows.indptr[i : i + 2]
        for bucket, weight in zip(rows.indices[a:b].tolist(), rows.data[a:b], strict=True):
            start, end = table.indptr[bucket], table.indptr[bucket + 1]
            if start < end:  # a bucket's columns are all different
                total[table.indices[start:end]] += weight * table.data[start:end]
    return out
