"""Matching: a query in, ranked codes with one probability out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
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
ALONE = 99.0  # the lead where all candidates share one 简称


@dataclass(frozen=True, slots=True)
class Match:
    """Ranked codes of one line.

    places: code places, best first; confidence: 0–1 a code, the first being `probability`;
    probability: that the first one's 简称 is right; signals: (n, n_signals) rows in the order of
    places; terms: nearest term of each, −1 without one.
    """

    places: list[int]
    confidence: list[float]
    probability: float
    signals: np.ndarray
    terms: list[int]

    def signal(self, name: str) -> float:
        """A signal of the first one."""
        return float(self.signals.item(0, AT[name]))


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
        floor = np.zeros(len(queries))
        for i, query in enumerate(queries):
            if self._semantic is not None:
                scores[i, order[i]] = self._semantic.rescore(
                    query.reading.core, self._texts(term[i, order[i]]), scores[i, order[i]]
                )
                order[i] = np.argsort(-scores[i], kind="stable")
            settled = self._settled(query, code[i, order[i]])
            if settled is not None:  # a person has answered: that code comes first
                order[i] = [order[i, settled], *np.delete(order[i], settled)]
                scores[i, order[i, 0]] = scores[i].max()
                floor[i] = self.calibration.strong
        lines = np.arange(len(queries))[:, None]
        ranked, places = scores[lines, order], code[lines, order]
        margin = lead(ranked, self.compiled.facts.group[places])
        probability = np.maximum(self.calibration.probability(ranked[:, 0], margin), floor)
        for i, query in enumerate(queries):
            if query.says_nothing and not query.situation.answered:
                probability[i] = 0.0  # whatever comes first is chance
        odds = 1.0 / (1.0 + np.exp(-ranked))
        confidence = probability[:, None] * odds / np.maximum(odds[:, :1], 1e-9)
        signals = found.values.reshape(*scores.shape, -1)[lines, order]
        yield from map(
            Match,
            places.tolist(),
            confidence.tolist(),
            probability.tolist(),
            signals,
            term[lines, order].tolist(),
        )

    def _texts(self, nearest: np.ndarray) -> list[str]:
        """The nearest known name of each candidate; empty without one."""
        terms = self.compiled.index.terms
        return [terms[place] if place >= 0 else "" for place in nearest]

    def _settled(self, query: Query, places: np.ndarray) -> int | None:
        """Rank of the code that an answer has settled on; None without one."""
        if not query.situation.answered:
            return None
        codes = self.compiled.index.codes
        ranks = [i for i, place in enumerate(places) if codes[place] == query.situation.decided]
        return ranks[0] if ranks else None


def lead(scores: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """How far the best score is above the best one of another 简称; scores descending along the
    last axis."""
    others = groups != groups[..., :1]
    second = np.take_along_axis(scores, others.argmax(axis=-1)[..., None], -1)[..., 0]
    result: np.ndarray = np.where(others.any(axis=-1), scores[..., 0] - second, ALONE)
    return result
