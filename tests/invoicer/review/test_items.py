"""What is one question, and which answers people look at."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from invoicer import Assistant, InvoiceLine
from invoicer.review.items import item_of, needs_review, review_id
from knowledge_base.rates import RateTable, TaxpayerType

LINE = InvoiceLine("柚子味鱼排 200g", unit="袋", date=dt.date(2026, 7, 1))


@pytest.fixture(scope="module")
def rates(assistant: Assistant) -> RateTable:
    return assistant.rate_table


@pytest.mark.parametrize(
    "same",
    [
        InvoiceLine("柚子味魚排　200G", unit="袋 ", date=dt.date(2026, 11, 27)),
        InvoiceLine("柚子味鱼排 200g", unit="袋", date=dt.date(2026, 7, 2), amount=Decimal(5)),
        InvoiceLine("柚子味鱼排 200g", unit="袋", date=dt.date(2026, 7, 1),
                    taxpayer=TaxpayerType.GENERAL),
    ],
)  # fmt: skip
def test_the_same_question_has_one_id(rates: RateTable, same: InvoiceLine) -> None:
    assert review_id("acme", same, rates) == review_id("acme", LINE, rates)


@pytest.mark.parametrize(
    "other",
    [
        InvoiceLine("柚子味鱼排 500g", unit="袋", date=LINE.date),
        InvoiceLine(LINE.name, unit="箱", date=LINE.date),
        InvoiceLine(LINE.name, unit="袋", date=LINE.date, spec="200g"),
        InvoiceLine(LINE.name, unit="袋", date=LINE.date, seller_industry="某酒店"),
        InvoiceLine(LINE.name, unit="袋", date=LINE.date, taxpayer=TaxpayerType.SMALL),
        InvoiceLine(LINE.name, unit="袋", date=LINE.date, barcode="6901234567892"),
        InvoiceLine(LINE.name, unit="袋", date=dt.date(2017, 1, 1)),
    ],
)
def test_another_question_has_another_id(rates: RateTable, other: InvoiceLine) -> None:
    assert review_id("acme", other, rates) != review_id("acme", LINE, rates)


def test_two_tenants_never_share_an_item(rates: RateTable) -> None:
    assert review_id("acme", LINE, rates) != review_id("other", LINE, rates)


@pytest.mark.parametrize(
    ("amount", "fen"),
    [(None, 0), (Decimal("12.34"), 1234), (Decimal("-5"), -500), (Decimal("0.29"), 29)],
)
def test_an_item_counts_its_amount_in_fen(assistant: Assistant, amount, fen: int) -> None:
    line = InvoiceLine(LINE.name, amount=amount)
    item = item_of("acme", line, assistant.suggest(line), assistant.rate_table)
    assert (item.amount, item.times, item.tenant) == (fen, 1, "acme")


def test_medium_and_weak_answers_are_looked_at(assistant: Assistant) -> None:
    answers = assistant.suggest(["停车费", "薯片", "服务费", "柚子味鱼排", "其他"])
    assert {a.tier.value for a in answers} == {"strong", "medium", "weak"}
    assert [needs_review(a) for a in answers] == [a.tier.value != "strong" for a in answers]
