"""One rate that can apply, and rates as invoices and tables write them."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from knowledge_base.preferences import Preference


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
    stated: words in a name that state the condition.
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
    stated: tuple[str, ...] = ()

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
