"""Signals: for one line and one code, every independent hint as a number.

All signals are computed as dense arrays over (lines, codes), the best codes are short-listed, and
their signals are laid out as one row a candidate: the ranker's input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz
from scipy import sparse

from models import features
from models.affinity import words_in
from models.compiled import Compiled
from models.index import KEYWORD, NAME, OFFICIAL, SAMPLE, TARIFF
from models.query import Query
from models.reading import Reading
from models.words import name_key

SHORTLIST = 24
PRUNE = 0.3
# From this weight on a core is a known name; what a transformation leaves and carries over.
KNOWN, LEFT_BEHIND, CARRIED = 0.5, np.float32(0.4), np.float32(0.8)
CARRYING = ("suffix", "inside", "name", "official", "vote", "end1", "end2", "end3", "head")
FEW = 4  # up to this many lines are multiplied without scipy
MAX_NAME = 12
# From this support on, a brand or maker speaks for few codes: those are always short-listed.
SPECIFIC = 0.5
TIE = np.float32(1e-7)
# Signals that most lines do not have.
RARE = {"exact", "core_exact", "brand", "maker", "declared", "moved", "situation", "tariff"}

# Signals read from dense arrays, in the order of the feature matrix. Those in RELATIVE are given
# a second time as the distance to the line's best candidate.
DENSE = (
    "official", "tariff", "name", "sample", "vote", "profile", "end1", "end2", "end3", "head",
    "exact", "core_exact", "suffix", "inside", "brand", "maker", "meaning", "declared", "moved",
    "situation",
)  # fmt: skip
RELATIVE = ("official", "name", "sample", "vote", "profile", "end2", "head", "suffix", "inside",
            "brand", "maker", "meaning")  # fmt: skip
STATIC = ("catch_all", "log_terms", "service", "excluded")
PAIR = ("fuzzy", "unit_service", "unit_goods")
GROUP = ("group_vote", "family_vote", "agreement", "rank")
LINE = ("core_length", "best_term", "best_suffix", "n_close")
NAMES = (*DENSE, *(f"{n}_gap" for n in RELATIVE), *STATIC, *PAIR, *GROUP, *LINE)

# First-pass weights: they only decide which codes are short-listed.
_FIRST = {
    "official": 0.8, "tariff": 0.4, "name": 1.0, "sample": 0.9, "vote": 0.5, "profile": 0.8,
    "end2": 0.4, "end3": 0.3, "head": 0.3, "exact": 1.0, "core_exact": 0.8, "suffix": 0.8,
    "inside": 0.3, "brand": 0.4, "maker": 0.2, "meaning": 0.8, "declared": 0.6, "moved": 1.0,
    "situation": 3.0,
}  # fmt: skip


@dataclass(slots=True)
class Candidates:
    """Short-listed codes of a batch, flattened.

    row, code: (n_pairs,) int32: line and code place; start: (n_lines + 1,) offsets;
    values: (n_pairs, len(NAMES)) float32; term: place of the nearest term, −1 without one.
    """

    row: np.ndarray
    code: np.ndarray
    start: np.ndarray
    values: np.ndarray
    term: np.ndarray


class Signals:
    """Computes the candidates of a batch of queries."""

    def __init__(self, compiled: Compiled):
        self.index = compiled.index
        self.facts = compiled.facts
        self.brands = compiled.brands
        self.makers = compiled.makers
        self.meaning = compiled.meaning
        self.transformations = compiled.transformations
        self.service_units = compiled.service_units
        self.goods_units = compiled.goods_units
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
        dense: dict[str, np.ndarray] = {}
        best_term = self._terms(vectors, dense, hidden)
        dense["profile"] = _product(vectors, self.index.profiles)
        self._ends(readings, dense)
        self._names(queries, dense, hidden)
        dense["brand"] = self.brands.rows([(*q.brands, *q.reading.brands) for q in queries])
        dense["maker"] = self.makers.rows([words_in(q.maker, self.makers.words) for q in queries])
        dense["meaning"] = self.meaning.similarity(raw)
        dense["declared"] = self._declared(queries)
        dense["situation"] = self._situations(queries)
        bare = np.maximum(dense["suffix"], 0.8 * np.maximum(dense["name"], dense["official"]))
        dense["moved"] = self.transformations.signal(readings, bare)
        _transfer(dense)
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
        return self._flatten(queries, dense, first, top, best_term)

    # -- dense signals ------------------------------------------------------------------------

    def _terms(
        self,
        vectors: sparse.csr_matrix,
        dense: dict[str, np.ndarray],
        hidden: Sequence[np.ndarray] | None,
    ) -> np.ndarray:
        """Nearest-term signals; returns the nearest term of each (line, code), −1 without."""
        n, n_codes = vectors.shape[0], self.index.n_codes
        term, data, row = self._near(vectors, hidden)
        order = np.argsort(data, kind="stable")  # ascending: the last write wins
        term, data, row = term[order], data[order], row[order]
        key = row * n_codes + self.index.term_code[term]
        kinds = self.index.term_kind[term]
        for name, bits in (
            ("official", OFFICIAL | KEYWORD),
            ("tariff", TARIFF),
            ("name", NAME),
            ("sample", SAMPLE),
        ):
            values = np.zeros(n * n_codes, np.float32)
            chosen = (kinds & bits) > 0
            values[key[chosen]] = data[chosen]
            dense[name] = values.reshape(n, n_codes)
        votes = np.bincount(key, data.astype(np.float64) ** 4, minlength=n * n_codes)
        votes = votes.reshape(n, n_codes)
        totals = votes.sum(axis=1, keepdims=True)
        dense["vote"] = (votes / np.maximum(totals, 1e-9)).astype(np.float32)
        best_term = np.full(n * n_codes, -1, np.int32)
        best_term[key] = term
        return best_term.reshape(n, n_codes)

    def _near(
        self, vectors: sparse.csr_matrix, hidden: Sequence[np.ndarray] | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(term, similarity, line) of every term near enough to its line's nearest one."""
        n = vectors.shape[0]
        if n <= FEW and hidden is None:
            dense = _product(vectors, self.index.postings)
            limit = np.maximum(PRUNE * dense.max(axis=1), 0.05)
            places = [np.flatnonzero(dense[i] > limit[i]) for i in range(n)]
            row = np.repeat(np.arange(n), [len(p) for p in places])
            term = np.concatenate(places)
            return term, dense[row, term], row
        found = (vectors @ self.index.postings).tocsr()
        if hidden is not None:
            for i, gone in enumerate(hidden):
                a, b = found.indptr[i : i + 2]
                found.data[a:b][np.isin(found.indices[a:b], gone)] = 0
        lengths = np.diff(found.indptr)
        row = np.repeat(np.arange(n), lengths)
        best = np.zeros(n, np.float32)
        filled = lengths > 0
        if found.nnz:
            best[filled] = np.maximum.reduceat(found.data, found.indptr[:-1][filled])
        keep = found.data > np.maximum(PRUNE * best[row], 0.05)
        return found.indices[keep], found.data[keep], row[keep]

    def _ends(self, readings: Sequence[Reading], dense: dict[str, np.ndarray]) -> None:
        n, n_codes = len(readings), self.index.n_codes
        for name in ("end1", "end2", "end3", "head"):
            dense[name] = np.zeros((n, n_codes), np.float32)
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
            dense[name] = self._spread(hits, len(queries), gone)

    def _spread(
        self,
        hits: Sequence[tuple[int, int, float]],
        n: int,
        gone: Sequence[frozenset[tuple[int, int]]] | None,
    ) -> np.ndarray:
        """Best weight of each (line, code) over the hits (line, name place, weight)."""
        n_codes = self.index.n_codes
        out = np.zeros(n * n_codes, np.float32)
        if hits:
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
            np.maximum.at(out, line * n_codes + code, value)
        return out.reshape(n, n_codes)

    def _gone(self, terms: np.ndarray) -> frozenset[tuple[int, int]]:
        """(name place, code) of hidden terms."""
        texts, codes, places = self.index.terms, self.index.term_code, self.index.names
        return frozenset((places.get(name_key(texts[t]), -1), int(codes[t])) for t in terms)

    def _declared(self, queries: Sequence[Query]) -> np.ndarray:
        out = np.zeros((len(queries), self.index.n_codes), np.float32)
        for i, query in enumerate(queries):
            short = query.declared_short_name or query.reading.declared_short_name
            if short in self.facts.short_name_codes:
                out[i, self.facts.short_name_codes[short]] = 0.5
            if query.declared_code in self._places:
                out[i, self._places[query.declared_code]] += 0.5
        return out

    def _situations(self, queries: Sequence[Query]) -> np.ndarray:
        """How strongly scenarios and answers speak for each code."""
        out = np.zeros((len(queries), self.index.n_codes), np.float32)
        for i, query in enumerate(queries):
            for code, weight in query.situation.support.items():
                if (place := self._places.get(code)) is not None:
                    out[i, place] = weight
        return out

    # -- candidate rows -------------------------------------------------------------------------

    def _flatten(
        self,
        queries: Sequence[Query],
        dense: dict[str, np.ndarray],
        first: np.ndarray,
        top: np.ndarray,
        best_term: np.ndarray,
    ) -> Candidates:
        n, size = top.shape
        lines = np.arange(n)[:, None]
        block: dict[str, np.ndarray] = {name: dense[name][lines, top] for name in DENSE}
        for name in RELATIVE:
            block[f"{name}_gap"] = block[name] - block[name].max(axis=1, keepdims=True)
        facts = self.facts
        term = best_term[lines, top]
        block["catch_all"] = facts.catch_all[top]
        block["service"] = facts.service[top]
        block["log_terms"] = np.log1p(self.index.term_count)[top]
        block["excluded"] = self._excluded(queries, top)
        block["fuzzy"] = self._fuzzy(queries, term)
        service_unit = np.array([q.unit in self.service_units for q in queries])[:, None]
        goods_unit = np.array([q.unit in self.goods_units for q in queries])[:, None]
        block["unit_service"] = np.where(service_unit, 1 - 2 * facts.service[top], 0)
        block["unit_goods"] = np.where(goods_unit, 2 * facts.service[top] - 1, 0)
        strength = np.exp(3.0 * (np.take_along_axis(first, top, 1)))
        strength /= strength.sum(axis=1, keepdims=True)
        block["group_vote"] = _shared(strength, facts.group[top])
        block["family_vote"] = _shared(strength, facts.family[top])
        agreeing = ("official", "name", "sample", "profile", "end2", "head", "suffix", "meaning")
        block["agreement"] = sum(
            ((block[f"{s}_gap"] >= 0) & (block[s] > 0)).astype(np.float32) for s in agreeing
        )  # type: ignore[assignment]
        block["rank"] = np.broadcast_to(np.arange(size, dtype=np.float32), (n, size))
        best_any = np.maximum.reduce([block["official"], block["name"], block["sample"]])
        length = np.array([len(q.reading.core) for q in queries], np.float32)[:, None]
        block["core_length"] = np.broadcast_to(length, (n, size))
        block["best_term"] = np.broadcast_to(best_any.max(axis=1, keepdims=True), (n, size))
        block["best_suffix"] = np.broadcast_to(
            block["suffix"].max(axis=1, keepdims=True), (n, size)
        )
        close = (strength > 0.5 * strength.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True)
        block["n_close"] = np.broadcast_to(close, (n, size))
        # Rounded, so that a line gets the same score alone and in a batch.
        values = np.stack([block[name] for name in NAMES], axis=2).round(4).astype(np.float32)
        return Candidates(
            row=np.repeat(np.arange(n, dtype=np.int32), size),
            code=top.ravel().astype(np.int32),
            start=np.arange(0, n * size + 1, size, dtype=np.int32),
            values=values.reshape(n * size, len(NAMES)),
            term=term.ravel(),
        )

    def _excluded(self, queries: Sequence[Query], top: np.ndarray) -> np.ndarray:
        """−1 where the official note takes the named goods out of the code, +1 where it sends
        them there."""
        out = np.zeros(top.shape, np.float32)
        for i, query in enumerate(queries):
            core = query.reading.core
            for start in range(len(core) - 1):  # the longest ending first: the shorter one wins
                for source, target in self.facts.excluded_terms.get(core[start:], ()):
                    out[i, top[i] == source] = -1.0
                    out[i, top[i] == target] = 1.0
        return out

    def _fuzzy(self, queries: Sequence[Query], term: np.ndarray) -> np.ndarray:
        """Similarity (0–1) of the core and the candidate's nearest term."""
        out = np.zeros(term.shape, np.float32)
        terms = self.index.terms
        for i, query in enumerate(queries):
            core = query.reading.core
            for j, place in enumerate(term[i, :]):
                if place >= 0:
                    out[i, j] = fuzz.ratio(core, terms[place]) / 100
        return out


def _transfer(dense: dict[str, np.ndarray]) -> None:
    """Let a transformation act: what the bare name says passes from the codes it leaves to the
    code it goes to, except where the whole core is a known name of a code."""
    for i in np.flatnonzero(dense["moved"].any(axis=1)):
        if dense["core_exact"][i].max() >= KNOWN:
            continue
        moved = dense["moved"][i]
        left = np.flatnonzero((moved < 0) & (dense["core_exact"][i] == 0))
        reached = np.flatnonzero(moved > 0)
        for name in CARRYING:
            row = dense[name][i]
            row[left] *= LEFT_BEHIND
            row[reached] = np.maximum(row[reached], CARRIED * moved[reached])


def _product(rows: sparse.csr_matrix, table: sparse.csr_matrix) -> np.ndarray:
    """rows @ table, dense; a few rows are added up slice by slice, which spares scipy's set-up."""
    if rows.shape[0] > FEW:
        dense: np.ndarray = (rows @ table).toarray()
        return dense
    out = np.zeros((rows.shape[0], table.shape[1]), np.float32)
    for i, total in enumerate(out):
        a, b = rows.indptr[i : i + 2]
        for bucket, weight in zip(rows.indices[a:b].tolist(), rows.data[a:b], strict=True):
            start, end = table.indptr[bucket], table.indptr[bucket + 1]
            if start < end:  # a bucket's columns are all different
                total[table.indices[start:end]] += weight * table.data[start:end]
    return out


def _shared(strength: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Per candidate: the strength of all candidates of its group, (n, size)."""
    same = groups[:, :, None] == groups[:, None, :]
    total: np.ndarray = np.einsum("ijk,ik->ij", same, strength).astype(np.float32)
    return total
