"""Nearest terms: how like each line is to what the codes are called, and how they vote."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy import sparse

from models.features import Rows
from models.hits import NUMBER, Hits, rows_of
from models.index import KEYWORD, NAME, OFFICIAL, SAMPLE, TARIFF, Index

PRUNE = np.float32(0.3)
FLOOR = np.float32(0.05)
FEW = 4  # up to this many lines are multiplied without scipy
KINDS = (("official", OFFICIAL | KEYWORD), ("tariff", TARIFF), ("name", NAME), ("sample", SAMPLE))
_KIND_NUMBER = np.array([NUMBER[name] for name, _ in KINDS])
_KIND_BITS = np.array([[bits] for _, bits in KINDS], np.uint8)


def nearest_terms(
    index: Index, vectors: Rows, hidden: Sequence[np.ndarray] | None
) -> tuple[Hits, np.ndarray, np.ndarray]:
    """The nearest-term signals; with it places and their terms, the nearest one of a place last."""
    n_codes = index.n_codes
    term, data, row = _near(index, vectors, hidden)
    order = np.lexsort((term, data))  # ascending: the last one wins
    term, data, row = term[order], data[order], row[order]
    place = row * n_codes + index.term_code.take(term)
    kind, at = np.nonzero(index.term_kind.take(term) & _KIND_BITS)
    hits = Hits(_KIND_NUMBER.take(kind), place.take(at), data.take(at))
    votes = np.bincount(place, data.astype(np.float64) ** 4)
    voted = np.flatnonzero(votes)
    votes, line = votes.take(voted), voted // n_codes
    share = votes / np.maximum(np.bincount(line, votes).take(line), 1e-9)
    vote = Hits(np.full(len(voted), NUMBER["vote"]), voted, share.astype(np.float32))
    return Hits.join([hits, vote]), place, term


def _near(
    index: Index, vectors: Rows, hidden: Sequence[np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(term, similarity, line) of every term near enough to its line's nearest one."""
    n = len(vectors.start) - 1
    if n <= FEW and hidden is None:
        return _near_few(index, vectors)
    found = (vectors.matrix() @ index.postings).tocsr()
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
    keep = np.flatnonzero(found.data > np.repeat(np.maximum(PRUNE * best, FLOOR), lengths))
    return found.indices[keep], found.data[keep], row[keep]


def _near_few(index: Index, vectors: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same, line by line: only the terms that a line has reached are looked at."""
    parts = []
    for i, (a, b) in enumerate(pairwise(vectors.start.tolist())):
        bucket, term, weight = rows_of(index.postings, vectors.bucket[a:b])
        total = np.zeros(len(index.term_code), np.float32)
        np.add.at(total, term, vectors.weight[a:b].take(bucket) * weight)
        reached = total.take(term)
        limit = max(PRUNE * reached.max(initial=0), FLOOR)
        near = np.sort(term.compress(reached > limit))
        first = np.ones(len(near), bool)
        np.not_equal(near[1:], near[:-1], out=first[1:])
        near = near.compress(first)
        parts.append((near, total.take(near), np.full(len(near), i)))
    term, data, row = (np.concatenate(part) for part in zip(*parts, strict=True))
    return term, data, row


def product(rows: Rows, table: sparse.csr_matrix) -> np.ndarray:
    """rows @ table, dense (n_lines, n_columns)."""
    out = np.zeros((len(rows.start) - 1, table.shape[1]), np.float32)
    at, column, value = rows_of(table, rows.bucket)
    place = rows.owner.take(at) * table.shape[1] + column
    np.add.at(out.reshape(-1), place, rows.weight.take(at) * value)
    return out
