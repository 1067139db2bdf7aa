"""Matching: a query in, ranked codes with one probability out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp
from typing import NamedTuple

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


class _Bases(NamedTuple):
    """The signals that rules go by, each a value a candidate."""

    exact: list[float]
    core_exact: list[float]
    declared: list[float]
    brand: list[float]


_BASES_AT = [AT[name] for name in _Bases._fields]


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
        self._ranker = ranker.over(NAMES)  # the signals as they come, none picked out or copied
        self._semantic = semantic
        self.allowed = lru_cache(DAYS)(self._allowed)

    def match(self, queries: Sequence[Query], on: dt.date) -> list[Match]:
        """One Match a query, with the codes that are valid on the day."""
        matches: list[Match] = []
        for start in range(0, len(queries), BATCH):
            batch = queries[start : start + BATCH]
            found = self._signals.candidates(batch, self.allowed(on))
            scores = self._ranker.score(found.values)
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
        rows = found.values.reshape(*scores.shape, -1)
        groups = self.compiled.facts.group.take(found.code).reshape(scores.shape)
        yield from map(
            self._match,
            queries,
            rows,
            map(_Bases._make, rows[:, :, _BASES_AT].transpose(0, 2, 1).tolist()),
            scores.tolist(),
            found.code.reshape(scores.shape).tolist(),
            groups.tolist(),
            found.term.reshape(scores.shape).tolist(),
        )

    def _match(
        self,
        query: Query,
        rows: np.ndarray,
        bases: _Bases,
        scores: list[float],
        codes: list[int],
        groups: list[int],
        terms: list[int],
    ) -> Match:
        """The match of a line; all but the query of each candidate, as they were listed."""
        order = _descending(scores)
        if self._semantic is not None:
            nearest = [self._text(terms[n]) for n in order]
            before = np.array([scores[n] for n in order])
            after = self._semantic.rescore(query.reading.core, nearest, before).tolist()
            for n, score in zip(order, after, strict=True):
                scores[n] = score
            order = _descending(scores)
        best = order[0]
        order, lowest, highest = self._by_rule(query, bases, codes, groups, order)
        first = order[0]
        moved = groups[first] != groups[best]
        scores[first] = scores[best]
        ranked = [scores[n] for n in order]
        margin = lead(ranked, [groups[n] for n in order])
        probability = float(self.calibration.probability(ranked[0], margin))
        probability = min(max(probability, lowest), highest)
        if query.says_nothing and not query.situation.answered:
            probability = 0.0  # whatever comes first is chance
        # Behind a code that was put first, no other is surer than what is left.
        left = min(probability, 1 - probability) if moved else probability
        odds = [1.0 / (1.0 + exp(-score)) for score in ranked]
        return Match(
            places=[codes[n] for n in order],
            confidence=[probability, *[left * (one / odds[0]) for one in odds[1:]]],
            probability=probability,
            terms=[terms[n] for n in order],
            rows=rows,
            order=order,
            first=rows[first].tolist(),
        )

    def _by_rule(
        self,
        query: Query,
        bases: _Bases,
        codes: list[int],
        groups: list[int],
        order: list[int],
    ) -> tuple[list[int], float, float]:
        """(order, lowest and highest probability) of a line, after what rules put first.

        order: numbers of the candidates, best first.
        """
        situation, category = query.situation, query.situation.category
        wanted = self._places(situation.support)
        if category is not None:
            if wanted.isdisjoint(codes):
                return order, 0.0, 1.0
            order = sorted(order, key=lambda n: codes[n] not in wanted)
            if situation.is_vague:  # nothing says which of so many
                return order, 0.0, 1 / len(category.options)
            return order, NAMED if category.is_one else 0.0, RULED
        named = self._named(query, bases)
        first, lowest = None, 0.0
        if situation.decided:
            decided = self._places([situation.decided])
            first = next((n for n in order if codes[n] in decided), None)
        if first is None and not situation and named:
            first, lowest = next(n for n in order if n in named), NAMED
        elif situation.is_open and query.reading.is_bare:
            options = [n for n in order if codes[n] in wanted]
            own = [n for n in options if n in named]
            first = next(iter(own or options), None)
        elif first is None and query.reading.is_brand:
            first = next((n for n in order if bases.brand[n] > 0), None)
        if first is None:
            return order, 0.0, 1.0
        if situation.answered:
            lowest = self.calibration.strong
        highest = 1.0 if situation.answered or groups[first] == groups[order[0]] else RULED
        return [first, *(n for n in order if n != first)], lowest, highest

    def _named(self, query: Query, bases: _Bases) -> set[int]:
        """The candidates that bear the whole name; where none does and nothing else is said of
        the goods, those that bear the core product's. None beside a declared code or 简称."""
        if any(bases.declared):
            return set()
        named = _bearing(bases.exact)
        if named or not query.reading.is_plain:
            return named
        branded = not self.compiled.brands.words.keys().isdisjoint(query.brands)
        return set() if branded else _bearing(bases.core_exact)

    def _text(self, term: int) -> str:
        """A known name; empty without one."""
        return self.compiled.index.terms[term] if term >= 0 else ""

    def _places(self, codes: Iterable[str]) -> set[int]:
        """The places of these codes, of those that there are."""
        places = self._signals.places
        return {places[code] for code in codes if code in places}


def _descending(scores: list[float]) -> list[int]:
    """The numbers of the scores, the highest first; of equal ones in their order."""
    return sorted(range(len(scores)), key=scores.__getitem__, reverse=True)


def _bearing(exact: list[float]) -> set[int]:
    """The candidates whose name alone, or official name, it is. exact: the signal."""
    best = max(exact)
    if best <= 0:
        return set()
    others = sorted(exact)
    alone = len(others) < 2 or best >= OFFICIALLY * others[-2]
    return {n for n, value in enumerate(exact) if value >= SOLE or (alone and value == best)}


def lead(scores: Sequence[float], groups: Sequence[int]) -> float:
    """How far the best score is above the best one of another 简称; scores descending."""
    for score, group in zip(scores, groups, strict=True):
        if group != groups[0]:
            return scores[0] - score
    return ALONE
