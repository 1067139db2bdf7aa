"""Reading a product name: what names the thing, what only describes it.

text → normalise → declared short name → groups → remarks → extras → measures → works → segments →
roles → core product, head.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from models.core import Cores
from models.extras import Extras
from models.groups import Groups
from models.measures import Measures
from models.normalise import normalise
from models.remarks import Remarks, placed
from models.roles import ASKED_ROLES, IDLE_ROLES, Roles, Span
from models.segments import Segment, Segmenter
from models.tokenizer import Tokenizer
from models.works import Works

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
    remarks: the groups named in front and what was said of the bill; extras: what comes along with
    the goods; is_plain: nothing beside the core says what kind of goods.
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
    remarks: word that says something of the bill, of what comes along or of the group that is named
    in front → its places; names of groups of codes, which no remark is part of → `whole`;
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
        units: Sequence[str],
        positions: Mapping[str, str],
        remarks: Mapping[str, str],
        longest: Mapping[str, int],
    ):
        self._tokenizer = tokenizer
        self._names = names if isinstance(names, Set) else frozenset(names)
        self._exceptions = frozenset(exceptions)
        self._heads = frozenset(heads)
        self._brands = brands
        works = tuple(placed(positions, "work"))
        counted = (f"{unit}装" for unit in units)
        self._packed = {
            *placed(positions, "packed"),
            *(word for word in counted if word not in self._names),
        }
        self._works = Works(self._names, works)
        self._groups = Groups(remarks, self._names, descriptors, works)
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
            frozenset(placed(positions, "flavoured")),
            longest,
        )
        self._cores = Cores(
            self._names,
            self._exceptions,
            self._heads,
            brands,
            positions,
            self._packed,
            works,
            self._roles,
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
        best, core = self._cores.choose(scanned)
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

    def _head(self, core: str) -> str:
        if not core:
            return ""
        words = self._tokenizer.cut(core)
        head = words[-1]
        if len(head) == 1 and len(words) > 1 and head not in self._heads:
            head = words[-2] + head
        return head
