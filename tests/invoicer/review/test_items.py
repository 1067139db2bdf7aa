"""What is one question, and which answers people look at."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from invoicer import Assistant, InvoiceLine
from invoicer.review.items import identity, item_of, needs_review
from invoicer.review.rules import ReviewRules
from knowledge_base.rate_advice import TaxpayerType
from knowledge_base.rates import RateTable

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
    assert identity("acme", same, rates).item == identity("acme", LINE, rates).item


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
    assert identity("acme", other, rates).item != identity("acme", LINE, rates).item


def test_two_tenants_share_the_question_but_never_an_item(rates: RateTable) -> None:
    assert identity("acme", LINE, rates).question == identity("other", LINE, rates).question
    assert identity("acme", LINE, rates).item != identity("other", LINE, rates).item


@pytest.mark.parametrize(
    ("amount", "fen"),
    [(None, 0), (Decimal("12.34"), 1234), (Decimal("-5"), -500), (Decimal("0.29"), 29)],
)
def test_an_item_counts_its_amount_in_fen(assistant: Assistant, amount, fen: int) -> None:
    line = InvoiceLine(LINE.name, amount=amount)
    item = item_of(
        "acme", line, assistant.suggest(line), identity("acme", line, assistant.rate_table)
    )
    assert (item.amount, item.times, item.tenant) == (fen, 1, "acme")


def test_medium_and_weak_answers_are_looked_at(assistant: Assistant) -> None:
    answers = assistant.suggest(["停车费", "薯片", "服务费", "柚子味鱼排", "其他"])
    assert {a.tier.value for a in answers} == {"strong", "medium", "weak"}
    rules = ReviewRules(random_slice=0.0)
    seen = [needs_review(a, "rv_1", rules) for a in answers]
    assert seen == [a.tier.value != "strong" for a in answers]


def test_a_random_slice_of_strong_answers_is_looked_at_too(assistant: Assistant) -> None:
    strong = assistant.suggest("弹簧床垫 1.8m")
    assert strong.tier.value == "strong"
    rules = ReviewRules(random_slice=0.1)
    drawn = [needs_review(strong, f"rv_{number}", rules) for number in range(2000)]
    assert 140 < sum(drawn) < 260
    assert drawn == [needs_review(strong, f"rv_{number}", rules) for number in range(2000)]
