"""Signals: for one line and one code, every independent hint as a number.

A hint that speaks for few codes is kept as sparse hits, the two that speak for most as arrays over
(lines, codes); their weighted sum picks the codes that are short-listed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from models import features
from models.affinity import words_in
from models.candidates import Candidates, code_table, flatten
from models.compiled import Compiled
from models.hits import NO_HITS, NUMBER, SIGNALS, Block, Hits, rows_of
from models.nearest import nearest_terms, product
from models.normalise import is_latin_part
from models.query import Query
from models.reading import Reading
from models.roles import MAX_WORD
from models.transformation import places_of, transform
from models.words import name_key

# Codes listed for a line; those among which they are chosen, by their nearest centre in meaning.
SHORTLIST, WIDE = 24, 64
# From this support on, a brand or maker speaks for few codes: those are always short-listed.
SPECIFIC = 0.5
# Endings of the names of services that say the same, the longest first; how much a name speaks
# that is known with another one.
SAME_ENDINGS = (
    ("服务费用", "服务费", "费用", "服务", "费", ""),
    ("租赁服务费", "租赁服务", "租赁费用", "租赁费", "租用费", "租赁", "租金", "租用", "租费"),
)
AS_SERVICE = 0.9
# How much a make speaks for what its own name ends with.
MADE = np.float32(0.8)
# What a specification says of the packing: 彩色纸盒包装, 塑料袋装.
_PACKED = re.compile(r"[\u4e00-\u9fff]{0,8}[瓶袋盒罐桶杯箱包听散简][装裹]|零售价")
TIE = np.float32(1e-7)
ENDS = [NUMBER[name] for name in ("end1", "end2", "end3", "head")]
EXACT, CORE_EXACT, SUFFIX, INSIDE = (
    NUMBER[name] for name in ("exact", "core_exact", "suffix", "inside")
)

# First-pass weights: they only decide which codes are short-listed.
_FIRST = {
    "official": 0.8, "tariff": 0.4, "name": 1.0, "sample": 0.9, "vote": 0.5, "profile": 0.8,
    "end2": 0.4, "end3": 0.3, "head": 0.3, "exact": 1.0, "core_exact": 0.8, "suffix": 0.8,
    "inside": 0.3, "brand": 0.4, "maker": 0.2, "meaning": 0.8, "declared": 0.6, "moved": 1.0,
    "situation": 3.0, "specified": 0.3,
}  # fmt: skip
MEANING = np.float32(_FIRST["meaning"])
_WEIGHT = np.array([_FIRST.get(name, 0.0) for name in SIGNALS], np.float32)


class Signals:
    """Computes the candidates of a batch of queries."""

    def __init__(self, compiled: Compiled):
        self._compiled = compiled
        self.index = compiled.index
        self._longest = compiled.words.longest
        self.facts = compiled.facts
        self.brands = compiled.brands
        self.makers = compiled.makers
        self.meaning = compiled.meaning
        self.transformations = compiled.transformations
        self._seen_twice = np.log((len(self.index.terms) + 1) / 3) + 1e-4  # idf of two terms
        self._tie = np.arange(self.index.n_codes, dtype=np.float32) * TIE
        self._codes = code_table(compiled)
        self.places = {code: i for i, code in enumerate(self.index.codes)}

    def candidates(
        self,
        queries: Sequence[Query],
        allowed: np.ndarray,
        hidden: Sequence[np.ndarray] | None = None,
    ) -> Candidates:
        """Candidates of each query.

        allowed: (n_codes,) bool, the codes valid on the date.
        hidden: per query, term places that must not answer (leave-one-out training).
        """
        n, n_codes = len(queries), self.index.n_codes
        readings = [q.reading for q in queries]
        raw = features.rows(readings)
        vectors = raw.scaled(self.index.idf)
        near, place, term = nearest_terms(self.index, vectors, hidden)
        hits = [
            near,
            self._ends(readings),
            self._names(queries, hidden),
            self._makes(queries),
            self.makers.hits("maker", [words_in(q.maker, self.makers.words) for q in queries]),
            self._declared(queries),
            self._situations(queries),
            self._specified(queries),
        ]
        moves = [self.transformations.found(reading) for reading in readings]
        lines = self.meaning.embedded(raw)
        meaning = self.meaning.roughly(lines)
        profile = product(vectors, self.index.profiles)
        grids = {NUMBER["profile"]: profile, NUMBER["meaning"]: meaning}
        block = Block.of(Hits.join(hits), places_of(moves, n_codes), grids)
        block.near(place, term)
        transform(block, readings, moves, n_codes)
        first = self._first(n, block, grids)
        np.copyto(first, np.float32(-1), where=~allowed)
        first -= self._tie  # equals: the lower code first
        # How alike a code's nearest centre is shows only for those that are near anyway.
        size = min(WIDE, n_codes)
        wide = (-first).argpartition(size - 1, axis=1)[:, :size]
        place = np.arange(0, first.size, n_codes)[:, None] + wide
        closely = self.meaning.closely(lines, wide)
        scores = first.take(place) + MEANING * (closely - meaning.take(place))
        first.put(place, scores)
        meaning.put(place, closely)
        order = (-scores).argsort(axis=1, kind="stable")[:, :SHORTLIST]
        top = wide.take(np.arange(0, wide.size, size)[:, None] + order)
        known = self._known(vectors)
        return flatten(self._compiled, self._codes, queries, block, grids, known, first, top)

    def _first(self, n: int, block: Block, grids: Mapping[int, np.ndarray]) -> np.ndarray:
        """First-pass score of each line and code, (n, n_codes)."""
        first = np.zeros((n, self.index.n_codes), np.float32)
        for signal, grid in grids.items():
            first += grid * _WEIGHT[signal]
        # Where there are hits, summed anew in the order of the signals.
        flat = first.reshape(-1)
        flat[block.place] = (block.value[:, 1:] * _WEIGHT[:, None]).sum(axis=0)
        for name in ("brand", "maker"):
            value = block.value[NUMBER[name], 1:]
            at = np.flatnonzero(value)
            if len(at):
                line = block.place[at] // self.index.n_codes
                best = np.full(n, SPECIFIC, np.float32)
                np.maximum.at(best, line, value[at])
                flat[block.place[at[value[at] >= best[line]]]] += 1
        return first

    # -- signals --------------------------------------------------------------------------------

    def _known(self, vectors: features.Rows) -> np.ndarray:
        """Share of each name, by weight, that stands in at least two known names, (n,).

        Two, so that a name that is in the index itself is no better known than a new one.
        """
        seen = self.index.idf[vectors.bucket] <= self._seen_twice
        n = len(vectors.start) - 1
        return np.bincount(vectors.owner, vectors.weight.astype(float) ** 2 * seen, minlength=n)

    def _ends(self, readings: Sequence[Reading]) -> Hits:
        """How often names with this ending or head belong to each code."""
        signals: list[int] = []
        lines: list[int] = []
        buckets: list[int] = []
        for i, reading in enumerate(readings):
            if found := features.end_buckets(reading.core, reading.head):
                buckets += found
                lines += [i] * len(found)
                signals += [*ENDS[: len(found) - 1], ENDS[-1]]
        owner, code, value = rows_of(self.index.ends, buckets)
        line = np.array(lines, np.intp).take(owner)
        return Hits(np.array(signals, np.intp).take(owner), line * self.index.n_codes + code, value)

    def _names(self, queries: Sequence[Query], hidden: Sequence[np.ndarray] | None) -> Hits:
        """Whole-name hits: exact, exact core, longest ending of the core, longest inside."""
        found: list[tuple[int, int, int, float]] = []  # (signal, line, place of the name, weight)
        places = self.index.names
        for i, query in enumerate(queries):
            core, clean, whole = (
                text.replace(" ", "")
                for text in (query.reading.core, query.reading.clean, query.reading.normalised)
            )
            # A name with its numbers (75度酒精) says more than without them.
            exact = places.get(whole, places.get(clean))
            if exact is not None:
                found.append((EXACT, i, exact, 1.0))
            elif (place := self._as_service(clean)) is not None:
                found.append((EXACT, i, place, AS_SERVICE))
            parts = (part for part in query.reading.normalised.split() if part.endswith(core))
            numbered = next((part for part in parts if part != core and part in places), core)
            if (place := places.get(numbered)) is not None:
                found.append((CORE_EXACT, i, place, 1.0))
            size = len(core)
            for start in range(max(0, size - MAX_WORD), size):
                place = places.get(core[start:])
                if place is not None and not is_latin_part(core, start, size):
                    found.append((SUFFIX, i, place, (size - start) / size))
            size = len(clean)
            for start in range(size - 1):
                longest = self._longest.get(clean[start : start + 2], 1)
                for end in range(start + 2, min(start + longest, size) + 1):
                    place = places.get(clean[start:end])
                    if place is not None and not is_latin_part(clean, start, end):
                        weight = (end - start) / size * (0.6 + 0.4 * end / size)
                        found.append((INSIDE, i, place, weight))
        if not found:
            return NO_HITS
        signals, lines, names, weights = zip(*found, strict=True)
        owner, code, value = rows_of(self.index.name_codes, names)
        line = np.array(lines, np.intp).take(owner)
        value = np.array(weights, np.float32).take(owner) * value
        if hidden is not None:
            gone = [self._gone(rows) for rows in hidden]
            name = np.array(names, np.intp)[owner]
            triples = zip(line.tolist(), name.tolist(), code.tolist(), strict=True)
            value *= np.array([(p, c) not in gone[i] for i, p, c in triples], np.float32)
        signal = np.array(signals, np.intp).take(owner)
        return Hits(signal, line * self.index.n_codes + code, value).highest()

    def _as_service(self, name: str) -> int | None:
        """The place of a service that is known with another ending: 专利代理, 专利代理费."""
        codes = self.index.name_codes
        for endings in SAME_ENDINGS:
            ending = next((end for end in endings if name.endswith(end)), None)
            if ending is None or len(name) < len(ending) + 2:
                continue
            stem = name.removesuffix(ending)
            for end in endings:
                if (place := self.index.names.get(stem + end)) is not None:
                    own = codes.indices[codes.indptr[place] : codes.indptr[place + 1]]
                    if self.facts.service[own].all():
                        return place
        return None

    def _specified(self, queries: Sequence[Query]) -> Hits:
        """The longest known names in the specification, what it says of the packing left out."""
        found: list[tuple[int, int]] = []  # (line, place of the name)
        weights: list[float] = []
        for i, query in enumerate(queries):
            if query.spec.isascii():
                continue
            for word in words_in(_PACKED.sub(" ", query.spec), self.index.names):
                found.append((i, self.index.names[word]))
                weights.append(len(word) / (len(word) + 2))
        if not found:
            return NO_HITS
        line, name = np.array(found, np.intp).T
        owner, code, value = rows_of(self.index.name_codes, name)
        value = np.array(weights, np.float32)[owner] * value
        signal = np.full(len(code), NUMBER["specified"])
        return Hits(signal, line[owner] * self.index.n_codes + code, value).highest()

    def _makes(self, queries: Sequence[Query]) -> Hits:
        """What brands are known for; of an unknown make, what its own name ends with (某某桃片).

        A known brand's name may say something else (金龙鱼, 三只松鼠).
        """
        known = self.brands.hits("brand", [(*q.brands, *q.reading.brands) for q in queries])
        found: list[tuple[int, int]] = []  # (line, place of the name)
        for i, query in enumerate(queries):
            for brand in query.brands:
                if brand not in self.brands.words:
                    endings = (brand[start:] for start in range(1, len(brand) - 1))
                    end = next((e for e in endings if e in self.index.names), None)
                    found.extend([(i, self.index.names[end])] if end else [])
        if not found:
            return known
        line, name = np.array(found, np.intp).T
        owner, code, value = rows_of(self.index.name_codes, name)
        signal = np.full(len(code), NUMBER["brand"])
        made = Hits(signal, line[owner] * self.index.n_codes + code, MADE * value)
        return Hits.join([known, made]).highest()

    def _gone(self, terms: np.ndarray) -> frozenset[tuple[int, int]]:
        """(name place, code) of hidden terms."""
        texts, codes, places = self.index.terms, self.index.term_code, self.index.names
        return frozenset((places.get(name_key(texts[t]), -1), int(codes[t])) for t in terms)

    def _declared(self, queries: Sequence[Query]) -> Hits:
        """Half a point each for the declared 简称 and the declared code."""
        found: dict[int, float] = {}
        for i, query in enumerate(queries):
            line = i * self.index.n_codes
            short = query.declared_short_name or query.reading.declared_short_name
            for code in self.facts.short_name_codes.get(short, ()):
                found[line + code] = 0.5
            if (place := self.places.get(query.declared_code)) is not None:
                found[line + place] = found.get(line + place, 0.0) + 0.5
        return Hits.of("declared", found)

    def _situations(self, queries: Sequence[Query]) -> Hits:
        """How strongly scenarios and answers speak for each code."""
        return Hits.of(
            "situation",
            {
                i * self.index.n_codes + self.places[code]: weight
                for i, query in enumerate(queries)
                for code, weight in query.situation.support.items()
                if code in self.places
            },
        )
