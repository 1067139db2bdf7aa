"""Matching: a query in, ranked codes with one probability out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.calibration import Calibration
from models.candidates import AT, Candidates
from models.compiled import Compiled
from models.query import Query
from models.ranking import Ranker
from models.semantic import SemanticRanker
from models.signals import Signals

BATCH = 64


@dataclass(frozen=True, slots=True)
class Match:
    """Ranked codes of one line.

    places: code places, best first; scores: log-odds; confidence: 0–1 a code, the first being
    `probability`; probability: that the first one's 简称 is right; signals: (n, n_signals) rows
    in the order of places; terms: nearest term of each, −1 without one.
    """

    places: np.ndarray
    scores: np.ndarray
    confidence: np.ndarray
    probability: float
    signals: np.ndarray
    terms: np.ndarray

    def signal(self, name: str, rank: int = 0) -> float:
        return float(self.signals[rank, AT[name]])


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
        self._columns = [AT[name] for name in ranker.signals]

    def match(self, queries: Sequence[Query], on: dt.date) -> list[Match]:
        """One Match a query, with the codes that are valid on the day."""
        matches: list[Match] = []
        for start in range(0, len(queries), BATCH):
            batch = queries[start : start + BATCH]
            found = self._signals.candidates(batch, self.allowed(on))
            scores = self._ranker.score(found.values[:, self._columns])
            matches.extend(
                self._rank(query, found, scores, int(a), int(b))
                for query, a, b in zip(batch, found.start[:-1], found.start[1:], strict=True)
            )
        return matches

    def allowed(self, on: dt.date) -> np.ndarray:
        """(n_codes,) bool: the leaves in force on the day."""
        facts = self.compiled.facts
        day = max(on.toordinal(), int(facts.valid_from.min()))  # before the oldest table: that one
        valid: np.ndarray = (facts.valid_from <= day) & (day <= facts.valid_to)
        return valid

    def _rank(self, query: Query, found: Candidates, scores: np.ndarray, a: int, b: int) -> Match:
        order = a + np.argsort(-scores[a:b], kind="stable")
        if self._semantic is not None:
            scores[order] = self._semantic.rescore(
                query.reading.core, self._texts(found, order), scores[order]
            )
            order = a + np.argsort(-scores[a:b], kind="stable")
        settled = self._settled(query, found.code[order])
        if settled is not None:  # a person has answered: that code comes first
            order = np.concatenate([order[settled : settled + 1], np.delete(order, settled)])
            scores[order[0]] = scores[order].max()
        places, ranked = found.code[order], scores[order]
        margin = lead(ranked, self.compiled.facts.group[places])
        probability = float(self.calibration.probability(ranked[0], margin))
        if settled is not None:
            probability = max(probability, self.calibration.strong)
        if not any(char.isalnum() for char in query.reading.clean):
            probability = 0.0  # nothing was read: whatever comes first is chance
        odds = 1.0 / (1.0 + np.exp(-ranked))
        return Match(
            places=places,
            scores=ranked,
            confidence=probability * odds / max(float(odds[0]), 1e-9),
            probability=probability,
            signals=found.values[order],
            terms=found.term[order],
        )

    def _texts(self, found: Candidates, order: np.ndarray) -> list[str]:
        """The nearest known name of each candidate; empty without one."""
        terms = self.compiled.index.terms
        return [terms[place] if place >= 0 else "" for place in found.term[order]]

    def _settled(self, query: Query, places: np.ndarray) -> int | None:
        """Rank of the code that an answer has settled on; None without one."""
        if not query.situation.answered:
            return None
        codes = self.compiled.index.codes
        ranks = [i for i, place in enumerate(places) if codes[place] == query.situation.decided]
        return ranks[0] if ranks else None


def lead(scores: np.ndarray, groups: np.ndarray) -> float:
    """How far the best score is above the best one of another 简称; scores descending."""
    others = groups != groups[0]
    return float(scores[0] - scores[others][0]) if others.any() else 99.0
