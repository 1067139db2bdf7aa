"""Reading a product name: what names the thing, what only describes it.

text → normalise → declared short name → groups → remarks → extras → measures → works → segments →
roles → core product, head.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from models.extras import Extras
from models.groups import Groups
from models.measures import Measures
from models.normalise import is_latin_part, normalise
from models.remarks import Remarks
from models.roles import (
    ASKED_ROLES,
    IDLE_ROLES,
    KEPT_ROLES,
    MAX_WORD,
    Roles,
    Span,
    ends_named,
)
from models.segments import Segment, Segmenter
from models.tokenizer import Tokenizer
from models.works import Works

KNOWN = 2.0  # from this score on a segment ends with a known name
NAMING_ROLES = ("material", "state")  # what can name goods where nothing else does
_DECLARED = re.compile(r"^\s*\*([^*]{1,20})\*")


def split_declared(text: str) -> tuple[str, str]:
    """(printed 简称, the name behind it): `*乳制品*纯牛奶`; "" where none is printed."""
    body = text.replace("＊", "*")
    match = _DECLARED.match(body)
    return (match[1].strip(), body[match.end() :]) if match else ("", body)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a name says.

    normalised: without declared short name and remarks; clean: without sizes and model numbers too.
    core: the words that name the thing; head: its last noun.
    tokens: (word, role, in_core) in order.
    remarks: what was said of the bill; extras: what comes along with the goods; is_plain: nothing
    beside the core says what kind of goods.
    """

    text: str
    normalised: str
    clean: str
    core: str
    head: str
    tokens: tuple[tuple[str, str, bool], ...]
    spans: tuple[Span, ...] = ()
    declared_short_name: str = ""
    brands: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    is_plain: bool = True

    @property
    def descriptors(self) -> tuple[tuple[str, str], ...]:
        """(word, kind) of what was set aside."""
        return tuple((s.text, s.role) for s in self.spans if s.role not in {"core", "brand"})

    @property
    def is_bare(self) -> bool:
        """Whether the name says nothing but the thing."""
        return self.normalised.replace(" ", "") == self.core.replace(" ", "")

    @property
    def is_brand(self) -> bool:
        """Whether a brand is all that is named."""
        return self.core in self.brands

    @property
    def prompt(self) -> str:
        """The question a flavour set aside gives rise to; empty without one."""
        asked = [s.role for s in self.spans if s.role in ASKED_ROLES and s.text != self.core]
        if not asked or not self.core:
            return ""
        word = "风味" if asked[0] == "flavour" else "香味"
        return f"检测到{word}描述词,请确认实际商品是否为{self.core}?"


class Reader:
    """Reads names with the words of the knowledge base.

    names: every term that names goods or services (official and everyday);
    descriptors: word → kind; exceptions: words that only look like descriptors;
    heads: container suffixes; brands: brand or alias → True where it is an ordinary word too;
    replacements: whole-word abbreviations, regional words and typos → the standard word;
    units: unit words that may follow a number;
    positions: word → what it is beside a name: `place` of its use or what it is `packed` in behind
    it, `flavoured`, so that taste and filling may follow, a `site` that ends the name of a place or
    a customer, or `work` that is done;
    remarks: word that says something of the bill, or of what comes along → its places; names of
    groups of codes, which no remark is part of → `whole`;
    longest: first two characters → length of the longest name, exception, brand or descriptor.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        names: Iterable[str],
        descriptors: Mapping[str, str],
        exceptions: Iterable[str],
        heads: Iterable[str],
        brands: Mapping[str, bool],
        replacements: Mapping[str, str],
        units: Iterable[str],
        positions: Mapping[str, str],
        remarks: Mapping[str, str],
        longest: Mapping[str, int],
    ):
        self._tokenizer = tokenizer
        self._names = names if isinstance(names, Set) else frozenset(names)
        self._exceptions = frozenset(exceptions)
        self._heads = frozenset(heads)
        self._brands = brands
        self._places = frozenset(word for word, kind in positions.items() if kind == "place")
        packed = {word for word, kind in positions.items() if kind == "packed"}
        self._packed = packed | {f"{unit}装" for unit in units} - self._names
        self._sites = tuple(word for word, kind in positions.items() if kind == "site")
        endings = tuple(word for word, kind in positions.items() if kind == "work")
        self._endings = endings
        self._works = Works(self._names, endings)
        self._groups = Groups(remarks, self._names, descriptors, endings)
        self._remarks = Remarks(remarks, self._names)
        self._extras = Extras(remarks, self._names, descriptors)
        self._measures = Measures(units, self._names, replacements.keys() | descriptors.keys())
        self._segmenter = Segmenter(tokenizer, self._names, replacements)
        self._roles = Roles(
            tokenizer,
            self._names,
            descriptors,
            self._exceptions,
            brands,
            frozenset(word for word, kind in positions.items() if kind == "flavoured"),
            longest,
        )

    def read(self, text: str, brands: Sequence[str] = ()) -> Reading:
        """Reading of one name; never fails on any string. brands: words of the brand column."""
        declared, body = split_declared(text)
        declared = normalise(declared) if declared else ""
        normalised, groups = self._groups.strip(normalise(body))
        normalised, remarks = self._remarks.strip(normalised)
        goods, extras = self._extras.strip(normalised)
        rest, sizes, models = self._measures.strip(goods)
        segments = self._segmenter.split(self._works.join(rest))
        segments += [Segment(m, False, False) for m in models if m in self._names]
        if not segments and any(c.isalnum() for c in normalised):  # numbers alone: as they stand
            segments = [Segment(normalised, False, False)]
        reading = self._assemble(text, normalised, segments, declared, sizes, models, brands)
        if not (groups or remarks or extras):
            return reading
        return replace(reading, remarks=groups + remarks, extras=extras)

    @property
    def engine(self) -> str:
        """The tokenizer engine that cuts the words."""
        return self._tokenizer.engine

    def is_name(self, text: str) -> bool:
        """Whether a text by itself names goods or a service."""
        return text in self._names

    def _assemble(
        self,
        text: str,
        normalised: str,
        segments: list[Segment],
        declared: str,
        sizes: tuple[str, ...],
        models: tuple[str, ...],
        brands: Sequence[str],
    ) -> Reading:
        scanned = [(s, self._roles.scan(s.text, brands, len(segments) == 1)) for s in segments]
        best, core = self._core(scanned)
        tokens: list[tuple[str, str, bool]] = []
        spans: list[Span] = []
        offset = 0
        for number, ((segment, _, _), found) in enumerate(scanned):
            in_core = number == best
            if not in_core and segment in self._packed:
                found = [Span(0, len(segment), segment, "packing")]
            place = 0
            for span in [*found, Span(len(segment), len(segment), "", "")]:
                if span.start > place:
                    role = "core" if in_core else "side"
                    words = self._tokenizer.cut(segment[place : span.start])
                    tokens.extend((word, role, in_core) for word in words)
                if span.text:
                    tokens.append((span.text, span.role, in_core))
                    spans.append(Span(offset + span.start, offset + span.end, span.text, span.role))
                place = span.end
            offset += len(segment) + 1
        return Reading(
            text=text,
            normalised=normalised,
            clean=" ".join(segment.text for segment in segments),
            core=core,
            head=self._head(core),
            tokens=tuple(tokens),
            spans=tuple(spans),
            declared_short_name=declared,
            brands=tuple(dict.fromkeys(s.text for s in spans if s.role == "brand")),
            sizes=sizes,
            models=models,
            is_plain=all(
                role == "core"
                or role in IDLE_ROLES
                or word in core
                or (role == "side" and word not in self._names)
                or (role in ("process", "audience") and f"{word}{core}" not in self._names)
                or (role == "brand" and word.removesuffix("牌") not in self._brands)
                for word, role, _ in tokens
            ),
        )

    def _core(self, scanned: list[tuple[Segment, list[Span]]]) -> tuple[int, str]:
        """(number of the segment that names the thing, the core product's words).

        The segment that ends with the longest known name; of two as long the earlier, unless it
        is a brand; where no name is known the later.
        Brackets, Latin text, whole descriptors and, after a known name, its filling, place of use
        (地垫 入户门防滑) or packing (鞋油 铁盒) stand back; so do the site (会议服务 金陵大酒店)
        and, behind a charge, what it is for (储存费 冻牛肉).
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

    def _is_packing(self, scanned: Sequence[tuple[Segment, list[Span]]], number: int) -> bool:
        """Whether a segment is but the packing of the known goods before it (鞋油 铁盒)."""
        if scanned[number][0].text not in self._packed:
            return False
        before = [segment.text for segment, _ in scanned[:number]]
        return any(ends_named(text, self._names) and text not in self._brands for text in before)

    def _is_work(self, core: str) -> bool:
        """Whether a charge or work ends the words, and says what it is for."""
        return len(core) > 3 and core.endswith(self._endings)

    def _name_length(self, core: str) -> float:
        """Length of the longest known name that ends the core; no part of a Latin word is one."""
        for start in range(max(0, len(core) - MAX_WORD), len(core) - 1):
            if is_latin_part(core, start, len(core)):
                continue
            if core[start:] in self._names or core[start:] in self._exceptions:
                return float(len(core) - start)
        return 1.0 if core[-1:] in self._heads or core[-1:] in self._names else 0.0

    def _head(self, core: str) -> str:
        if not core:
            return ""
        words = self._tokenizer.cut(core)
        head = words[-1]
        if len(head) == 1 and len(words) > 1 and head not in self._heads:
            head = words[-2] + head
        return head


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
