"""Matching: a query in, ranked codes with one probability out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from models.calibration import Calibration
from models.candidates import AT, NAMES, Candidates
from models.compiled import Compiled
from models.query import Query
from models.ranking import Ranker
from models.semantic import SemanticRanker
from models.signals import Signals

BATCH = 64
DAYS = 64
# A rule that decides against all other signals: right on about six of seven such names, by eye.
RULED = 0.85
# From this strength on one code alone is called by the whole name: it comes first, and is as sure
# as that at least. Of 16 frozen samples that this moved to another code 11 became right.
SOLE, NAMED = 0.75, 0.7
# So much stronger is the official name of one code than the same word as a keyword of another.
OFFICIALLY = 1.1
ALONE = 99.0  # the lead where all candidates share one 简称


@dataclass(frozen=True, slots=True)
class Match:
    """Ranked codes of one line.

    places: code places, best first; confidence: 0–1 a code, the first being `probability`;
    probability: that the first one's 简称 is right; terms: nearest term of each, −1 without one;
    rows: signals of the short-listed codes as they were listed; order: their ranking; first: the
    signals of the first one.
    """

    places: list[int]
    confidence: list[float]
    probability: float
    terms: list[int]
    rows: np.ndarray
    order: list[int]
    first: list[float]

    @property
    def signals(self) -> np.ndarray:
        """Signals in the order of places, (n, n_signals)."""
        return self.rows[self.order]

    def signal(self, name: str) -> float:
        """A signal of the first one."""
        return self.first[AT[name]]


class Matcher:
    """Compiled knowledge with the learned part: thread-safe, holds no state between calls."""

    def __init__(
        self,
        compiled: Compiled,
        ranker: Ranker,
        calibration: Calibration,
        semantic: SemanticRanker | None = None,
    ):
        self.compiled = compiled
        self.calibration = calibration
        self._signals = Signals(compiled)
        self._ranker = ranker
        self._semantic = semantic
        self.allowed = lru_cache(DAYS)(self._allowed)
        columns = [AT[name] for name in ranker.signals]
        self._columns = slice(None) if columns == list(range(len(NAMES))) else columns

    def match(self, queries: Sequence[Query], on: dt.date) -> list[Match]:
        """One Match a query, with the codes that are valid on the day."""
        matches: list[Match] = []
        for start in range(0, len(queries), BATCH):
            batch = queries[start : start + BATCH]
            found = self._signals.candidates(batch, self.allowed(on))
            scores = self._ranker.score(found.values[:, self._columns])
            matches.extend(self._ranked(batch, found, scores.reshape(len(batch), -1)))
        return matches

    def in_force(self, code: str, on: dt.date) -> bool:
        """Whether a leaf can be answered with on a day."""
        return bool(self.allowed(on)[self._signals.places[code]])

    def _allowed(self, on: dt.date) -> np.ndarray:
        """(n_codes,) bool: the leaves in force on the day."""
        facts = self.compiled.facts
        day = max(on.toordinal(), int(facts.valid_from.min()))  # before the oldest table: that one
        valid: np.ndarray = (facts.valid_from <= day) & (day <= facts.valid_to)
        return valid

    def _ranked(
        self, queries: Sequence[Query], found: Candidates, scores: np.ndarray
    ) -> Iterator[Match]:
        """The matches of a batch; scores: (n_lines, n_candidates)."""
        code, term = found.code.reshape(scores.shape), found.term.reshape(scores.shape)
        order = np.argsort(-scores, axis=1, kind="stable")
        floor, ceiling = np.zeros(len(queries)), np.ones(len(queries))
        moved = np.zeros(len(queries), bool)
        named = _named(found.values[:, AT["exact"]].reshape(scores.shape))
        known = self.compiled.brands.words.keys()
        plain = np.array([[q.reading.is_plain and known.isdisjoint(q.brands)] for q in queries])
        plain &= ~named.any(axis=1, keepdims=True)
        named |= plain & _named(found.values[:, AT["core_exact"]].reshape(scores.shape))
        declared = found.values[:, AT["declared"]].reshape(scores.shape) > 0
        named &= ~declared.any(axis=1, keepdims=True)
        branded = found.values[:, AT["brand"]].reshape(scores.shape) > 0
        branded &= np.array([[q.reading.is_brand] for q in queries])
        for i, query in enumerate(queries):
            if self._semantic is not None:
                scores[i, order[i]] = self._semantic.rescore(
                    query.reading.core, self._texts(term[i, order[i]]), scores[i, order[i]]
                )
                order[i] = np.argsort(-scores[i], kind="stable")
            first = order[i, 0]
            order[i], floor[i], ceiling[i] = self._by_rule(
                query, named[i], branded[i], code[i], order[i]
            )
            if order[i, 0] != first:
                group = self.compiled.facts.group[code[i, [first, order[i, 0]]]]
                moved[i] = group[0] != group[1]
                scores[i, order[i, 0]] = scores[i].max()
        pair = order + np.arange(0, scores.size, scores.shape[1])[:, None]
        ranked, places = scores.take(pair), found.code.take(pair)
        groups = self.compiled.facts.group.take(places)
        margin = np.array([*map(lead, ranked.tolist(), groups.tolist())])
        probability = np.clip(self.calibration.probability(ranked[:, 0], margin), floor, ceiling)
        for i, query in enumerate(queries):
            if query.says_nothing and not query.situation.answered:
                probability[i] = 0.0  # whatever comes first is chance
        odds = 1.0 / (1.0 + np.exp(-ranked))
        # Behind a code that was put first, no other is surer than what is left.
        left = np.where(moved, np.minimum(probability, 1 - probability), probability)
        confidence = left[:, None] * odds / np.maximum(odds[:, :1], 1e-9)
        np.minimum(confidence, probability[:, None], out=confidence)
        confidence[:, 0] = probability
        rows = found.values.reshape(*scores.shape, -1)
        yield from map(
            Match,
            places.tolist(),
            confidence.tolist(),
            probability.tolist(),
            found.term.take(pair).tolist(),
            rows,
            order.tolist(),
            rows[np.arange(len(rows)), order[:, 0]].tolist(),
        )

    def _by_rule(
        self,
        query: Query,
        named: np.ndarray,
        branded: np.ndarray,
        codes: np.ndarray,
        order: np.ndarray,
    ) -> tuple[np.ndarray, float, float]:
        """(order, lowest and highest probability) of a line, after what rules put first.

        named: the candidates that bear the whole name (n_candidates,); branded: those that the
        brand is known for, where it is all that is named; codes: their places.
        """
        situation, category = query.situation, query.situation.category
        if category is not None:
            wanted = self._is_of(situation.support, codes[order])
            if not wanted.any():
                return order, 0.0, 1.0
            order = order[np.argsort(~wanted, kind="stable")]
            if situation.is_vague:  # nothing says which of so many
                return order, 0.0, 1 / len(category.options)
            return order, NAMED if category.is_one else 0.0, RULED
        rank, lowest = None, 0.0
        if situation.decided:
            rank = _first(self._is_of([situation.decided], codes[order]))
        if rank is None and not situation and named.any():
            rank, lowest = int(named[order].argmax()), NAMED
        elif situation.is_open and query.reading.is_bare:
            options = self._is_of(situation.support, codes[order])
            own = options & named[order]
            rank = _first(own if own.any() else options)
        elif rank is None:
            rank = _first(branded[order])
        if rank is None:
            return order, 0.0, 1.0
        before, after = self.compiled.facts.group[codes[order[[0, rank]]]]
        if situation.answered:
            lowest = self.calibration.strong
        highest = 1.0 if situation.answered or before == after else RULED
        return np.array([order[rank], *np.delete(order, rank)]), lowest, highest

    def _is_of(self, wanted: Iterable[str], codes: np.ndarray) -> np.ndarray:
        """Which of the places are those of these codes."""
        places = self._signals.places
        known = [places[code] for code in wanted if code in places]
        found: np.ndarray = np.isin(codes, known) if known else np.zeros(len(codes), bool)
        return found

    def _texts(self, nearest: np.ndarray) -> list[str]:
        """The nearest known name of each candidate; empty without one."""
        terms = self.compiled.index.terms
        return [terms[place] if place >= 0 else "" for place in nearest]


def _first(wanted: np.ndarray) -> int | None:
    """Where the first one wanted stands; None without one."""
    return int(wanted.argmax()) if wanted.any() else None


def _named(exact: np.ndarray) -> np.ndarray:
    """Whether the whole name is that of a candidate and of no other one of the day, or its
    official one. exact: the signal, (n_lines, n_candidates)."""
    second, best = np.partition(exact, -2, axis=1)[:, -2:].T
    alone = (best > 0) & (best >= OFFICIALLY * second)
    named: np.ndarray = (exact >= SOLE) | (alone[:, None] & (exact == best[:, None]))
    return named


def lead(scores: Sequence[float], groups: Sequence[int]) -> float:
    """How far the best score is above the best one of another 简称; scores descending."""
    for score, group in zip(scores, groups, strict=True):
        if group != groups[0]:
            return scores[0] - score
    return ALONE
