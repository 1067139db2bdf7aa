"""Quantities: in which units, and in what order of magnitude, goods are measured and counted.

`46度 500ml` is said of liquor, `84mm` and `20支` of cigarettes, `200抽` of tissues. What each
quantity speaks for is counted from the samples of the knowledge base.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from knowledge_base import KnowledgeBase
from knowledge_base.lexicon import Sample
from models.normalise import normalise

PREFIXES = (1, 3, 5, 7)  # leading digits of a code: goods measured alike, coarse to fine
SMOOTHING = 1.0  # weight of what the coarser group says, in samples expected
LEAST = 4  # samples that a kind of quantity needs
CAP = 3.0  # eᶜᵃᵖ times likelier is as sure as one kind can be


@dataclass
class Quantities:
    """What quantities speak for.

    units, alone: words that follow a number, and words that stand alone → unit they stand for;
    kinds: unit, or unit with its order of magnitude → row of the table;
    table: (n_kinds, n_groups) float32, how much likelier the quantity is among the group's goods
    than among all, logarithmic, −1…1; group: (n_codes,) int32, column of each code.
    """

    units: dict[str, str]
    alone: dict[str, str]
    kinds: dict[str, int]
    table: np.ndarray
    group: np.ndarray

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return _pattern(self.units, self.alone)

    def rows(self, text: str, unit: str) -> list[int]:
        """Rows of the kinds in a normalised text and unit of measure."""
        found = _kinds(self._pattern, self.units, self.alone, text, unit)
        return [row for kind in found if (row := self.kinds.get(kind)) is not None]

    def support(self, lines: Sequence[Sequence[int]], codes: np.ndarray) -> np.ndarray:
        """How well the quantities of each line suit its codes, (n_lines, n_codes of a line)."""
        out = np.zeros(codes.shape, np.float32)
        for i, rows in enumerate(lines):
            if rows:
                group = self.group.take(codes[i])
                for row in rows:
                    out[i] += self.table[row].take(group)
        return out


def compile_quantities(
    kb: KnowledgeBase, codes: Sequence[str], samples: Iterable[Sample]
) -> Quantities:
    """What the quantities in the samples speak for; codes: all leaves, in order."""
    units, alone = _words(kb)
    pattern = _pattern(units, alone)
    places = {code: i for i, code in enumerate(codes)}
    seen: dict[str, list[int]] = defaultdict(list)
    measured: list[int] = []
    for sample in samples:
        text, place = normalise(f"{sample.name} {sample.spec}"), places[sample.code]
        found = _kinds(pattern, units, alone, text, normalise(sample.unit))
        measured.extend([place] * bool(found))
        for kind in found:
            seen[kind].append(place)
    kinds = sorted(kind for kind, owners in seen.items() if len(owners) >= LEAST)
    n_codes = len(codes)
    all_counts = np.bincount(measured, minlength=n_codes)
    counts = np.array([np.bincount(seen[kind], minlength=n_codes) for kind in kinds])
    expected = counts.sum(axis=1, keepdims=True) * all_counts / len(measured)
    lift = np.ones_like(expected)
    for length in PREFIXES:
        names, group = np.unique([code[:length] for code in codes], return_inverse=True)
        member = np.eye(len(names))[group]
        lift = (counts @ member + SMOOTHING * _first(lift, group)) / (expected @ member + SMOOTHING)
        lift = lift[:, group]
    return Quantities(
        units,
        alone,
        {kind: row for row, kind in enumerate(kinds)},
        _first(np.clip(np.log(lift) / CAP, -1, 1), group).round(3).astype(np.float32),
        group.astype(np.int32),
    )


def _first(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The column of each group's first code; columns of one group are alike."""
    first: np.ndarray = values[:, np.unique(group, return_index=True)[1]]
    return first


def _words(kb: KnowledgeBase) -> tuple[dict[str, str], dict[str, str]]:
    """(words that follow a number, words that stand alone), each → the unit it stands for."""
    known = [unit for unit in kb.lexicon.units if set(unit.dimensions) != {"money"}]
    units = {normalise(unit.name): unit.name for unit in known}
    for unit in known:
        for name in unit.aliases:
            if not name[0].isdigit():
                units.setdefault(normalise(name), unit.name)
    alone: dict[str, str] = {}
    for mark in kb.lexicon.spec_marks:
        (units if mark.after_number else alone)[normalise(mark.word)] = mark.kind
    return units, alone


def _pattern(units: Iterable[str], alone: Iterable[str]) -> re.Pattern[str]:
    """A number with its unit, a unit after a slash, or a mark that stands alone."""

    def any_of(words: Iterable[str]) -> str:
        ordered = sorted(words, key=lambda w: (-len(w), w))
        ends = (re.escape(w) + ("(?![a-z0-9])" if w[-1].isascii() and w[-1].isalnum() else "")
                for w in ordered)  # fmt: skip
        return "|".join(ends)

    number = r"(?<![a-z0-9.])(\d{1,9}(?:\.\d{1,4})?)"
    unit = any_of(units)
    return re.compile(rf"(?:{number}\)?\s?|/)({unit})|(?<![a-z0-9])({any_of(alone)})")


def _kinds(
    pattern: re.Pattern[str],
    units: Mapping[str, str],
    alone: Mapping[str, str],
    text: str,
    unit: str,
) -> dict[str, None]:
    """Kinds of quantity, in order, each once: `500ml` → 毫升 and 毫升~5."""
    found: dict[str, None] = {}
    for number, word, mark in pattern.findall(text):
        name = units[word] if word else alone[mark]
        found[name] = None
        if number and (value := float(number)) > 0:
            found[f"{name}~{round(2 * math.log10(value))}"] = None
    if unit in units:
        found[units[unit]] = None
    return found
