"""A question for people: everything that is the same question is one item."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from invoicer.line import InvoiceLine, today
from invoicer.suggestion import Suggestion, Tier
from knowledge_base.rates import RateTable, TaxpayerType
from models.normalise import normalise


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One question of one tenant, as it was met the first time.

    amount: net amount of the lines that asked it, in fen; times: how many lines did.
    """

    id: str
    tenant: str
    line: dict[str, str]
    suggestion: dict[str, Any]
    tier: Tier
    confidence: float
    amount: int
    times: int = 1


def review_id(tenant: str, line: InvoiceLine, rates: RateTable) -> str:
    """The same for lines that ask the same: what is sold, by whom, in which rate period."""
    period = rates.period_start(line.date or today())
    asked = (
        tenant,
        normalise(line.name).strip(),
        normalise(line.spec).strip(),
        normalise(line.unit).strip(),
        line.barcode.strip(),
        normalise(line.seller_industry).strip(),
        (line.taxpayer or TaxpayerType.GENERAL).value,
        period.isoformat(),
    )
    digest = hashlib.sha256("\x1f".join(asked).encode()).digest()[:15]
    return "rv_" + base64.b32encode(digest).decode().lower()


def item_of(tenant: str, line: InvoiceLine, suggestion: Suggestion, rates: RateTable) -> ReviewItem:
    """The item that a line's suggestion becomes."""
    return ReviewItem(
        id=review_id(tenant, line, rates),
        tenant=tenant,
        line=line.to_fields(),
        suggestion=suggestion.to_dict(),
        tier=suggestion.tier,
        confidence=suggestion.confidence,
        amount=int((line.amount or 0) * 100),
    )


def needs_review(suggestion: Suggestion) -> bool:
    """Whether a suggestion is to be seen by a person."""
    return suggestion.tier is not Tier.STRONG
