"""A question for people: everything that is the same question is one item."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from invoicer.line import InvoiceLine, today
from invoicer.suggestion import Suggestion, Tier
from knowledge_base.rate_advice import TaxpayerType
from knowledge_base.rates import RateTable
from models.normalise import normalise

if TYPE_CHECKING:
    from invoicer.review.rules import ReviewRules


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One question of one tenant, as it was met the first time.

    question: the same for every tenant; alike: what bulk work groups by; sampled: strong, and
    looked at all the same; amount: net amount of the lines that asked it, in fen; times: how many
    lines did.
    """

    id: str
    tenant: str
    question: str
    alike: str
    sampled: bool
    line: dict[str, str]
    suggestion: dict[str, Any]
    tier: Tier
    confidence: float
    amount: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """question: what is asked, whoever asks; item: the same of one tenant."""

    question: str
    item: str


def identity(tenant: str, line: InvoiceLine, rates: RateTable) -> Identity:
    """The same for lines that ask the same: what is sold, by whom, in which rate period."""
    period = rates.period_start(line.date or today())
    asked = (
        normalise(line.name).strip(),
        normalise(line.spec).strip(),
        normalise(line.unit).strip(),
        line.barcode.strip(),
        normalise(line.seller_industry).strip(),
        (line.taxpayer or TaxpayerType.GENERAL).value,
        period.isoformat(),
    )
    question = _digest(*asked)
    return Identity(question, "rv_" + _digest(tenant, question))


def _digest(*parts: str) -> str:
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).digest()[:15]
    return base64.b32encode(digest).decode().lower()


def needs_review(suggestion: Suggestion, item: str, rules: ReviewRules) -> bool:
    """Whether a person is to see it: it is uncertain, or belongs to the random slice."""
    return suggestion.tier is not Tier.STRONG or rules.in_slice(item)


def item_of(
    tenant: str, line: InvoiceLine, suggestion: Suggestion, who: Identity, times: int = 1
) -> ReviewItem:
    """The item that a line's suggestion becomes."""
    return ReviewItem(
        id=who.item,
        tenant=tenant,
        question=who.question,
        alike=f"{suggestion.candidates[0].code} {suggestion.core}",
        sampled=suggestion.tier is Tier.STRONG,
        line=line.to_fields(),
        suggestion=suggestion.to_dict(),
        tier=suggestion.tier,
        confidence=suggestion.confidence,
        amount=int((line.amount or 0) * 100),
        times=times,
    )
