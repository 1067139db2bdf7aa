"""Money: net and tax-inclusive amounts, discounts, red-letter lines, half a fen upwards."""

from __future__ import annotations

from decimal import Decimal

import pytest

from invoicer.recode.billing import Bill, Stake, bill_of, implied_rate, stake_of

D = Decimal
THIRTEEN, NINE = D("0.13"), D("0.09")


def bill(**fields: str) -> Bill:
    found, warning = bill_of(fields, THIRTEEN)
    assert found is not None
    assert warning == ""
    return found


def test_the_tax_of_a_net_amount_is_on_top() -> None:
    assert bill(amount="1,000.00").tax_at(NINE) == D("90.00")


def test_the_tax_of_an_inclusive_amount_is_in_it() -> None:
    assert bill(gross_amount="1130").tax_at(THIRTEEN) == D("130.00")


def test_half_a_fen_is_rounded_up_and_on_a_red_letter_line_away_from_nothing() -> None:
    assert bill(amount="0.50").tax_at(NINE) == D("0.05")
    assert bill(amount="-0.50").tax_at(NINE) == D("-0.05")


@pytest.mark.parametrize(
    ("fields", "base", "inclusive"),
    [
        ({"amount": "100", "gross_amount": "113"}, "100", False),
        ({"gross_amount": "113"}, "113", True),
        ({"quantity": "3", "price": "33.335"}, "100.01", False),
        ({"quantity": "2", "gross_price": "56.5"}, "113.00", True),
        ({"amount": "¥1,234.50"}, "1234.50", False),
    ],
)
def test_the_amount_is_the_net_one_the_gross_one_or_quantity_times_price(
    fields: dict[str, str], base: str, inclusive: bool
) -> None:
    found = bill(**fields)
    assert (found.base, found.inclusive) == (D(base), inclusive)


@pytest.mark.parametrize("discount", ["10", "-10"])
def test_a_discount_is_taken_off_whatever_its_sign(discount: str) -> None:
    assert bill(amount="100", discount=discount).base == D(90)


def test_a_discount_on_a_red_letter_line_makes_it_smaller() -> None:
    assert bill(amount="-100", discount="10").base == D(-90)


def test_a_discount_is_not_taken_off_twice_where_the_tax_is_that_of_the_full_amount() -> None:
    assert bill(amount="100", discount="10", tax="13.00").base == D(100)
    assert bill(amount="100", discount="10", tax="11.70").base == D(90)


def test_no_amount_is_no_bill() -> None:
    assert bill_of({"amount": ""}, None) == (None, "")
    assert bill_of({"tax": "***"}, None) == (None, "")


def test_an_amount_that_is_no_number_is_said() -> None:
    found, warning = bill_of({"amount": "1o0"}, None)
    assert found is None
    assert "1o0" in warning


def test_the_stake_is_right_tax_less_declared_tax() -> None:
    stake = stake_of(Bill(D(1000), False, None), NINE, (THIRTEEN,))
    assert stake is not None
    assert (stake.low, stake.high) == (D("40.00"), D("40.00"))


def test_a_condition_makes_the_stake_a_range() -> None:
    stake = stake_of(Bill(D(1000), False, D("130.00")), THIRTEEN, (THIRTEEN, NINE))
    assert stake is not None
    assert (stake.low, stake.high) == (D("-40.00"), D("0.00"))


def test_a_red_letter_line_turns_the_stake_around() -> None:
    stake = stake_of(Bill(D(-1000), False, None), NINE, (THIRTEEN,))
    assert stake is not None
    assert (stake.low, stake.high) == (D("-40.00"), D("-40.00"))


def test_an_inclusive_bill_keeps_its_total() -> None:
    stake = stake_of(Bill(D("1090.00"), True, D("90.00")), NINE, (THIRTEEN,))
    assert stake is not None
    assert stake.tax_low == D("125.40")


def test_a_printed_tax_within_the_tolerance_is_right_as_it_stands() -> None:
    stake = stake_of(Bill(D("100.00"), False, D("13.05")), THIRTEEN, (THIRTEEN,))
    assert stake is not None
    assert stake.high == 0


def test_without_rate_and_tax_nothing_is_at_stake() -> None:
    assert stake_of(Bill(D(100), False, None), None, (THIRTEEN,)) is None


def test_a_printed_tax_stands_where_the_rate_is_not_known() -> None:
    found = Bill(D("10000"), False, D("100"))  # of 差额征税
    assert stake_of(found, None, (D("0.06"),)) == Stake(*[D("100.00")] * 3)


@pytest.mark.parametrize(
    ("base", "inclusive", "tax", "rate"),
    [("100", False, "9.00", "0.09"), ("-100", False, "-13.00", "0.13"), ("109", True, "9", "0.09"),
     ("333.33", False, "43.33", "0.13"), ("1000", False, "15", "0.015"), ("100", False, "0", "0"),
     ("100", False, "9.40", None), ("100", False, "-9", None), ("1", False, "0.13", None),
     ("0", False, "0", None)],
)  # fmt: skip
def test_the_rate_that_a_printed_tax_speaks_for(
    base: str, inclusive: bool, tax: str, rate: str | None
) -> None:
    found = implied_rate(Bill(D(base), inclusive, D(tax)))
    assert found == (None if rate is None else D(rate))
