"""Candidates: the short-listed codes of a batch, one row of signals each, the ranker's input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz

from models.compiled import Compiled
from models.hits import SIGNALS, Block
from models.quantities import Quantities
from models.query import Query

# The signals of a candidate, in the order of the feature matrix: first what speaks for it by
# itself. Those in RELATIVE are given a second time as the distance to the line's best candidate.
RELATIVE = ("official", "name", "sample", "vote", "profile", "end2", "head", "suffix", "inside",
            "brand", "maker", "meaning")  # fmt: skip
STATIC = ("catch_all", "log_terms", "service", "excluded")
PAIR = ("fuzzy", "unit_service", "unit_goods", "quantity", "quantity_gap")
GROUP = ("group_vote", "family_vote", "agreement", "rank")
LINE = ("core_length", "best_term", "best_suffix", "n_close", "known")
REST = (*STATIC, *PAIR, *GROUP, *LINE)
NAMES = (*SIGNALS, *(f"{n}_gap" for n in RELATIVE), *REST)
AT = {name: place for place, name in enumerate(NAMES)}
RELATIVE_AT = [AT[name] for name in RELATIVE]
# Independent signals whose agreement counts, by their place in RELATIVE.
AGREEING = [
    RELATIVE.index(name)
    for name in ("official", "name", "sample", "profile", "end2", "head", "suffix", "meaning")
]


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
    block: Block,
    grids: Mapping[int, np.ndarray],
    known: np.ndarray,
    first: np.ndarray,
    top: np.ndarray,
) -> Candidates:
    """Candidates of the short-listed codes.

    block, grids: the signals; known: (n_lines,) how much of each name other names share, 0–1;
    first: first-pass scores (n_lines, n_codes); top: (n_lines, size) code places, best first.
    """
    n, size = top.shape
    facts, index = compiled.facts, compiled.index
    place = np.arange(0, first.size, index.n_codes)[:, None] + top
    column = block.column[place]
    term = block.term[column]
    values = np.empty((len(NAMES), n, size), np.float32)
    alone = values[: len(SIGNALS)]
    np.take(block.value, column, axis=1, out=alone, mode="clip")
    for signal, grid in grids.items():
        grid.take(place, out=alone[signal], mode="clip")
    relative = alone[RELATIVE_AT]
    gaps = np.subtract(
        relative, relative.max(axis=2, keepdims=True),
        out=values[len(SIGNALS) : len(SIGNALS) + len(RELATIVE)],
    )  # fmt: skip
    strength = np.exp(3.0 * first.take(place))
    strength /= strength.sum(axis=1, keepdims=True)
    best_any = alone[[AT["official"], AT["name"], AT["sample"]]].max(axis=(0, 2))
    close = (strength > 0.5 * strength.max(axis=1, keepdims=True)).sum(axis=1)
    core_length = np.array([len(query.reading.core) for query in queries])
    service = facts.service[top]
    quantity = _quantity(compiled.quantities, queries, top)
    for at, one in enumerate(
        (
            facts.catch_all[top],
            np.log1p(index.term_count[top]),
            service,
            _excluded(facts.excluded_terms, queries, top),
            _fuzzy(index.terms, queries, term),
            _units(queries, compiled.service_units)[:, None] * (2 * service - 1),
            _units(queries, compiled.goods_units)[:, None] * (1 - 2 * service),
            quantity,
            quantity - quantity.max(axis=1, keepdims=True),
            _shared(strength, facts.group[top]),
            _shared(strength, facts.family[top]),
            ((gaps >= 0) & (relative > 0))[AGREEING].sum(axis=0),
            np.arange(size),
            core_length[:, None],
            best_any[:, None],
            alone[AT["suffix"]].max(axis=1)[:, None],
            close[:, None],
            known[:, None],
        ),
        len(SIGNALS) + len(RELATIVE),
    ):
        values[at] = one
    # Rounded, so that a line gets the same score alone and in a batch.
    values.round(4, out=values)
    return Candidates(
        row=np.repeat(np.arange(n, dtype=np.int32), size),
        code=top.ravel().astype(np.int32),
        start=np.arange(0, n * size + 1, size, dtype=np.int32),
        values=values.reshape(len(NAMES), n * size).T,
        term=term.ravel(),
    )


def _units(queries: Sequence[Query], units: Set[str]) -> np.ndarray:
    """1 for the lines whose unit of measure is one of these."""
    return np.array([query.unit in units for query in queries], np.float32)


def _quantity(quantities: Quantities, queries: Sequence[Query], top: np.ndarray) -> np.ndarray:
    """How well each candidate's goods suit the quantities in the name, specification and unit."""
    rows = [quantities.rows(f"{q.reading.normalised} {q.spec}", q.unit) for q in queries]
    return quantities.support(rows, top)


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
        out[i] = [
            fuzz.ratio(core, terms[place]) / 100 if place >= 0 else 0.0
            for place in term[i].tolist()
        ]
    return out


def _shared(strength: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Per candidate: the strength of all candidates of its group, (n, size)."""
    same = groups[:, :, None] == groups[:, None, :]
    total: np.ndarray = np.einsum("ijk,ik->ij", same, strength).astype(np.float32)
    return total
