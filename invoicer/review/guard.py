"""The guard: decisions that look wrong wait for a second person before they teach anything."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from invoicer.assistant import Assistant
from invoicer.line import InvoiceLine
from invoicer.review.decided import Decision
from knowledge_base.lexicon import Sample
from models import features
from models.compiled import is_frozen
from models.matcher import Match
from models.reading import Reading

# The model contradicts where it is surer of another code than on this share of known lines that it
# gets wrong, and at least this sure; a code with so much of that confidence is no mistake.
DOUBTED, SURE_AT_LEAST, BEHIND = 0.02, 0.9, 0.9
KNOWN_LINES = 1500
# A code off the short-list is far from the name where no code of its family is on it; where none
# of its 简称 is, the model has to be this sure of what it found.
FOUND = 0.5
# Decisions of one person for one code within an hour that no longer look like judgements.
MASS = 100
# Cosine from which two names are near; how many near decisions of other people outweigh the model,
# and how many have to differ before one is doubted.
NEAR, BACKED_BY, AGAINST = 0.6, 2, 3
BLOCK = 512


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """Near decisions of other people: how many say the same 简称, how many another."""

    same: int = 0
    other: int = 0


class Guard:
    """Judges decisions by what the serving model and other decisions say."""

    def __init__(self, assistant: Assistant, known: Sequence[Sample] | None = None):
        """known: right lines that the model has not learned from, which tell how often it
        contradicts what is right; the frozen samples where none are given."""
        self._assistant = assistant
        compiled = assistant.matcher.compiled
        self._index = compiled.index
        self._places = {code: i for i, code in enumerate(self._index.codes)}
        self._group, self._family = compiled.facts.group, compiled.facts.family
        if known is None:
            known = [s for s in assistant.kb.lexicon.samples() if is_frozen(s)][:KNOWN_LINES]
        self._sure = self._threshold(known)

    def _threshold(self, known: Sequence[Sample]) -> float:
        """The confidence that a contradiction needs."""
        lines = [InvoiceLine(s.name, s.spec, s.unit, s.brand, s.manufacturer) for s in known]
        doubts = [
            self._doubt(match, self._places[sample.code])
            for sample, (_, match) in zip(known, self._assistant.match(lines), strict=True)
        ]
        return max(float(np.quantile(doubts, 1 - DOUBTED)), SURE_AT_LEAST)

    def reasons(self, decisions: Sequence[Decision]) -> list[str]:
        """Why each decision should be looked at again, in Chinese; empty where it need not.

        What two people judged, and what the model has learned already, passes.
        """
        if not decisions:
            return []
        found = self._assistant.match([one.line for one in decisions])
        near = self._neighbours(decisions, [query.reading for query, _ in found])
        mass = _mass_produced(decisions)
        return [
            ""
            if one.votes > 1 or one.learned_in
            else mass[i] or self._conflict(near[i]) or self._contradiction(one, match, near[i])
            for i, (one, (_, match)) in enumerate(zip(decisions, found, strict=True))
        ]

    def _conflict(self, near: _Neighbours) -> str:
        if near.other >= AGAINST and near.same == 0:
            return f"与相近名称的其他 {near.other} 项决定不一致"
        return ""

    def _contradiction(self, one: Decision, match: Match, near: _Neighbours) -> str:
        """What the ranker says against it, unless enough other people said the same."""
        if near.same >= BACKED_BY:
            return ""
        place = self._places.get(one.code)
        if place is None or self._is_far(match, place):
            return "名称与该编码的已知名称都不相近"
        if self._doubt(match, place) > self._sure:
            best = self._assistant.kb.taxonomy[self._index.codes[match.places[0]]]
            return f"模型认为更可能是“{best.short_name} {best.name}”"
        return ""

    def _is_far(self, match: Match, place: int) -> bool:
        """Whether neither the code nor anything like it was found for the name."""
        if place in match.places:
            return False
        if self._family[place] not in self._family[match.places]:
            return True
        return self._group[place] not in self._group[match.places] and match.probability > FOUND

    def _doubt(self, match: Match, place: int) -> float:
        """How sure the model is of another code on the short-list that is ahead of this one."""
        if place not in match.places:
            return 0.0
        share = match.confidence[match.places.index(place)] / max(match.probability, 1e-9)
        return match.probability if place != match.places[0] and share < BEHIND else 0.0

    def _neighbours(
        self, decisions: Sequence[Decision], readings: Sequence[Reading]
    ) -> list[_Neighbours]:
        """Near names among the decisions of other people."""
        vectors = features.rows(readings).scaled(self._index.idf).matrix()
        group = [self._group[self._places[one.code]] if one.code in self._places else -1
                 for one in decisions]  # fmt: skip
        out = []
        for start in range(0, len(decisions), BLOCK):
            similar = (vectors[start : start + BLOCK] @ vectors.T).tocsr()
            similar.data[similar.data < NEAR] = 0
            similar.eliminate_zeros()
            for i, one in enumerate(decisions[start : start + BLOCK], start):
                a, b = similar.indptr[i - start : i - start + 2]
                others = [j for j in similar.indices[a:b] if decisions[j].by != one.by]
                same = sum(group[j] == group[i] for j in others)
                out.append(_Neighbours(same, len(others) - same))
        return out


def _mass_produced(decisions: Sequence[Decision]) -> list[str]:
    """A reason for each decision that one person made among very many alike within an hour."""
    by_maker: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, one in enumerate(decisions):
        by_maker[one.by, one.code].append(i)
    out = [""] * len(decisions)
    for places in by_maker.values():
        if len(places) < MASS:
            continue
        hours = Counter(decisions[i].at[:13] for i in places)
        for i in places:
            if hours[decisions[i].at[:13]] >= MASS:
                out[i] = f"同一人一小时内对同一编码作了 {hours[decisions[i].at[:13]]} 项决定"
    return out
