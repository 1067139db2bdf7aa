"""The rate that a line was printed with: read, and compared with the rates of the law."""

from __future__ import annotations

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


def is_rate(advice: RateAdvice, declared: DeclaredRate) -> bool:
    """Whether a rate that can apply is the declared one; 0% is often written for 免税."""
    if declared.treatment is Treatment.ZERO:
        return advice.treatment in _NO_TAX
    return advice.treatment is declared.treatment and advice.rate == declared.rate
