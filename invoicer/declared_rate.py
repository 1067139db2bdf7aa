"""The rate that a line was printed with: read, and compared with the rates of the law."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from knowledge_base.rate_advice import (
    RateAdvice,
    RateError,
    Treatment,
    format_rate,
    parse_rate,
)

ZERO = Decimal(0)
_NO_TAX = (Treatment.ZERO, Treatment.EXEMPT, Treatment.NOT_TAXED)
# No rate in force since 2018 is lower: 二手车经销 at 0.5 %.
LOWEST = Decimal("0.005")
# What systems write around a rate: 减按1%征收, 13%(简易计税), 免税（出口）, 征收率3%.
_ASIDE = re.compile(r"\(.*\)")
_RATE = re.compile(
    r"(?:征收率|税率)?:?(?:减按)?(\d+(?:\.\d+)?%)"
    r"(?:的?(?:征收率|税率))?(?:简易)?(?:征收|计税|征税|计征|计算)?",
    re.ASCII,
)
_WORDS = (
    (re.compile(r"免(?:征|收|税|增值税)+"), "免税"),
    (re.compile(r"不征(?:收?增值税)?"), "不征税"),
    (re.compile(r"(?:适用)?(?:零|0)税率?"), "零税率"),
)


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


def read_rate(text: str) -> tuple[DeclaredRate | None, str]:
    """(the declared rate, warning). `13` in a rate column means 13 %, a dash none."""
    text = text.strip()
    if not text.strip("-—–/"):
        return None, ""
    try:
        treatment, rate = parse_rate(_plain(text))
    except RateError as error:
        return None, str(error)
    if rate and rate < LOWEST:
        return None, f"税率“{text}”低于 0.5%,没有这样的税率;百分之十三应写成 13% 或 0.13"
    return DeclaredRate(text, treatment, rate), ""


def _plain(text: str) -> str:
    """A rate as tables write it, of what invoicing systems print."""
    said = unicodedata.normalize("NFKC", text).replace(" ", "")
    said = _ASIDE.sub("", said) or said.strip("()")
    if re.fullmatch(r"\d+(\.\d+)?", said, re.ASCII) and float(said) >= 1:
        return f"{said}%"
    if (match := _RATE.fullmatch(said)) is not None:
        return match[1]
    return next((word for words, word in _WORDS if words.fullmatch(said)), text)


def rate_label(treatment: Treatment, rate: Decimal | None) -> str:
    """13%, 免税, 不征税, 差额."""
    if treatment is Treatment.EXEMPT:
        return "免税"
    if treatment is Treatment.NOT_TAXED:
        return "不征税"
    return "差额征税" if rate is None else f"{format_rate(rate * 100)}%"


def is_rate(advice: RateAdvice, declared: DeclaredRate) -> bool:
    """Whether a rate that can apply is the declared one; 0% is often written for 免税."""
    if declared.treatment is Treatment.ZERO:
        return advice.treatment in _NO_TAX
    return advice.treatment is declared.treatment and advice.rate == declared.rate
