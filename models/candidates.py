"""Candidates: the short-listed codes of a batch, one row of signals each, the ranker's input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz

from models.compiled import Compiled
from models.hits import INDEPENDENT, RELATIVE, SIGNALS, Block
from models.quantities import Quantities
from models.query import Query

# The signals of a candidate, in the order of the feature matrix: first what speaks for it by
# itself, then how far that is behind the line's best candidate.
STATIC = ("catch_all", "log_terms", "service", "excluded")
PAIR = ("fuzzy", "unit_service", "unit_goods", "quantity", "quantity_gap")
GROUP = ("group_vote", "family_vote", "agreement", "rank")
LINE = ("core_length", "best_term", "best_suffix", "n_close", "known")
REST = (*STATIC, *PAIR, *GROUP, *LINE)
NAMES = (*SIGNALS, *(f"{n}_gap" for n in RELATIVE), *REST)
AT = {name: place for place, name in enumerate(NAMES)}
TERMS = slice(AT["official"], AT["sample"] + 1)  # the nearest term of each kind but tariff names


@dataclass(slots=True)
class Candidates:
    """Short-listed codes of a batch, flattened.

    code: (n_pairs,) code places; values: (n_pairs, len(NAMES)) float32; term: place of the nearest
    term, −1 without one.
    """

    code: np.ndarray
    values: np.ndarray
    term: np.ndarray


def code_table(compiled: Compiled) -> np.ndarray:
    """What is known of every code by itself: catch-all, terms, service; then the numbers of its
    简称 and family, (5, n_codes) float32."""
    facts = compiled.facts
    terms = np.log1p(compiled.index.term_count)
    rows = (facts.catch_all, terms, facts.service, facts.group, facts.family)
    return np.stack(rows).astype(np.float32)


def flatten(
    compiled: Compiled,
    codes: np.ndarray,
    queries: Sequence[Query],
    block: Block,
    grids: Mapping[int, np.ndarray],
    known: np.ndarray,
    first: np.ndarray,
    top: np.ndarray,
) -> Candidates:
    """Candidates of the short-listed codes.

    codes: the code table; block, grids: the signals; known: (n_lines,) how much of each name other
    names share, 0–1; first: first-pass scores (n_lines, n_codes); top: (n_lines, size) code places,
    best first.
    """
    n, size = top.shape
    place = np.arange(0, first.size, first.shape[1])[:, None] + top
    column = block.column.take(place)
    term = block.term.take(column)
    values = np.empty((len(NAMES), n, size), np.float32)
    alone, gaps = values[: len(SIGNALS)], values[len(SIGNALS) : len(SIGNALS) + len(RELATIVE)]
    np.take(block.value, column, axis=1, out=alone, mode="clip")
    for signal, grid in grids.items():
        np.take(grid, place, out=alone[signal], mode="clip")
    relative = alone[: len(RELATIVE)]
    best = relative.max(axis=2, keepdims=True)
    np.subtract(relative, best, out=gaps)
    independent = relative[: len(INDEPENDENT)]
    strength = np.exp(3.0 * first.take(place))
    close = strength > 0.5 * strength.max(axis=1, keepdims=True)
    strength /= strength.sum(axis=1, keepdims=True)
    static = codes.take(top, axis=1)
    group = static[3:]
    same = group[:, :, :, None] == group[:, :, None, :]
    quantity = _quantity(compiled.quantities, queries, top)
    goods = 1 - 2 * static[2]
    values[AT["catch_all"] : AT["service"] + 1] = static[:3]
    values[AT["excluded"]] = _excluded(compiled.facts.excluded_terms, queries, top)
    values[AT["fuzzy"]] = _fuzzy(compiled.index.terms, queries, term)
    values[AT["unit_service"]] = _units(queries, compiled.service_units) * -goods
    values[AT["unit_goods"]] = _units(queries, compiled.goods_units) * goods
    values[AT["quantity"]] = quantity
    values[AT["quantity_gap"]] = quantity - quantity.max(axis=1, keepdims=True)
    # The strength of all candidates of the same 简称, of the same family.
    values[AT["group_vote"] : AT["family_vote"] + 1] = np.einsum("gijk,ik->gij", same, strength)
    # Of how many independent signals a candidate is the line's best.
    agreeing = (independent > 0) & (independent >= best[: len(INDEPENDENT)])
    values[AT["agreement"]] = agreeing.sum(axis=0)
    values[AT["rank"]] = np.arange(size)
    values[AT["core_length"]] = [[len(query.reading.core)] for query in queries]
    values[AT["best_term"]] = best[TERMS].max(axis=0)
    values[AT["best_suffix"]] = best[AT["suffix"]]
    values[AT["n_close"]] = close.sum(axis=1, keepdims=True)
    values[AT["known"]] = known[:, None]
    # Rounded, so that a line gets the same score alone and in a batch.
    values.round(4, out=values)
    return Candidates(
        code=top.reshape(-1), values=values.reshape(len(NAMES), -1).T, term=term.reshape(-1)
    )


def _units(queries: Sequence[Query], units: Set[str]) -> np.ndarray:
    """1 for the lines whose unit of measure is one of these, (n_lines, 1)."""
    return np.array([[query.unit in units] for query in queries], np.float32)


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
