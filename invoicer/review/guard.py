"""The guard: decisions that look wrong wait for a second person before they teach anything."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from invoicer.assistant import Assistant
from invoicer.review.decided import Decision
from models import features
from models.matcher import Match
from models.reading import Reading

# How sure the model must be of another code, and what share of that confidence the decided one may
# have at most.
SURE, BEHIND = 0.95, 0.7
# Decisions of one person for one code within an hour that no longer look like judgements.
MASS = 100
# Cosine from which two names are near, and how many near decisions of others outweigh the model.
NEAR, BACKED_BY = 0.6, 2
BLOCK = 512


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """Near decisions of other people: how many say the same 简称, how many another."""

    same: int = 0
    other: int = 0


class Guard:
    """Judges decisions by what the serving model and other decisions say."""

    def __init__(self, assistant: Assistant):
        self._assistant = assistant
        self._index = assistant.matcher.compiled.index
        self._places = {code: i for i, code in enumerate(self._index.codes)}
        self._group = assistant.matcher.compiled.facts.group

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
        if near.other >= BACKED_BY and near.same == 0:
            return f"与相近名称的其他 {near.other} 项决定不一致"
        return ""

    def _contradiction(self, one: Decision, match: Match, near: _Neighbours) -> str:
        """What the ranker says against it, unless enough other people said the same."""
        if near.same >= BACKED_BY:
            return ""
        place = self._places.get(one.code)
        if place not in match.places:
            return "名称与该编码的已知名称都不相近"
        share = match.confidence[match.places.index(place)] / match.probability
        if match.probability > SURE and share < BEHIND:
            best = self._assistant.kb.taxonomy[self._index.codes[match.places[0]]]
            return f"模型认为更可能是“{best.short_name} {best.name}”"
        return ""

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
