"""Fitting the learned part: ranker by scikit-learn, calibration by cross-fitting.

Queries to learn from are samples and everyday names, each answered with its own text hidden from
the index (leave-one-out), and labelled development lines. What comes out is small: trees and a
handful of numbers, kept as JSON.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from knowledge_base import KnowledgeBase
from knowledge_base.lexicon import Sample
from models.calibration import MARGIN_CAP, Calibration, wilson
from models.candidates import AT, NAMES
from models.compiled import is_frozen
from models.index import NAME, Term
from models.labels import LabelledLine
from models.matcher import BATCH, lead
from models.nonsense import nonsense
from models.query import Query
from models.ranking import Ranker
from models.reading_many import TermReading
from models.signals import SHORTLIST, Signals

N_SAMPLES, N_NAMES = 9000, 6000
CONTEXT_WEIGHT, SAMPLE_WEIGHT, NAME_WEIGHT, LABELLED_WEIGHT = 2.0, 1.0, 0.3, 8.0
DECIDED_WEIGHT = 2.0
N_NONSENSE, NONSENSE_WEIGHT = 2000, 0.5
HIDE_CORE = 0.5  # share of the queries for which every term with the same core is hidden too
FOLDS = 5
TREES: dict[str, Any] = {
    "max_iter": 120,
    "learning_rate": 0.08,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 60,
    "l2_regularization": 5.0,
    "early_stopping": False,
}
STRONG_PRECISION, STRONG_FLOOR = 0.98, 0.97
WEAK = 0.35


@dataclass(slots=True)
class Examples:
    """Candidate rows to learn from: values (n_lines · SHORTLIST, n_signals), right and
    right_short_name (n_lines · SHORTLIST,), weight likewise, code places."""

    values: np.ndarray
    right: np.ndarray
    right_short_name: np.ndarray
    weight: np.ndarray
    code: np.ndarray

    @property
    def n_lines(self) -> int:
        return len(self.right) // SHORTLIST

    def lines(self, mask: np.ndarray) -> Examples:
        """The examples of the lines where the mask (n_lines,) is true."""
        m = np.repeat(mask, SHORTLIST)
        return Examples(self.values[m], self.right[m], self.right_short_name[m], self.weight[m],
                        self.code[m])  # fmt: skip


def join(parts: Sequence[Examples]) -> Examples:
    return Examples(*(np.concatenate([getattr(p, f) for p in parts]) for f in
                      ("values", "right", "right_short_name", "weight", "code")))  # fmt: skip


class OwnText:
    """What must not answer a query that the index was made from: terms with its own text, and for
    a share of the queries every term of its code with the same core."""

    def __init__(
        self, terms: Sequence[Term], readings: Sequence[TermReading], chance: random.Random
    ):
        self._chance = chance
        self._by_text: dict[str, list[int]] = defaultdict(list)
        self._by_core: dict[tuple[str, int], list[int]] = defaultdict(list)
        for place, (term, reading) in enumerate(zip(terms, readings, strict=True)):
            self._by_text[term.text].append(place)
            self._by_core[reading.core, term.code].append(place)

    def places(self, name: str, core: str, code: int) -> np.ndarray:
        """Places of the terms to hide, ascending."""
        hide = set(self._by_text.get(name, ()))
        if self._chance.random() < HIDE_CORE:
            hide.update(self._by_core.get((core, code), ()))
        return np.array(sorted(hide), np.int64)


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
        """Samples and names as queries, each with its own text hidden.

        query_of: Sample → Query; n_samples, n_names: at most so many without context.
        """
        chance = random.Random(self._seed)
        samples = [s for s in self._kb.lexicon.samples() if not is_frozen(s)]
        whole = [s for s in samples if s.manufacturer or s.brand or s.unit]
        plain = [s for s in samples if not (s.manufacturer or s.brand or s.unit)]
        names = [Sample(self._codes[t.code], t.text) for t in terms if t.kinds == NAME]
        parts = (
            (whole, len(whole), CONTEXT_WEIGHT),
            (plain, n_samples, SAMPLE_WEIGHT),
            (names, n_names, NAME_WEIGHT),
        )
        chosen, weight = [], []
        for rows, size, value in parts:
            some = chance.sample(rows, min(size, len(rows)))
            chosen.extend(some)
            weight.extend([value] * len(some))
        own = OwnText(terms, readings, chance)
        queries = [query_of(s) for s in chosen]
        hidden = [
            own.places(sample.name, query.reading.core, self._places[sample.code])
            for sample, query in zip(chosen, queries, strict=True)
        ]
        answers = [frozenset({s.code}) for s in chosen]
        return self._examples(queries, answers, None, weight, hidden), queries

    def decided_examples(
        self,
        names: Sequence[str],
        codes: Sequence[str],
        queries: Sequence[Query],
        terms: Sequence[Term],
        readings: Sequence[TermReading],
    ) -> Examples:
        """Decided lines; what the index took from them is hidden like a sample's own text."""
        own = OwnText(terms, readings, random.Random(self._seed))
        hidden = [
            own.places(name, query.reading.core, self._places[code])
            for name, code, query in zip(names, codes, queries, strict=True)
        ]
        answers = [frozenset({code}) for code in codes]
        weight = [DECIDED_WEIGHT] * len(queries)
        return self._examples(queries, answers, None, weight, hidden)

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
        self, lines: Sequence[LabelledLine], queries: Sequence[Query]
    ) -> Examples:
        """Development lines; where a line has no code, a right 简称 is right."""
        codes = [line.codes for line in lines]
        shorts = [line.short_names for line in lines]
        return self._examples(queries, codes, shorts, [LABELLED_WEIGHT] * len(lines), None)

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
        """Trees over all signals, pointwise log-loss."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        model = HistGradientBoostingClassifier(random_state=self._seed, **TREES)
        model.fit(examples.values, examples.right, sample_weight=examples.weight)
        return _ranker_of(model)

    def cross_fit(self, lexicon: Examples, labelled: Examples) -> OutOfFold:
        """The best candidate of each labelled line by a ranker that never saw the line."""
        fold = np.random.RandomState(self._seed).permutation(labelled.n_lines) % FOLDS
        return cross_answered(
            lambda seen: self.fit_ranker(join([lexicon, seen])),
            labelled,
            fold,
            self._signals.facts.group,
        )


@dataclass(slots=True)
class OutOfFold:
    """Per labelled line: score of the best candidate, its lead, whether its 简称 is right, and
    the place of its row in the examples; each (n_lines,)."""

    score: np.ndarray
    margin: np.ndarray
    right: np.ndarray
    pair: np.ndarray


def answered(ranker: Ranker, examples: Examples, groups: np.ndarray) -> OutOfFold:
    """What a ranker answers. groups: (n_codes,) 简称 of each code place."""
    scores = ranker.score(examples.values[:, [AT[name] for name in ranker.signals]])
    n = examples.n_lines
    out = OutOfFold(np.zeros(n), np.zeros(n), np.zeros(n, bool), np.zeros(n, np.int64))
    for line in range(n):
        first = line * SHORTLIST
        order = first + np.argsort(-scores[first : first + SHORTLIST], kind="stable")
        out.score[line] = scores[order[0]]
        out.margin[line] = lead(scores[order].tolist(), groups[examples.code[order]].tolist())
        out.right[line] = examples.right_short_name[order[0]]
        out.pair[line] = order[0]
    return out


def cross_answered(
    fit: Callable[[Examples], Ranker], examples: Examples, fold: np.ndarray, groups: np.ndarray
) -> OutOfFold:
    """What rankers answer that were fitted without the line's fold (n_lines,)."""
    n = examples.n_lines
    out = OutOfFold(np.zeros(n), np.zeros(n), np.zeros(n, bool), np.zeros(n, np.int64))
    for k in np.unique(fold):
        own = np.flatnonzero(fold == k)
        found = answered(fit(examples.lines(fold != k)), examples.lines(fold == k), groups)
        out.score[own], out.margin[own], out.right[own] = found.score, found.margin, found.right
        # The place of a row among the fold's lines, as its place among all of them.
        out.pair[own] = own * SHORTLIST + found.pair % SHORTLIST
    return out


def fit_calibration(
    found: OutOfFold, eligible: np.ndarray, nonsense: OutOfFold | None = None
) -> Calibration:
    """Logistic map of score and lead, and the thresholds.

    eligible: (n_lines,) whether the rules allow the line to be strong and the promise is measured
    on it. The strong threshold is the lowest probability above which these lines are right
    STRONG_PRECISION of the time, with at least STRONG_FLOOR as Wilson's lower bound.
    nonsense: names that mean nothing, whose best candidate is never right however far it leads.
    """
    from scipy.optimize import minimize

    parts = [found] if nonsense is None else [found, nonsense]
    score = np.concatenate([part.score for part in parts])
    capped = np.minimum(np.concatenate([part.margin for part in parts]), MARGIN_CAP)
    goal = np.concatenate([part.right for part in parts]).astype(float)
    target = found.right.astype(float)

    def loss(p: np.ndarray) -> float:
        z = p[0] * score + p[1] * capped + p[2]
        return float(np.mean(np.logaddexp(0, z) - goal * z) + 1e-4 * (p**2).sum())

    bounds = [(0, None), (0, None), (None, None)]
    slope, margin_slope, offset = minimize(loss, np.array([0.5, 0.3, 0.0]), bounds=bounds).x
    draft = Calibration(float(slope), float(margin_slope), float(offset), 1.0, WEAK)
    probability = draft.probability(found.score, found.margin)
    order = np.argsort(-probability, kind="stable")
    order = order[eligible[order]]
    right = np.cumsum(target[order])
    count = np.arange(1, len(order) + 1)
    floor = np.array([wilson(int(r), int(n))[0] for r, n in zip(right, count, strict=True)])
    good = np.flatnonzero((right / count >= STRONG_PRECISION) & (floor >= STRONG_FLOOR))
    strong = round(float(probability[order[good[-1]]]) - 5e-5, 4) if len(good) else 1.0
    return Calibration(draft.slope, draft.margin_slope, draft.offset, strong, WEAK)


def _ranker_of(model: Any) -> Ranker:
    """The fitted trees as arrays."""
    trees = [stage[0].nodes for stage in model._predictors]
    width = max(len(nodes) for nodes in trees)
    shape = (len(trees), width)
    feature, left, right = (np.zeros(shape, np.int32) for _ in range(3))
    threshold, value = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    depth = 0
    for t, nodes in enumerate(trees):
        own = np.arange(len(nodes))
        leaf = nodes["is_leaf"].astype(bool)
        n = len(nodes)
        feature[t, :n] = np.where(leaf, 0, nodes["feature_idx"])
        threshold[t, :n] = np.where(leaf, 0, nodes["num_threshold"])
        left[t, :n] = np.where(leaf, own, nodes["left"])
        right[t, :n] = np.where(leaf, own, nodes["right"])
        value[t, :n] = np.where(leaf, nodes["value"], 0)
        depth = max(depth, int(nodes["depth"].max()))
    baseline = float(np.ravel(model._baseline_prediction)[0])
    return Ranker(NAMES, baseline, feature, threshold, left, right, value, depth)
