"""Candidates: the short-listed codes of a batch, one row of signals each, the ranker's input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz

from models.compiled import Compiled
from models.query import Query

# Signals read from dense arrays, in the order of the feature matrix. Those in RELATIVE are given
# a second time as the distance to the line's best candidate.
DENSE = (
    "official", "tariff", "name", "sample", "vote", "profile", "end1", "end2", "end3", "head",
    "exact", "core_exact", "suffix", "inside", "brand", "maker", "meaning", "declared", "moved",
    "situation",
)  # fmt: skip
RELATIVE = ("official", "name", "sample", "vote", "profile", "end2", "head", "suffix", "inside",
            "brand", "maker", "meaning")  # fmt: skip
STATIC = ("catch_all", "log_terms", "service", "excluded")
PAIR = ("fuzzy", "unit_service", "unit_goods")
GROUP = ("group_vote", "family_vote", "agreement", "rank")
LINE = ("core_length", "best_term", "best_suffix", "n_close")
NAMES = (*DENSE, *(f"{n}_gap" for n in RELATIVE), *STATIC, *PAIR, *GROUP, *LINE)


@dataclass(slots=True)
class Candidates:
    """Short-listed codes of a batch, flattened.

    row, code: (n_pairs,) int32: line and code place; start: (n_lines + 1,) offsets;
    values: (n_pairs, len(NAMES)) float32; term: place of the nearest term, −1 without one.
    """

    row: np.ndarray
    code: np.ndarray
    start: np.ndarray
    values: np.ndarray
    term: np.ndarray


def flatten(
    compiled: Compiled,
    queries: Sequence[Query],
    dense: dict[str, np.ndarray],
    first: np.ndarray,
    top: np.ndarray,
    best_term: np.ndarray,
) -> Candidates:
    """Candidates of the short-listed codes.

    dense: signal → (n_lines, n_codes); first: first-pass scores, likewise; top: (n_lines, size)
    code places, best first; best_term: nearest term of each (line, code).
    """
    n, size = top.shape
    lines = np.arange(n)[:, None]
    block: dict[str, np.ndarray] = {name: dense[name][lines, top] for name in DENSE}
    for name in RELATIVE:
        block[f"{name}_gap"] = block[name] - block[name].max(axis=1, keepdims=True)
    facts = compiled.facts
    term = best_term[lines, top]
    block["catch_all"] = facts.catch_all[top]
    block["service"] = facts.service[top]
    block["log_terms"] = np.log1p(compiled.index.term_count)[top]
    block["excluded"] = _excluded(facts.excluded_terms, queries, top)
    block["fuzzy"] = _fuzzy(compiled.index.terms, queries, term)
    service_unit = np.array([q.unit in compiled.service_units for q in queries])[:, None]
    goods_unit = np.array([q.unit in compiled.goods_units for q in queries])[:, None]
    block["unit_service"] = np.where(service_unit, 1 - 2 * facts.service[top], 0)
    block["unit_goods"] = np.where(goods_unit, 2 * facts.service[top] - 1, 0)
    strength = np.exp(3.0 * (np.take_along_axis(first, top, 1)))
    strength /= strength.sum(axis=1, keepdims=True)
    block["group_vote"] = _shared(strength, facts.group[top])
    block["family_vote"] = _shared(strength, facts.family[top])
    agreeing = ("official", "name", "sample", "profile", "end2", "head", "suffix", "meaning")
    block["agreement"] = sum(
        ((block[f"{s}_gap"] >= 0) & (block[s] > 0)).astype(np.float32) for s in agreeing
    )  # type: ignore[assignment]
    block["rank"] = np.broadcast_to(np.arange(size, dtype=np.float32), (n, size))
    best_any = np.maximum.reduce([block["official"], block["name"], block["sample"]])
    length = np.array([len(q.reading.core) for q in queries], np.float32)[:, None]
    block["core_length"] = np.broadcast_to(length, (n, size))
    block["best_term"] = np.broadcast_to(best_any.max(axis=1, keepdims=True), (n, size))
    block["best_suffix"] = np.broadcast_to(block["suffix"].max(axis=1, keepdims=True), (n, size))
    close = (strength > 0.5 * strength.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True)
    block["n_close"] = np.broadcast_to(close, (n, size))
    # Rounded, so that a line gets the same score alone and in a batch.
    values = np.stack([block[name] for name in NAMES], axis=2).round(4).astype(np.float32)
    return Candidates(
        row=np.repeat(np.arange(n, dtype=np.int32), size),
        code=top.ravel().astype(np.int32),
        start=np.arange(0, n * size + 1, size, dtype=np.int32),
        values=values.reshape(n * size, len(NAMES)),
        term=term.ravel(),
    )


def _excluded(
    moves: Mapping[str, Sequence[tuple[int, int]]], queries: Sequence[Query], top: np.ndarray
) -> np.ndarray:
    """−1 where the official note takes the named goods out of the code, +1 where it sends
    them there."""
    out = np.zeros(top.shape, np.float32)
    for i, query in enumerate(queries):
        core = query.reading.core
        for start in range(len(core) - 1):  # the longest ending first: the shorter one wins
            for source, target in moves.get(core[start:], ()):
                out[i, top[i] == source] = -1.0
                out[i, top[i] == target] = 1.0
    return out


def _fuzzy(terms: Sequence[str], queries: Sequence[Query], term: np.ndarray) -> np.ndarray:
    """Similarity (0–1) of the core and the candidate's nearest term."""
    out = np.zeros(term.shape, np.float32)
    for i, query in enumerate(queries):
        core = query.reading.core
        for j, place in enumerate(term[i, :]):
            if place >= 0:
                out[i, j] = fuzz.ratio(core, terms[place]) / 100
    return out


def _shared(strength: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Per candidate: the strength of all candidates of its group, (n, size)."""
    same = groups[:, :, None] == groups[:, None, :]
    total: np.ndarray = np.einsum("ijk,ik->ij", same, strength).astype(np.float32)
    return total
