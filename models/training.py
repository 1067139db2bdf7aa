"""Training the learned part: which lines are learned from, and rankers fitted on them.

Queries to learn from are samples and everyday names, each answered with its own text hidden from
the index (leave-one-out), and labelled development lines. What comes out is small: trees and a
handful of numbers, kept as JSON.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Sequence

import numpy as np

from knowledge_base import KnowledgeBase
from knowledge_base.lexicon import Sample
from models.compiled import is_frozen
from models.examples import Examples, OwnText, join
from models.fitting import fit_ranker
from models.index import NAME, Term
from models.labels import LabelledLine
from models.matcher import BATCH
from models.nonsense import nonsense
from models.out_of_fold import OutOfFold, cross_answered
from models.query import Query
from models.ranking import Ranker
from models.reading_many import TermReading
from models.signals import SHORTLIST, Signals

N_SAMPLES, N_NAMES = 9000, 6000
CONTEXT_WEIGHT, SAMPLE_WEIGHT, NAME_WEIGHT, LABELLED_WEIGHT = 2.0, 1.0, 0.3, 8.0
N_NONSENSE, NONSENSE_WEIGHT = 2000, 0.5
SHOWN = 0.2  # share of the names that the index knows when they are asked about
NONE = np.empty(0, np.int64)
FOLDS = 5


class Trainer:
    """Turns labelled lines into examples and examples into a ranker and a calibration."""

    def __init__(self, kb: KnowledgeBase, signals: Signals, on: dt.date, seed: int = 0):
        self._kb = kb
        self._signals = signals
        self._codes = signals.index.codes
        self._places = {code: i for i, code in enumerate(self._codes)}
        self._allowed = np.array([kb.taxonomy[c].is_valid_on(on) for c in self._codes])
        self._seed = seed

    def lexicon_examples(
        self,
        terms: Sequence[Term],
        readings: Sequence[TermReading],
        query_of: Callable[[Sample], Query],
        n_samples: int = N_SAMPLES,
        n_names: int = N_NAMES,
    ) -> tuple[Examples, list[Query]]:
        """Samples and names as queries, each with its own text hidden; but a share of the names
        is asked about as known, as people do.

        query_of: Sample → Query; n_samples, n_names: at most so many without context.
        """
        chance = random.Random(self._seed)
        samples = [s for s in self._kb.lexicon.samples() if not is_frozen(s)]
        whole = [s for s in samples if s.manufacturer or s.brand or s.unit]
        plain = [s for s in samples if not (s.manufacturer or s.brand or s.unit)]
        names = [Sample(self._codes[t.code], t.text) for t in terms if t.kinds == NAME]
        parts = (
            (whole, len(whole), CONTEXT_WEIGHT, 0.0),
            (plain, n_samples, SAMPLE_WEIGHT, 0.0),
            (names, n_names, NAME_WEIGHT, SHOWN),
        )
        chosen, weight, shown = [], [], []
        for rows, size, value, share in parts:
            some = chance.sample(rows, min(size, len(rows)))
            chosen.extend(some)
            weight.extend([value] * len(some))
            shown.extend(chance.random() < share for _ in some)
        own = OwnText(terms, readings, chance)
        queries = [query_of(s) for s in chosen]
        hidden = [
            NONE if known else own.places(sample.name, query.reading.core, self._places[sample.code])
            for sample, query, known in zip(chosen, queries, shown, strict=True)
        ]
        answers = [frozenset({s.code}) for s in chosen]
        return self._examples(queries, answers, None, weight, hidden), queries

    def nonsense_examples(
        self, query_of: Callable[[Sample], Query], count: int = N_NONSENSE, draw: int = 0
    ) -> Examples:
        """Names that mean nothing: no candidate is right. draw: other names for other numbers."""
        names = [name for _, name in self._kb.lexicon.everyday_names()]
        made = nonsense(names, count, self._seed + draw)
        queries = [query_of(Sample("", text)) for text in made]
        nothing = [frozenset[str]()] * count
        return self._examples(queries, nothing, None, [NONSENSE_WEIGHT] * count, None)

    def labelled_examples(
        self,
        lines: Sequence[LabelledLine],
        queries: Sequence[Query],
        weight: float = LABELLED_WEIGHT,
    ) -> Examples:
        """Lines that the index was made without; where one has no code, a right 简称 is right."""
        codes = [line.codes for line in lines]
        shorts = [line.short_names for line in lines]
        return self._examples(queries, codes, shorts, [weight] * len(lines), None)

    def _examples(
        self,
        queries: Sequence[Query],
        codes: Sequence[frozenset[str]],
        shorts: Sequence[frozenset[str]] | None,
        weight: Sequence[float],
        hidden: Sequence[np.ndarray] | None,
    ) -> Examples:
        values, places = [], []
        for start in range(0, len(queries), BATCH):
            part = slice(start, start + BATCH)
            found = self._signals.candidates(
                queries[part], self._allowed, None if hidden is None else hidden[part]
            )
            values.append(found.values)
            places.append(found.code)
        code = np.concatenate(places)
        names = [self._kb.taxonomy.short_names(c) for c in self._codes]
        right = np.zeros(len(code), bool)
        right_short = np.zeros(len(code), bool)
        for pair, place in enumerate(code):
            line = pair // SHORTLIST
            wanted = shorts[line] if shorts is not None else None
            if wanted:
                right_short[pair] = bool(names[place] & wanted)
            else:
                right_short[pair] = any(names[place] & self._kb.taxonomy.short_names(c)
                                        for c in codes[line])  # fmt: skip
            right[pair] = self._codes[place] in codes[line] if codes[line] else right_short[pair]
        return Examples(
            np.concatenate(values), right, right_short, np.repeat(weight, SHORTLIST), code
        )

    def fit_ranker(self, examples: Examples) -> Ranker:
        """Trees over all signals."""
        return fit_ranker(examples, self._seed)

    def cross_fit(self, lexicon: Examples, labelled: Examples) -> OutOfFold:
        """The best candidate of each labelled line by a ranker that never saw the line."""
        fold = np.random.RandomState(self._seed).permutation(labelled.n_lines) % FOLDS
        return cross_answered(
            lambda seen: self.fit_ranker(join([lexicon, seen])),
            labelled,
            fold,
            self._signals.facts.group,
        )
