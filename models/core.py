"""The core of a name: which of its segments names the thing, and by which words."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence, Set

from models.normalise import is_latin_part
from models.remarks import placed
from models.roles import ASKED_ROLES, KEPT_ROLES, MAX_WORD, Roles, Span, ends_named
from models.segments import Segment

KNOWN = 2.0  # from this score on a segment ends with a known name
NAMING_ROLES = ("material", "state")  # what can name goods where nothing else does
Scanned = Sequence[tuple[Segment, list[Span]]]  # segments with what describes


class Cores:
    """Chooses the core among the segments of a name.

    names, exceptions, heads, brands, positions: as the reader has them; packed: words for packing;
    works: endings of charges and works; roles: which goods take a taste or filling.
    """

    def __init__(
        self,
        names: Set[str],
        exceptions: Container[str],
        heads: Container[str],
        brands: Container[str],
        positions: Mapping[str, str],
        packed: Container[str],
        works: tuple[str, ...],
        roles: Roles,
    ):
        self._names = names
        self._exceptions = exceptions
        self._heads = heads
        self._brands = brands
        self._places = frozenset(placed(positions, "place"))
        self._sites = tuple(placed(positions, "site"))
        self._packed = packed
        self._works = works
        self._roles = roles

    def choose(self, scanned: Scanned) -> tuple[int, str]:
        """(number of the segment that names the thing, the core product's words).

        The segment that ends with the longest known name; of two as long the earlier, unless it
        is a brand; where no name is known the later. Brackets, Latin text, whole descriptors and,
        after a known name, its filling, place of use (地垫 入户门防滑) or packing (鞋油 铁盒) stand
        back; so do the site (会议服务 金陵大酒店) and, behind a charge, what it is for (储存费
        冻牛肉).
        """
        best, best_score, best_core, best_known = -1, -9.0, "", 0.0
        for number, (segment, found) in enumerate(scanned):
            core = _without(segment.text, found)
            if not core or self._is_packing(scanned, number):
                continue
            known = min(self._name_length(core), 3.0)
            score = known + min(len(core), 4) * 0.1
            if core.isascii():
                score -= 2.0
            if "系列" in segment.text[-4:] or len(core) == 1:
                score -= 2.0
            if segment.listed and best_score >= 1.0:
                score -= 2.5
            if sum(len(span.text) for span in found) == len(segment.text):
                score -= 1.5
            if segment.inside:
                score = score * 0.5 - 1.0
            settled = best_score >= KNOWN and scanned[best][0].text not in self._brands
            if settled and (
                known <= best_known
                or core in self._places
                or self._roles.is_filling(best_core, core)
            ):
                continue
            if best_core and len(core) > 3 and core.endswith(self._sites):
                continue
            if self._is_work(best_core) and not self._is_work(core):
                continue
            if score >= best_score:
                best, best_score, best_core, best_known = number, score, core, known
        if best < 0 and scanned:  # only brands and descriptors: the last words stand for the thing
            best = max(
                (n for n in range(len(scanned)) if not self._is_packing(scanned, n)),
                key=lambda n: (
                    not scanned[n][0].inside,
                    scanned[n][0].text in self._names,
                    any(span.role == "brand" for span in scanned[n][1]),
                    any(span.role not in ASKED_ROLES for span in scanned[n][1]),
                    n,
                ),
            )
            segment, found = scanned[best]
            spans = [s for s in found if s.role not in ("promotion", "packing")]
            # What it tastes of says the least, also beside a brand (徐福记草莓味).
            spans = [s for s in spans if s.role not in ASKED_ROLES] or spans
            best_core = spans[-1].text if spans else segment.text
        return best, best_core

    def _is_packing(self, scanned: Scanned, number: int) -> bool:
        """Whether a segment is but the packing of the known goods before it (鞋油 铁盒)."""
        if scanned[number][0].text not in self._packed:
            return False
        before = [segment.text for segment, _ in scanned[:number]]
        return any(ends_named(text, self._names) and text not in self._brands for text in before)

    def _is_work(self, core: str) -> bool:
        """Whether a charge or work ends the words, and says what it is for."""
        return len(core) > 3 and core.endswith(self._works)

    def _name_length(self, core: str) -> float:
        """Length of the longest known name that ends the core; no part of a Latin word is one."""
        for start in range(max(0, len(core) - MAX_WORD), len(core) - 1):
            if is_latin_part(core, start, len(core)):
                continue
            if core[start:] in self._names or core[start:] in self._exceptions:
                return float(len(core) - start)
        return 1.0 if core[-1:] in self._heads or core[-1:] in self._names else 0.0


def _without(segment: str, found: list[Span]) -> str:
    """The segment's characters outside descriptor spans; what decides the kind of goods stays
    where more follows (不锈钢架, 速冻水饺); not that of use alone (厨房防滑)."""
    described = sum(len(span.text) for span in found)
    if described == len(segment) and not any(span.role in NAMING_ROLES for span in found):
        return ""
    kept = []
    place = 0
    for span in found:
        kept.append(segment[place : span.start])
        if span.role in KEPT_ROLES and span.end < len(segment):
            kept.append(span.text)
        place = span.end
    kept.append(segment[place:])
    return "".join(kept)
