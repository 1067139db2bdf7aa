"""Signals: for one line and one code, every independent hint as a number.

All signals are computed as dense arrays over (lines, codes), and the best codes are short-listed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from models import features
from models.affinity import words_in
from models.candidates import DENSE, Candidates, flatten
from models.compiled import Compiled
from models.nearest import nearest_terms, product
from models.query import Query
from models.reading import Reading
from models.transformation import transfer
from models.words import name_key

SHORTLIST = 24
MAX_NAME = 12
# From this support on, a brand or maker speaks for few codes: those are always short-listed.
SPECIFIC = 0.5
# What a specification says of the packing: 彩色纸盒包装, 塑料袋装.
_PACKED = re.compile(r"[\u4e00-\u9fff]{0,8}[瓶袋盒罐桶杯箱包听散简][装裹]|零售价")
TIE = np.float32(1e-7)
# Signals that most lines do not have.
RARE = {"exact", "core_exact", "brand", "maker", "declared", "moved", "situation", "tariff",
        "specified"}  # fmt: skip

# First-pass weights: they only decide which codes are short-listed.
_FIRST = {
    "official": 0.8, "tariff": 0.4, "name": 1.0, "sample": 0.9, "vote": 0.5, "profile": 0.8,
    "end2": 0.4, "end3": 0.3, "head": 0.3, "exact": 1.0, "core_exact": 0.8, "suffix": 0.8,
    "inside": 0.3, "brand": 0.4, "maker": 0.2, "meaning": 0.8, "declared": 0.6, "moved": 1.0,
    "situation": 3.0, "specified": 0.3,
}  # fmt: skip


class Signals:
    """Computes the candidates of a batch of queries."""

    def __init__(self, compiled: Compiled):
        self._compiled = compiled
        self.index = compiled.index
        self.facts = compiled.facts
        self.brands = compiled.brands
        self.makers = compiled.makers
        self.meaning = compiled.meaning
        self.transformations = compiled.transformations
        self._places = {code: i for i, code in enumerate(self.index.codes)}

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
        raw = features.matrix(readings)
        vectors = features.scale(raw, self.index.idf)
        stack = np.zeros((len(DENSE), n, n_codes), np.float32)
        dense = dict(zip(DENSE, stack, strict=True))  # views: each signal fills in its own
        best_term = nearest_terms(self.index, vectors, dense, hidden)
        dense["profile"][:] = product(vectors, self.index.profiles)
        self._ends(readings, dense)
        self._names(queries, dense, hidden)
        self.brands.fill(dense["brand"], [(*q.brands, *q.reading.brands) for q in queries])
        makers = [words_in(q.maker, self.makers.words) for q in queries]
        self.makers.fill(dense["maker"], makers)
        dense["meaning"][:] = self.meaning.similarity(raw)
        self._declared(queries, dense["declared"])
        self._situations(queries, dense["situation"])
        self._specified(queries, dense["specified"])
        bare = np.maximum(dense["suffix"], 0.8 * np.maximum(dense["name"], dense["official"]))
        beside = self.transformations.fill(dense["moved"], readings, bare, dense["core_exact"])
        transfer(dense, beside)
        first = np.zeros((n, n_codes), np.float32)
        part = np.empty_like(first)
        for name, weight in _FIRST.items():
            if name not in RARE or dense[name].any():
                first += np.multiply(dense[name], np.float32(weight), out=part)
        for name in ("brand", "maker"):
            if dense[name].any():
                best = dense[name].max(axis=1, keepdims=True)
                first += dense[name] >= np.maximum(best, SPECIFIC)
        first[:, ~allowed] = -1.0
        size = min(SHORTLIST, n_codes)
        first -= np.arange(n_codes, dtype=np.float32) * TIE  # equals: the lower code first
        top = np.argpartition(-first, size - 1, axis=1)[:, :size]
        order = np.argsort(-np.take_along_axis(first, top, 1), axis=1, kind="stable")
        top = np.take_along_axis(top, order, 1)
        return flatten(self._compiled, queries, stack, first, top, best_term)

    # -- dense signals ------------------------------------------------------------------------

    def _ends(self, readings: Sequence[Reading], dense: dict[str, np.ndarray]) -> None:
        table = self.index.ends
        for i, reading in enumerate(readings):
            buckets = features.end_buckets(reading.core, reading.head)
            if not buckets:
                continue
            for name, bucket in (*zip(("end1", "end2", "end3"), buckets[:-1], strict=False),
                                 ("head", buckets[-1])):  # fmt: skip
                a, b = table.indptr[bucket : bucket + 2]
                dense[name][i, table.indices[a:b]] = table.data[a:b]

    def _names(
        self,
        queries: Sequence[Query],
        dense: dict[str, np.ndarray],
        hidden: Sequence[np.ndarray] | None,
    ) -> None:
        """Whole-name hits: exact, exact core, longest ending of the core, longest inside."""
        found: dict[str, list[tuple[int, int, float]]] = {
            name: [] for name in ("exact", "core_exact", "suffix", "inside")
        }
        places = self.index.names
        for i, query in enumerate(queries):
            core, clean, whole = (
                text.replace(" ", "")
                for text in (query.reading.core, query.reading.clean, query.reading.normalised)
            )
            for text in (clean, whole):
                if (place := places.get(text)) is not None:
                    found["exact"].append((i, place, 1.0))
            if (place := places.get(core)) is not None:
                found["core_exact"].append((i, place, 1.0))
            size = len(core)
            for start in range(max(0, size - MAX_NAME), size):
                if (place := places.get(core[start:])) is not None:
                    found["suffix"].append((i, place, (size - start) / size))
            size = len(clean)
            for start in range(size):
                for end in range(start + 2, min(size, start + MAX_NAME) + 1):
                    if (place := places.get(clean[start:end])) is not None:
                        share = (end - start) / size * (0.6 + 0.4 * end / size)
                        found["inside"].append((i, place, share))
        gone = [self._gone(rows) for rows in hidden] if hidden is not None else None
        for name, hits in found.items():
            if hits:
                self._spread(dense[name], hits, gone)

    def _specified(self, queries: Sequence[Query], out: np.ndarray) -> None:
        """The longest known names in the specification, what it says of the packing left out."""
        places = self.index.names
        hits = [
            (i, places[word], len(word) / (len(word) + 2))
            for i, query in enumerate(queries)
            if not query.spec.isascii()
            for word in words_in(_PACKED.sub(" ", query.spec), places)
        ]
        if hits:
            self._spread(out, hits, None)

    def _spread(
        self,
        out: np.ndarray,
        hits: Sequence[tuple[int, int, float]],
        gone: Sequence[frozenset[tuple[int, int]]] | None,
    ) -> None:
        """Best weight of each (line, code) over the hits (line, name place, weight)."""
        table = self.index.name_codes
        line = np.array([hit[0] for hit in hits])
        place = np.array([hit[1] for hit in hits])
        weight = np.array([hit[2] for hit in hits], np.float32)
        start, end = table.indptr[place], table.indptr[place + 1]
        length = end - start
        at = np.repeat(end - np.cumsum(length), length) + np.arange(length.sum())
        code = table.indices[at]
        line, place = np.repeat(line, length), np.repeat(place, length)
        value = np.repeat(weight, length) * table.data[at]
        if gone is not None:
            triples = zip(line.tolist(), place.tolist(), code.tolist(), strict=True)
            value *= np.array([(p, c) not in gone[i] for i, p, c in triples], np.float32)
        np.maximum.at(out.reshape(-1), line * self.index.n_codes + code, value)

    def _gone(self, terms: np.ndarray) -> frozenset[tuple[int, int]]:
        """(name place, code) of hidden terms."""
        texts, codes, places = self.index.terms, self.index.term_code, self.index.names
        return frozenset((places.get(name_key(texts[t]), -1), int(codes[t])) for t in terms)

    def _declared(self, queries: Sequence[Query], out: np.ndarray) -> None:
        """Half a point each for the declared 简称 and the declared code."""
        for i, query in enumerate(queries):
            short = query.declared_short_name or query.reading.declared_short_name
            if short in self.facts.short_name_codes:
                out[i, self.facts.short_name_codes[short]] = 0.5
            if query.declared_code in self._places:
                out[i, self._places[query.declared_code]] += 0.5

    def _situations(self, queries: Sequence[Query], out: np.ndarray) -> None:
        """How strongly scenarios and answers speak for each code."""
        for i, query in enumerate(queries):
            for code, weight in query.situation.support.items():
                if (place := self._places.get(code)) is not None:
                    out[i, place] = weight
