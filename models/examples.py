"""Candidate rows with the right answer beside them: what ranker and calibration learn from."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.index import Term
from models.reading_many import TermReading
from models.signals import SHORTLIST

HIDE_CORE = 0.5  # share of the queries for which every term with the same core is hidden too


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
