"""Which codes a brand, a manufacturer's name or a unit speaks for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from knowledge_base import KnowledgeBase
from models.hits import NO_HITS, NUMBER, Hits, rows_of
from models.normalise import normalise
from models.reading_many import TermReading

CATEGORY_DECAY = 0.8


@dataclass(slots=True)
class Affinity:
    """Words that speak for codes. table: CSR (n_words, n_codes) float32, 0…1."""

    words: dict[str, int]
    table: sparse.csr_matrix

    def hits(self, name: str, found: Sequence[Iterable[str]]) -> Hits:
        """Strongest support per code for each line's words, as the signal of this name."""
        known = [(i, self.words[w]) for i, words in enumerate(found) for w in words
                 if w in self.words]  # fmt: skip
        if not known:
            return NO_HITS
        line = np.array([i for i, _ in known], np.intp)
        owner, code, value = rows_of(self.table, [row for _, row in known])
        signal = np.full(len(code), NUMBER[name])
        return Hits(signal, line[owner] * self.table.shape[1] + code, value).highest()


def _affinity(support: Mapping[str, Mapping[int, float]], n_codes: int) -> Affinity:
    words = {word: i for i, word in enumerate(sorted(support))}
    rows, columns, data = [], [], []
    for word, i in words.items():
        for code, weight in sorted(support[word].items()):
            rows.append(i)
            columns.append(code)
            data.append(weight)
    table = sparse.csr_matrix(
        (np.array(data, np.float32), (rows, columns)), shape=(len(words), n_codes)
    )
    return Affinity(words, table)


def _spread(
    kb: KnowledgeBase, codes: Sequence[str], places: Mapping[str, int], weight: float
) -> dict[int, float]:
    """A category's codes, the first ones most; a subtree's leaves share its weight."""
    support: dict[int, float] = {}
    for rank, code in enumerate(codes):
        leaves = kb.taxonomy.under(code)
        share = weight * CATEGORY_DECAY**rank / max(len(leaves), 1) ** 0.25
        for leaf in leaves:
            place = places[leaf.code]
            support[place] = max(support.get(place, 0.0), share)
    return support


def compile_brands(
    kb: KnowledgeBase,
    places: Mapping[str, int],
    samples: Iterable[tuple[int, TermReading]],
) -> Affinity:
    """Brand or alias → codes: its categories, and the codes of samples that carry it.

    samples: (code place, reading) pairs.
    """
    support: dict[str, dict[int, float]] = defaultdict(dict)
    categories = kb.lexicon.brand_categories
    for brand in kb.lexicon.brands:
        merged: dict[int, float] = {}
        for rank, category in enumerate(brand.categories):
            weight = CATEGORY_DECAY**rank
            for place, share in _spread(kb, categories.get(category, ()), places, weight).items():
                merged[place] = max(merged.get(place, 0.0), share)
        for name in (brand.name, *brand.aliases):
            if len(name) > 1:
                support[normalise(name)].update(merged)
    seen: dict[str, Counter[int]] = defaultdict(Counter)
    for code, reading in samples:
        for name in reading.brands:
            seen[name][code] += 1
    for name, counts in seen.items():
        total = sum(counts.values())
        for code, count in counts.items():
            share = count / (total + 1.0)
            support[name][code] = max(support[name].get(code, 0.0), share)
    return _affinity(support, len(places))


def compile_makers(kb: KnowledgeBase, places: Mapping[str, int]) -> Affinity:
    """Word in a company name (酒业, 制药) → codes of what such a company makes or sells."""
    support = {
        word: _spread(kb, codes, places, 1.0) for word, codes in kb.lexicon.maker_words.items()
    }
    return _affinity(support, len(places))


def words_in(text: str, words: Mapping[str, int], longest: int = 8) -> list[str]:
    """The listed words that a company name holds; a word inside a longer hit is left out."""
    hits: list[tuple[int, int]] = []
    for i in range(len(text)):
        for j in range(min(len(text), i + longest), i + 1, -1):
            if text[i:j] in words:
                if not any(a <= i and j <= b for a, b in hits):
                    hits.append((i, j))
                break
    return [text[a:b] for a, b in hits]
