"""VAT rates by code, date and taxpayer: what applied when, and on what legal basis."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path

from knowledge_base import tables
from knowledge_base.preferences import Preference
from knowledge_base.taxonomy import CODE_LENGTH, TaxCode, Taxonomy, is_code


class RateError(ValueError):
    """A question that the rate tables cannot answer; the message is shown to the biller."""


class Treatment(StrEnum):
    TAXED = "taxed"
    ZERO = "zero"
    EXEMPT = "exempt"
    NOT_TAXED = "not_taxed"


class TaxpayerType(StrEnum):
    GENERAL = "general"
    SMALL = "small"


class RateKind(StrEnum):
    """Why a rate can apply: the plain rate or levy, or a rule with a condition of its own."""

    STANDARD = "standard"
    LEVY = "levy"
    SIMPLIFIED = "simplified"
    ZERO = "zero"
    EXEMPT_POSSIBLE = "exempt_possible"
    NOT_TAXED = "not_taxed"
    REFUND = "refund"
    RARE_EARTH = "rare_earth"


@dataclass(frozen=True, slots=True)
class RateAdvice:
    """One rate that can apply to a code on a date.

    rate: Decimal fraction (0.13); 0 for zero-rated, None for exempt and 不征税.
    condition: when it applies, in Chinese, as shown to the biller; empty for the plain case.
    basis: legal source, e.g. "财税〔2018〕32号".
    valid_from, valid_to: the days it applies, both included; valid_to None while in force.
    provisional: not yet checked against the original text.
    preference: the 优惠政策类型 an invoice declares with it.
    """

    rate: Decimal | None
    treatment: Treatment
    kind: RateKind
    condition: str
    basis: str
    valid_from: dt.date
    valid_to: dt.date | None
    provisional: bool = False
    preference: Preference = Preference.NONE

    def covers(self, day: dt.date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


_WORDS = {
    "免税": (Treatment.EXEMPT, None),
    "不征税": (Treatment.NOT_TAXED, None),
    "零税率": (Treatment.ZERO, Decimal(0)),
    "出口零税率": (Treatment.ZERO, Decimal(0)),
    "普通零税率": (Treatment.ZERO, Decimal(0)),
    "***": (Treatment.TAXED, None),  # printed in place of the rate for 差额征税
}


def parse_rate(text: str) -> tuple[Treatment, Decimal | None]:
    """Read a rate as invoices and tables write it: `13%`, `0.13`, `免税`, `不征税`, `***`.

    `***` stands for a rate that is not printed: taxed, rate unknown (None).
    """
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    if plain in _WORDS:
        return _WORDS[plain]
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", plain, re.ASCII)
    if match is None:
        raise RateError(f"无法识别税率“{text}”，应写成 13%、0.13、免税或不征税")
    rate = Decimal(match[1]) / 100 if match[2] else Decimal(match[1])
    if rate >= 1:
        raise RateError(f"税率“{text}”不小于 100%，百分之十三应写成 13% 或 0.13")
    return (Treatment.TAXED, rate) if rate else (Treatment.ZERO, Decimal(0))


def format_rate(rate: Decimal) -> str:
    """A fraction as plain decimal text: `0.13`, `0.015`, `0`."""
    return format(rate.normalize(), "f")


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
        self._starts = sorted({p.valid_from for ps in self._periods.values() for p in ps})
        self.first_day = self._starts[0]
        self._matched = cache(self._matching)  # the same few thousand codes come again and again

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
        digits, special_treatments = self._resolve(code)
        standard = self._standard(digits, on)
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

    def _resolve(self, code: TaxCode | str) -> tuple[str, tuple[str, ...]]:
        if not isinstance(code, str):
            return code.code, code.special_treatments
        if not is_code(code):
            raise RateError(f"编码“{code}”不是 {CODE_LENGTH} 位数字")
        row = self._taxonomy.get(code) if self._taxonomy else None
        return code, row.special_treatments if row else ()

    def _standard(self, code: str, on: dt.date) -> list[RateAdvice]:
        """The rate of the longest prefix; both rates of a two-rate code, the usual one first."""
        candidates = [self._two_rates.get(code, [])]
        candidates += [self._classes.get(code[:n], []) for n in range(CODE_LENGTH, 0, -1)]
        for lines in candidates:
            if valid := [line for line in lines if line.advice.covers(on)]:
                return [_dated(x, p) for x in valid for p in self._periods[x.value] if p.covers(on)]
        raise RateError(f"编码 {code} 在 {on} 没有税率")

    def _matching(self, code: str, special_treatments: Iterable[str]) -> list[tuple[int, _Line]]:
        """Levies, then reliefs, in file order, each with the length of the prefix that matched.

        Lines for a special treatment speak for codes that no line of their own explains.
        """
        found = []
        for table in (self._levies, self._reliefs):
            lines = [(n, x) for n in range(CODE_LENGTH + 1) for x in table.get(code[:n], ())]
            found += sorted(lines, key=lambda match: match[1].position)
        explained = {line.advice.preference for length, line in found if length}
        open_marks = {"", *(set(special_treatments) - explained)}
        return [(n, line) for n, line in found if line.special_treatment in open_marks]


def _dated(line: _Line, period: RateAdvice) -> RateAdvice:
    """The rate of a class during a period, within the days that a code belongs to the class."""
    own = line.advice
    ends = [day for day in (own.valid_to, period.valid_to) if day is not None]
    return replace(
        period,
        condition=own.condition,
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
