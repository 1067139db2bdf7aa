"""VAT rates by code, date and taxpayer: what applied when, and on what legal basis."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path

from knowledge_base import tables
from knowledge_base.preferences import Preference
from knowledge_base.rate_advice import (
    RateAdvice,
    RateError,
    RateKind,
    TaxpayerType,
    Treatment,
    parse_rate,
)
from knowledge_base.taxonomy import CODE_LENGTH, TaxCode, Taxonomy, is_code


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a rate table: its advice, and to whom it speaks. value: its class or rate."""

    position: int
    value: str
    taxpayer: str
    special_treatment: str
    advice: RateAdvice


def _line(position: int, row: dict[str, str], column: str) -> _Line:
    treatment, rate = parse_rate(row.get("levy_rate") or row.get("rate") or "***")
    valid_from = tables.day(row["valid_from"])
    if valid_from is None:
        raise ValueError(f"rate tables: no valid_from in {row}")
    advice = RateAdvice(
        rate=rate,
        treatment=treatment,
        kind=RateKind(row.get("kind", "standard")),
        condition=row.get("condition", ""),
        basis=row["basis"],
        valid_from=valid_from,
        valid_to=tables.day(row["valid_to"]),
        provisional=row.get("provisional") == "1",
        preference=Preference(row.get("preference", "")),
        stated=tables.split(row.get("stated", "")),
    )
    special = row.get("special_treatment", "")
    return _Line(position, row[column], row.get("taxpayer", "any"), special, advice)


def _read(table: str, key: str, column: str, root: Path) -> dict[str, list[_Line]]:
    """The lines of a table by each key in their key column; an empty cell is the key ''."""
    found: dict[str, list[_Line]] = defaultdict(list)
    for position, row in enumerate(tables.rows(table, root)):
        for name in tables.split(row[key]) or ("",):
            found[name].append(_line(position, row, column))
    return dict(found)


class RateTable:
    """All that is known about rates. Lines stand in their files with the usual case first.

    taxonomy: gives codes passed as text their official special treatments.
    """

    def __init__(self, root: Path = tables.DATA, taxonomy: Taxonomy | None = None):
        self._taxonomy = taxonomy
        self._periods = {
            name: [line.advice for line in lines]
            for name, lines in _read("rate_periods", "rate_class", "rate", root).items()
        }
        self._classes = _read("rates", "code_prefix", "rate_class", root)
        self._two_rates = _read("rates_two", "code", "rate_class", root)
        self._levies = _read("levy", "code_prefixes", "levy_rate", root)
        self._reliefs = _read("reliefs", "code_prefixes", "levy_rate", root)
        # Few of all lengths that a prefix of a code can have; the longest first.
        prefixes = {*self._classes, *self._levies, *self._reliefs} - {""}
        self._lengths = sorted({len(prefix) for prefix in prefixes}, reverse=True)
        self._starts = sorted({p.valid_from for ps in self._periods.values() for p in ps})
        self.first_day = self._starts[0]
        # The same few thousand codes come again and again, on many days.
        self._matched = cache(self._matching)
        self._class_candidates = cache(self._find_class_candidates)

    @property
    def period_starts(self) -> tuple[dt.date, ...]:
        """The days on which standard rates have changed."""
        return tuple(self._starts)

    @classmethod
    def load(cls, root: Path = tables.DATA, taxonomy: Taxonomy | None = None) -> RateTable:
        return cls(root, taxonomy)

    def change_days(self) -> set[dt.date]:
        """Every day on which some rate starts, or has just ended."""
        tables_ = (self._classes, self._two_rates, self._levies, self._reliefs)
        advice = [a for ps in self._periods.values() for a in ps]
        advice += [line.advice for t in tables_ for lines in t.values() for line in lines]
        ended = {a.valid_to + dt.timedelta(days=1) for a in advice if a.valid_to is not None}
        return {a.valid_from for a in advice} | ended

    def period_start(self, on: dt.date) -> dt.date:
        """The day from which the standard rates have been what they are on a date."""
        return self._starts[max(0, bisect_right(self._starts, on) - 1)]

    def advise(self, code: TaxCode | str, on: dt.date, taxpayer: TaxpayerType) -> list[RateAdvice]:
        """Every rate that can apply; first the one that does without further facts."""
        if on < self.first_day:
            raise RateError(f"税率表从 {self.first_day} 起才有数据，不能回答 {on} 的税率")
        row = self._resolve(code)
        digits = code if isinstance(code, str) else code.code
        special_treatments = row.special_treatments if row else ()
        standard = (self._listed(row, on) if row else []) or self._standard(digits, on)
        if standard[0].treatment is Treatment.NOT_TAXED:
            return standard
        found = [
            (length, line.advice)
            for length, line in self._matched(digits, special_treatments)
            if line.advice.covers(on) and line.taxpayer in ("any", taxpayer)
        ]
        longest = max((n for n, advice in found if advice.kind is RateKind.LEVY), default=0)
        levies = [a for n, a in found if a.kind is RateKind.LEVY and n == longest]
        first = levies or standard
        others = [a for _, a in found if a.kind is not RateKind.LEVY]
        return first + [_at_plain_rate(a, first[0]) for a in others]

    def _resolve(self, code: TaxCode | str) -> TaxCode | None:
        if not isinstance(code, str):
            return code
        if not is_code(code):
            raise RateError(f"编码“{code}”不是 {CODE_LENGTH} 位数字")
        return self._taxonomy.get(code) if self._taxonomy else None

    def _standard(self, code: str, on: dt.date) -> list[RateAdvice]:
        return self._in_period(self._class_lines(code, on), on)

    def _in_period(self, lines: Iterable[_Line], on: dt.date) -> list[RateAdvice]:
        return [_dated(x.advice, p) for x in lines for p in self._periods[x.value] if p.covers(on)]

    def _class_lines(self, code: str, on: dt.date) -> list[_Line]:
        """The class of the longest prefix; both of a two-rate code, the usual one first."""
        for lines in self._class_candidates(code):
            if valid := [line for line in lines if line.advice.covers(on)]:
                return valid
        raise RateError(f"编码 {code} 在 {on} 没有税率")

    def _find_class_candidates(self, code: str) -> list[list[_Line]]:
        found = [self._two_rates.get(code, [])]
        found += [self._classes.get(code[:n], []) for n in self._lengths]
        return [lines for lines in found if lines]

    def _listed(self, code: TaxCode, on: dt.date) -> list[RateAdvice]:
        """The rates of the code table of the day, where ours neither agree nor are newer.

        An imported table brings codes and rates that our prefixes do not know. The rate in its
        column tells the class of the code; what the class pays later, our periods tell.
        """
        tables_so_far = [(day, v) for v in code.rates if (day := _first_day(v)) <= on]
        if not tables_so_far:
            return []
        day, version = max(tables_so_far)
        listed = [rate for kind, rate in map(parse_rate, code.rates[version])
                  if kind is Treatment.TAXED and rate is not None]  # fmt: skip
        ours = self._standard(code.code, max(day, self.first_day))
        if not listed or {a.rate for a in ours} in ({None}, set(listed)):
            return []
        if any(line.advice.valid_from > day for line in self._class_lines(code.code, on)):
            return []
        return [self._by_class(code.code[0], rate, day, on, len(listed) > 1) for rate in listed]

    def _by_class(
        self, chapter: str, rate: Decimal, day: dt.date, on: dt.date, several: bool
    ) -> RateAdvice:
        """A rate that a table lists on its first day, as the class of its chapter that paid it
        then pays on the other day; where no class paid it, as it stands."""
        listed = RateAdvice(
            rate=rate,
            treatment=Treatment.TAXED,
            kind=RateKind.STANDARD,
            condition=f"编码表列有多档税率，适用{rate:%}的情形" if several else "",
            basis=f"商品和服务税收分类编码表（{day}）",
            valid_from=day,
            valid_to=None,
        )
        lines = (x for p, found in self._classes.items() if p[0] == chapter for x in found)
        for periods in (self._periods[name] for name in dict.fromkeys(x.value for x in lines)):
            if any(p.rate == rate and p.covers(day) for p in periods):
                return next((_dated(listed, p) for p in periods if p.covers(on)), listed)
        return listed

    def _matching(self, code: str, special_treatments: Iterable[str]) -> list[tuple[int, _Line]]:
        """Levies, then reliefs, in file order, each with the length of the prefix that matched.

        Lines for a special treatment speak for codes that no line of their own explains.
        """
        marks = {"", *special_treatments}
        found = []
        for table in (self._levies, self._reliefs):
            lines = [(n, x) for n in self._lengths for x in table.get(code[:n], ())]
            lines += [(0, x) for x in table.get("", ()) if x.special_treatment in marks]
            found += sorted(lines, key=lambda match: match[1].position)
        marks -= {line.advice.preference for length, line in found if length} - {""}
        return [(n, line) for n, line in found if line.special_treatment in marks]


@cache
def _first_day(version: str) -> dt.date:
    """First day of the table whose rates stand in a column: 2019_04."""
    return dt.date.fromisoformat(f"{version.replace('_', '-')}-01")


def _dated(own: RateAdvice, period: RateAdvice) -> RateAdvice:
    """The rate of a class during a period, within the days that a code belongs to the class."""
    ends = [day for day in (own.valid_to, period.valid_to) if day is not None]
    return replace(
        period,
        condition=own.condition,
        stated=own.stated,
        basis="；".join(filter(None, (period.basis, own.basis))),
        valid_from=max(own.valid_from, period.valid_from),
        valid_to=min(ends, default=None),
        provisional=own.provisional,
    )


def _at_plain_rate(advice: RateAdvice, plain: RateAdvice) -> RateAdvice:
    """A refund or 稀土产品 leaves the rate on the invoice as it is."""
    if advice.kind not in (RateKind.REFUND, RateKind.RARE_EARTH):
        return advice
    return replace(advice, rate=plain.rate, treatment=plain.treatment)
