"""The compiled form of what is known: terms as sparse vectors, name and brand look-ups, priors.

Compiled once from the knowledge base (`compile_index`), kept as plain arrays in a bundle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from knowledge_base import KnowledgeBase
from knowledge_base.lexicon import Sample
from knowledge_base.taxonomy import TaxCode
from models import features
from models.reading_many import TermReading

# Where a term comes from, as bits: one text can be several of these for a code.
OFFICIAL, KEYWORD, TARIFF, NAME, SAMPLE = 1, 2, 4, 8, 16
PROFILE_KINDS = OFFICIAL | KEYWORD | NAME | SAMPLE
PROFILE_FLOOR = 0.02
COMMON = 1000
NAME_WEIGHT = ((OFFICIAL, 1.0), (KEYWORD, 0.9), (NAME, 0.85))


@dataclass(slots=True)
class Term:
    """One text under one code; `kinds` are the bits above."""

    text: str
    code: int
    kinds: int


@dataclass(slots=True)
class Index:
    """Arrays over leaves (n_codes), terms (n_terms) and features (N_FEATURES).

    codes: leaf codes in order, shape (n_codes,).
    terms: texts, in the order of term_code and term_kind (n_terms,).
    postings: idf-weighted unit term vectors, transposed: (N_FEATURES, n_terms) float32.
    profiles: one unit vector a code, transposed: (N_FEATURES, n_codes) float32.
    ends: P(code | ending or head feature): (N_FEATURES, n_codes) float32.
    names: text → place in name_codes; name_codes: CSR (n_names, n_codes), 1 = everyday or
    official name of that code, float32.
    """

    codes: list[str]
    terms: Sequence[str]
    term_code: np.ndarray
    term_kind: np.ndarray
    idf: np.ndarray
    postings: sparse.csr_matrix
    profiles: sparse.csr_matrix
    ends: sparse.csr_matrix
    names: dict[str, int]
    name_codes: sparse.csr_matrix
    term_count: np.ndarray

    @property
    def n_codes(self) -> int:
        return len(self.codes)


def leaves_of(kb: KnowledgeBase) -> list[TaxCode]:
    """Every leaf of any date, in code order: the columns of all arrays."""
    return kb.taxonomy.leaves()


def terms_of(kb: KnowledgeBase, samples: Iterable[Sample]) -> list[Term]:
    """Official and everyday terms and the given samples, one entry a text and code."""
    leaves = leaves_of(kb)
    place = {leaf.code: i for i, leaf in enumerate(leaves)}
    kinds: dict[tuple[str, int], int] = defaultdict(int)
    named = {node.name for node in kb.taxonomy if not node.is_leaf}
    for i, leaf in enumerate(leaves):
        kinds[leaf.name, i] |= OFFICIAL
        for word in leaf.keywords:
            kinds[word, i] |= KEYWORD
        named.update((leaf.name, *leaf.keywords))
        for word in leaf.tariff_names:
            kinds[word, i] |= TARIFF
    for code, name in kb.lexicon.everyday_names():
        kinds[name, place[code]] |= NAME
        named.add(name)
    # A note on what a code includes names materials and uses as well (饼干, of an oven for them):
    # what other goods are called by stays theirs.
    for i, leaf in enumerate(leaves):
        for word in leaf.includes:
            if word not in named or (word, i) in kinds:
                kinds[word, i] |= KEYWORD
    for sample in samples:
        kinds[sample.name, place[sample.code]] |= SAMPLE
    for row in kb.lexicon.confirmed:
        if row.code in place:  # the table in use may be older than the decision
            kinds[row.name, place[row.code]] |= NAME if row.whole else SAMPLE
    for head, code in kb.lexicon.heads.items():
        kinds[head, place[code]] |= NAME
    return [Term(text, code, bits) for (text, code), bits in kinds.items() if text.strip()]


def compile_index(
    kb: KnowledgeBase,
    terms: Sequence[Term],
    readings: Sequence[TermReading],
    raw: sparse.csr_matrix,
    names: Iterable[str],
) -> Index:
    """Index over the terms.

    readings, raw: readings and feature rows (n_terms, N_FEATURES) of the terms, in their order;
    names: the texts to look up whole.
    """
    codes = [leaf.code for leaf in leaves_of(kb)]
    n_codes, n_terms = len(codes), len(terms)
    term_code = np.fromiter((t.code for t in terms), np.int32, n_terms)
    term_kind = np.fromiter((t.kinds for t in terms), np.uint8, n_terms)
    frequency = np.bincount(raw.indices, minlength=features.N_FEATURES)
    idf = np.log((n_terms + 1) / (frequency + 1)).astype(np.float32)
    vectors = features.Rows.of(raw).scaled(idf).matrix()
    places, name_codes = _names(terms, readings, names, n_codes)
    return Index(
        codes=codes,
        terms=[t.text for t in terms],
        term_code=term_code,
        term_kind=term_kind,
        idf=idf,
        postings=_without_common(vectors).T.tocsr(),
        profiles=_profiles(vectors, term_code, term_kind, n_codes),
        ends=_ends(readings, term_code, term_kind, n_codes),
        names=places,
        name_codes=name_codes,
        term_count=np.bincount(term_code, minlength=n_codes).astype(np.float32),
    )


def _without_common(vectors: sparse.csr_matrix) -> sparse.csr_matrix:
    """Term vectors without the features that very many terms share: half the work of a search,
    and alone they never make two names alike (profiles and endings keep them)."""
    frequency = np.bincount(vectors.indices, minlength=vectors.shape[1])
    kept = vectors.copy()
    kept.data[frequency[kept.indices] > COMMON] = 0
    kept.eliminate_zeros()
    return kept


def _by_code(term_code: np.ndarray, rows: np.ndarray, n_codes: int) -> sparse.csr_matrix:
    """(n_codes, n_terms) indicator of the chosen term rows."""
    ones = np.ones(len(rows), np.float32)
    return sparse.csr_matrix((ones, (term_code[rows], rows)), shape=(n_codes, len(term_code)))


def _profiles(
    vectors: sparse.csr_matrix, term_code: np.ndarray, term_kind: np.ndarray, n_codes: int
) -> sparse.csr_matrix:
    """Sum of a code's term vectors, damped (square root), of length one, small weights dropped."""
    rows = np.flatnonzero(term_kind & PROFILE_KINDS)
    total = (_by_code(term_code, rows, n_codes) @ vectors).tocsr()
    total.data = np.sqrt(total.data)
    lengths = np.sqrt(np.asarray(total.multiply(total).sum(axis=1)).ravel())
    total.data /= np.repeat(np.maximum(lengths, 1e-6), np.diff(total.indptr)).astype(np.float32)
    total.data[total.data < PROFILE_FLOOR] = 0
    total.eliminate_zeros()
    return total.T.tocsr().astype(np.float32)


def _ends(
    readings: Sequence[TermReading], term_code: np.ndarray, term_kind: np.ndarray, n_codes: int
) -> sparse.csr_matrix:
    """How often a name with this ending (or head) belongs to a code: smoothed shares."""
    rows: list[int] = []
    columns: list[int] = []
    for i in np.flatnonzero(term_kind & PROFILE_KINDS).tolist():
        for bucket in features.end_buckets(readings[i].core, readings[i].head):
            rows.append(bucket)
            columns.append(term_code[i])
    counts = sparse.coo_matrix(
        (np.ones(len(rows), np.float32), (rows, columns)), shape=(features.N_FEATURES, n_codes)
    ).tocsr()
    totals = np.asarray(counts.sum(axis=1)).ravel() + 2.0
    counts.data /= np.repeat(totals, np.diff(counts.indptr)).astype(np.float32)
    return counts


def _names(
    terms: Sequence[Term], readings: Sequence[TermReading], names: Iterable[str], n_codes: int
) -> tuple[dict[str, int], sparse.csr_matrix]:
    """Every whole name (not samples, not tariff names) → its codes. Official names weigh 1,
    keywords and everyday names less; a text shared by several codes is divided among them."""
    places = {name: i for i, name in enumerate(sorted(names))}
    rows, columns, weights = [], [], []
    for term, reading in zip(terms, readings, strict=True):
        place = places.get(reading.normalised.replace(" ", ""))
        weight = max((w for bits, w in NAME_WEIGHT if term.kinds & bits), default=0.0)
        if place is not None and weight:
            rows.append(place)
            columns.append(term.code)
            weights.append(weight)
    table = sparse.coo_matrix(
        (np.array(weights, np.float32), (rows, columns)), shape=(len(places), n_codes)
    ).tocsr()
    table.data = np.minimum(table.data, 1.0)
    shared = np.diff(table.indptr)
    table.data /= np.repeat(np.sqrt(np.maximum(shared, 1)), shared).astype(np.float32)
    return places, table
