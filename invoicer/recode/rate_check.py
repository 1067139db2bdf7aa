"""The declared rate against the rates that the law knows for a code, a day and a taxpayer."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from invoicer.recode.findings import Finding, Found, Severity
from knowledge_base.preferences import Preference
from knowledge_base.rate_advice import (
    RateAdvice,
    RateError,
    RateKind,
    TaxpayerType,
    Treatment,
    format_rate,
    parse_rate,
)
from knowledge_base.rates import RateTable
from knowledge_base.taxonomy import Taxonomy

PLAIN = (RateKind.STANDARD, RateKind.LEVY)
HIGHEST_LEVY = Decimal("0.05")
SHOWN = 3  # conditions that are named
ZERO = Decimal(0)
_NO_TAX = (Treatment.ZERO, Treatment.EXEMPT, Treatment.NOT_TAXED)


@dataclass(frozen=True, slots=True)
class DeclaredRate:
    """treatment and rate as written; rate None for 免税, 不征税 and 差额征税 (`***`).

    known: whether a tax follows from it.
    """

    text: str
    treatment: Treatment
    rate: Decimal | None

    @property
    def known(self) -> bool:
        return self.rate is not None or self.treatment is not Treatment.TAXED

    @property
    def value(self) -> Decimal | None:
        """The fraction that makes the tax; 0 without tax, None where it is not known."""
        return (self.rate or ZERO) if self.known else None

    @property
    def label(self) -> str:
        return rate_label(self.treatment, self.rate)


@dataclass(frozen=True, slots=True)
class RateVerdict:
    """first: the rate that needs no further fact; right: every rate that may be the right one,
    as fractions, the declared one among them where it is possible; found: what is wrong;
    preference: the 优惠政策类型 that the declared rate goes with."""

    first: RateAdvice | None
    right: tuple[Decimal, ...] = ()
    possible: bool = True
    found: Found | None = None
    preference: Preference = Preference.NONE


def read_rate(text: str) -> tuple[DeclaredRate | None, str]:
    """(the declared rate, warning). `13` in a rate column means 13 %, a dash none."""
    text = text.strip()
    if not text.strip("-—–/"):
        return None, ""
    try:
        if text.isascii() and text.replace(".", "", 1).isdigit() and float(text) >= 1:
            text += "%"
        return DeclaredRate(text, *parse_rate(text)), ""
    except RateError as error:
        return None, str(error)


def rate_label(treatment: Treatment, rate: Decimal | None) -> str:
    """13%, 免税, 不征税, 差额."""
    if treatment is Treatment.EXEMPT:
        return "免税"
    if treatment is Treatment.NOT_TAXED:
        return "不征税"
    return "差额征税" if rate is None else f"{format_rate(rate * 100)}%"


class RateCheck:
    """Judges declared rates."""

    def __init__(self, rates: RateTable, taxonomy: Taxonomy):
        self._rates = rates
        self._taxonomy = taxonomy
        self._advise = lru_cache(4_000)(self._ask)  # `judge` itself is cached where it is used
        self._faultless: dict[RateVerdict, RateVerdict] = {}

    def _ask(self, code: str, day: dt.date, taxpayer: TaxpayerType) -> tuple[RateAdvice, ...]:
        return tuple(self._rates.advise(self._taxonomy[code], day, taxpayer))

    def judge(
        self, code: str, day: dt.date, taxpayer: TaxpayerType | None, declared: DeclaredRate | None
    ) -> RateVerdict:
        """What a declared rate is worth. A taxpayer that is not known may be of either type.

        Most codes share their rates: a verdict without a fault is the same object for all of them.
        """
        found = self._judge(code, day, taxpayer, declared)
        return found if found.found else self._faultless.setdefault(found, found)

    def _judge(
        self, code: str, day: dt.date, taxpayer: TaxpayerType | None, declared: DeclaredRate | None
    ) -> RateVerdict:
        kinds = [taxpayer] if taxpayer else [TaxpayerType.GENERAL, TaxpayerType.SMALL]
        if declared is None or not declared.known:
            first = self._advise(code, day, kinds[0])[0]
            return RateVerdict(first, (first.rate or ZERO,), preference=first.preference)
        by_kind = []
        for kind in kinds:
            by_kind.append(self._advise(code, day, kind))
            first = by_kind[-1][0]
            if _is(first, declared):
                own = declared.value or ZERO
                return RateVerdict(first, (own,), preference=first.preference)
        # A small-scale taxpayer shows in its rate where no column names the type.
        seems_small = taxpayer is None and ZERO < (declared.value or ZERO) <= HIGHEST_LEVY
        advice = by_kind[-1] if seems_small else by_kind[0]
        if fits := [a for group in by_kind for a in group if _is(a, declared)]:
            conditions = list(dict.fromkeys(a.condition for a in fits if a.condition))[:SHOWN]
            return self._conditional(
                advice[0], declared, ",或".join(conditions), fits[0].basis, fits[0].preference
            )
        if old := self._earlier(code, day, declared):
            why = f"{old.valid_from} 至 {old.valid_to} 的税率,只可用于补开或红冲当时的业务"
            return self._conditional(advice[0], declared, why, old.basis)
        plain = [a for a in advice if a.kind in PLAIN] or [advice[0]]
        right = tuple(dict.fromkeys(a.rate or ZERO for a in plain))
        labels = "或".join(dict.fromkeys(rate_label(a.treatment, a.rate) for a in plain))
        name = self._taxonomy[code].short_name
        said = f"{name}当日不能用 {declared.label},应为 {labels}({plain[0].basis})"
        return RateVerdict(plain[0], right, False, Found.of(Finding.RATE_IMPOSSIBLE, said))

    def _conditional(
        self,
        first: RateAdvice,
        declared: DeclaredRate,
        condition: str,
        basis: str,
        preference: Preference = Preference.NONE,
    ) -> RateVerdict:
        value = declared.value or ZERO
        usual = rate_label(first.treatment, first.rate)
        said = f"{declared.label} 须符合:{condition or '另有规定'}({basis});否则应为 {usual}"
        severity = Severity.LOW if value == (first.rate or ZERO) else None
        found = Found.of(Finding.RATE_CONDITIONAL, said, severity)
        return RateVerdict(first, (value, first.rate or ZERO), True, found, preference)

    def _earlier(self, code: str, day: dt.date, declared: DeclaredRate) -> RateAdvice | None:
        """The plain rate of an earlier period that was declared after its end."""
        if declared.treatment is not Treatment.TAXED:
            return None
        start = self._rates.period_start(day)
        while start > self._rates.first_day:
            before = start - dt.timedelta(days=1)
            for advice in self._advise(code, before, TaxpayerType.GENERAL):
                if advice.kind is RateKind.STANDARD and advice.rate == declared.rate:
                    return advice
            start = self._rates.period_start(before)
        return None


def _is(advice: RateAdvice, declared: DeclaredRate) -> bool:
    """Whether a rate that can apply is the declared one; 0% is often written for 免税."""
    if declared.treatment is Treatment.ZERO:
        return advice.treatment in _NO_TAX
    return advice.treatment is declared.treatment and advice.rate == declared.rate
