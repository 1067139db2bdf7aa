"""The official code table: tax codes, their tree, short names by date, and search.

A code is nineteen digits of text: one digit of chapter (篇) and nine pairs. Codes are compared in
pairs, never by stripping zeros: `1010112100000000000` is a leaf of its own, not the parent of
`1010112110000000000`.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

CODE_LENGTH = 19


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Goods that the official note takes out of a code: `term` belongs to `code`."""

    term: str
    code: str


@dataclass(frozen=True, slots=True)
class TaxCode:
    """One row of 《商品和服务税收分类编码》.

    rates: official rate column of each table version, e.g. {"2019_04": ("13%", "9%")}.
    valid_to: last day the code may be used; None while it is in force.
    """

    code: str
    name: str
    short_name: str
    parent: str
    is_leaf: bool
    keywords: tuple[str, ...]
    includes: tuple[str, ...]
    excludes: tuple[Exclusion, ...]
    tariff_names: tuple[str, ...]
    special_treatments: tuple[str, ...]
    rates: Mapping[str, tuple[str, ...]]
    valid_from: dt.date
    valid_to: dt.date | None

    @property
    def is_catch_all(self) -> bool:
        """A leaf that takes what its siblings leave over (其他…)."""
        return self.is_leaf and "其他" in self.name

    @property
    def is_service(self) -> bool:
        """Labour, services, intangibles, real estate and non-taxed items; not goods."""
        return self.code[0] != "1"

    def is_valid_on(self, day: dt.date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class DatedShortName:
    """A 简称 that holds for a code and everything below it during a span of days."""

    code_prefix: str
    short_name: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    confidence: str
    source: str

    def covers(self, code: str, day: dt.date) -> bool:
        return (
            code.startswith(self.code_prefix)
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_to is None or day <= self.valid_to)
        )


def is_code(text: str) -> bool:
    """Nineteen ASCII digits."""
    return len(text) == CODE_LENGTH and text.isascii() and text.isdigit()


def pairs(code: str) -> tuple[str, ...]:
    """`1` + nine pairs: the levels of a code, the meaningless trailing `00` pairs dropped."""
    parts = [code[0], *(code[i : i + 2] for i in range(1, CODE_LENGTH, 2))]
    while len(parts) > 1 and parts[-1] == "00":
        parts.pop()
    return tuple(parts)


def subtree_prefix(code: str) -> str:
    """The digits shared by a code and everything below it."""
    return "".join(pairs(code))


class Taxonomy:
    """The code table with its tree. Iterates in code order."""

    def __init__(self, codes: Iterable[TaxCode], short_names: Iterable[DatedShortName] = ()):
        self._codes = {c.code: c for c in sorted(codes, key=lambda c: c.code)}
        self._dated: dict[str, list[DatedShortName]] = {}
        for row in short_names:
            self._dated.setdefault(row.code_prefix, []).append(row)
        self._dated_lengths = sorted({len(p) for p in self._dated}, reverse=True)

    def __len__(self) -> int:
        return len(self._codes)

    def __iter__(self) -> Iterator[TaxCode]:
        return iter(self._codes.values())

    def __contains__(self, code: str) -> bool:
        return code in self._codes

    def __getitem__(self, code: str) -> TaxCode:
        return self._codes[code]

    def get(self, code: str) -> TaxCode | None:
        return self._codes.get(code)

    @cached_property
    def _children(self) -> dict[str, list[TaxCode]]:
        children: dict[str, list[TaxCode]] = {}
        for code in self:
            children.setdefault(code.parent, []).append(code)
        return children

    def children(self, code: str) -> list[TaxCode]:
        return self._children.get(code, [])

    def path(self, code: str) -> list[TaxCode]:
        """The code with its ancestors, chapter first."""
        line = []
        node = self.get(code)
        while node is not None:
            line.append(node)
            node = self.get(node.parent)
        return line[::-1]

    def leaves(self, on: dt.date | None = None) -> list[TaxCode]:
        """Codes that may be printed on an invoice, on a day or (None) ever."""
        return [c for c in self if c.is_leaf and (on is None or c.is_valid_on(on))]

    @cached_property
    def _sorted_codes(self) -> list[str]:
        return list(self._codes)

    def under(self, code: str) -> list[TaxCode]:
        """The leaves of a code's subtree; the code itself when it is a leaf."""
        row = self.get(code)
        if row is not None and row.is_leaf:
            return [row]
        prefix = subtree_prefix(code)
        first = bisect_left(self._sorted_codes, prefix)
        last = bisect_left(self._sorted_codes, prefix + ":")  # ":" follows "9"
        codes = (self._codes[c] for c in self._sorted_codes[first:last])
        return [c for c in codes if c.is_leaf]

    def short_name(self, code: str, on: dt.date) -> str:
        """The 简称 printed on an invoice of that day."""
        for length in self._dated_lengths:
            for row in self._dated.get(code[:length], ()):
                if row.covers(code, on):
                    return row.short_name
        return self._codes[code].short_name

    def change_days(self) -> set[dt.date]:
        """Every day on which some code or 简称 starts, or has just ended."""
        rows = [*self, *(row for rows in self._dated.values() for row in rows)]
        ended = {r.valid_to + dt.timedelta(days=1) for r in rows if r.valid_to is not None}
        return {r.valid_from for r in rows if r.valid_from is not None} | ended

    def group_names(self, row: TaxCode) -> frozenset[str]:
        """What groups are called by a row: every 简称 that a leaf ever had, a node's own name."""
        return frozenset(self.short_names(row.code)) if row.is_leaf else frozenset({row.name})

    def short_names(self, code: str) -> set[str]:
        """Every 简称 the code has had on any date."""
        names = {self._codes[code].short_name}
        for length in self._dated_lengths:
            names.update(row.short_name for row in self._dated.get(code[:length], ()))
        return names

    def search(self, word: str, on: dt.date | None = None, limit: int = 20) -> list[TaxCode]:
        """Leaves whose code, name, keywords, includes or tariff names hold the word, best first."""

        def rank(code: TaxCode) -> int | None:
            if code.code.startswith(word) and word.isdigit():
                return 0
            if word == code.name or word in code.keywords:
                return 1
            if word in code.name:
                return 2
            if any(word in k for k in (*code.keywords, *code.includes)):
                return 3
            if any(word in t for t in code.tariff_names):
                return 4
            return None

        if not word:
            return []
        found = [(r, c) for c in self.leaves(on) if (r := rank(c)) is not None]
        found.sort(key=lambda rc: (rc[0], len(rc[1].name), rc[1].code))
        return [c for _, c in found[:limit]]
