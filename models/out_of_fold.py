"""What a ranker answers to lines it never saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.candidates import NAMES
from models.examples import Examples
from models.matcher import lead
from models.ranking import Ranker
from models.signals import SHORTLIST


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
    scores = ranker.over(NAMES).score(examples.values)
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
