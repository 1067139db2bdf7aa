"""One line as it comes in: what is taken, what is dropped, what is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicer.errors import LineError
from invoicer.line import (
    MAX_NAME,
    InvoiceLine,
    day_of,
    declared_code,
    parse_amount,
    parse_date,
    parse_taxpayer,
)
from knowledge_base.rate_advice import TaxpayerType

FISH = "1030109050000000000"


def refused(**fields: str) -> LineError:
    with pytest.raises(LineError) as caught:
        InvoiceLine.from_fields({"name": "鱼排", **fields})
    return caught.value


def test_all_evidence_is_kept() -> None:
    line = InvoiceLine.from_fields(
        {
            "name": "柚子味鱼排",
            "spec": "200g",
            "unit": "袋",
            "brand": "某某牌",
            "manufacturer": "某某水产有限公司",
            "barcode": "6901234567892",
            "seller_industry": "超市",
            "date": "2026-07-01",
            "taxpayer": "小规模纳税人",
            "declared_code": FISH,
            "declared_short_name": "*水产加工品*",
            "declared_rate": "13%",
            "answer": "裹粉调味",
        }
    )
    assert line == InvoiceLine(
        "柚子味鱼排", "200g", "袋", "某某牌", "某某水产有限公司", "6901234567892", "超市",
        dt.date(2026, 7, 1), TaxpayerType.SMALL, FISH, "水产加工品", "13%", "裹粉调味",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["", "   ", "\t\n", "\u3000"])
def test_an_empty_name_is_refused(name: str) -> None:
    error = refused(name=name)
    assert error.context == {"field": "name"}
    assert error.message == "商品名称为空,请填写"


def test_the_longest_name_is_taken_and_one_more_character_refused() -> None:
    assert InvoiceLine.from_fields({"name": "鱼" * MAX_NAME}).name == "鱼" * MAX_NAME
    assert refused(name="鱼" * (MAX_NAME + 1)).context == {"field": "name"}


def test_a_name_of_ten_thousand_characters_is_refused_with_its_length() -> None:
    assert "10000 个字符" in refused(name="鱼" * 10_000).message


@pytest.mark.parametrize(
    "text",
    ["2026-11-26", "2026/11/26", "20261126", "2026年11月26日", "2026.11.26", " 2026-11-26 ",
     "2026-11-26 10:15:00", "2026-11-26T10:15:00", "46352", "46352.5"],
)  # fmt: skip
def test_dates_are_read_in_every_usual_writing(text: str) -> None:
    assert parse_date(text) == dt.date(2026, 11, 26)


@pytest.mark.parametrize("text", ["2026-13-01", "2026-02-30", "昨天", "26/11/2026", "6352", "0"])
def test_what_is_no_date_is_refused(text: str) -> None:
    error = refused(date=text)
    assert error.context == {"field": "date"}
    assert text in error.message


def test_a_day_before_the_rates_is_refused() -> None:
    assert parse_date("2016-05-01") == dt.date(2016, 5, 1)
    assert refused(date="2016-04-30").context == {"field": "date"}


@given(st.dates(min_value=dt.date(2016, 5, 1)))
def test_an_iso_date_is_read_as_it_is_written(day: dt.date) -> None:
    assert parse_date(day.isoformat()) == day


def test_no_date_and_no_taxpayer_are_no_error() -> None:
    assert parse_date(" ") is None
    assert parse_taxpayer("") is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("general", TaxpayerType.GENERAL),
        ("一般纳税人", TaxpayerType.GENERAL),
        ("SMALL", TaxpayerType.SMALL),
        (" 小规模 ", TaxpayerType.SMALL),
    ],
)
def test_taxpayer_types_are_read(text: str, kind: TaxpayerType) -> None:
    assert parse_taxpayer(text) is kind


def test_an_unknown_taxpayer_type_is_refused_with_the_words_that_work() -> None:
    error = refused(taxpayer="个体")
    assert error.context == {"field": "taxpayer"}
    assert "general" in error.message and "small" in error.message


def test_a_declared_code_of_nineteen_digits_is_taken() -> None:
    assert declared_code(f" {FISH} ") == (FISH, "")


@pytest.mark.parametrize(
    "text", ["1.03010905E+18", "1.03010905e+18", "1030109050000000000.0", "1.0"]
)
def test_a_declared_code_saved_as_a_number_is_dropped_with_the_reason(text: str) -> None:
    code, warning = declared_code(text)
    assert code == ""
    assert text in warning and "按数字保存" in warning


@pytest.mark.parametrize("text", ["103010905", "不知道", FISH + "0", FISH.replace("1", "１")])
def test_any_other_declared_code_is_dropped_with_a_warning(text: str) -> None:
    code, warning = declared_code(text)
    assert code == ""
    assert "不是 19 位数字" in warning


def test_a_dropped_code_does_not_fail_the_line() -> None:
    line = InvoiceLine.from_fields({"name": "鱼排", "declared_code": "1.03010905E+18"})
    assert (line.name, line.declared_code, len(line.warnings)) == ("鱼排", "", 1)


@given(st.text(max_size=50))
def test_any_declared_code_is_taken_whole_or_dropped_with_a_warning(text: str) -> None:
    code, warning = declared_code(text)
    assert (code == text.strip()) if code else (bool(warning) == bool(text.strip()))


@pytest.mark.parametrize("text", ["20261126101112", "202611261011", "20261126.0"])
def test_a_day_as_interfaces_and_spreadsheets_write_it(text: str) -> None:
    assert parse_date(text) == dt.date(2026, 11, 26)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("(1,000.00)", "-1000.00"), ("（1000）", "-1000"), ("(¥1,000.00)", "-1000.00"),
     ("-¥1,000.00", "-1000.00"), ("¥-1,000.00", "-1000.00"), ("－￥ 8", "-8"),
     ("\u22121000.5", "-1000.5"), ("- 1,000.00 ", "-1000.00"), ("1,000.00元", "1000.00"),
     ("￥ 1,000.00", "1000.00")],
)  # fmt: skip
def test_money_as_spreadsheets_show_it(text: str, amount: str) -> None:
    assert parse_amount(text) == (Decimal(amount), "")


@pytest.mark.parametrize("text", ["(1,000.00", "1000)", "(-5)", "--5", "壹佰元", "1 000", "()"])
def test_what_is_no_number_is_said(text: str) -> None:
    assert parse_amount(text) == (None, f"金额“{text}”不是数字,已忽略")


def test_the_day_of_a_stored_moment_is_the_one_in_china() -> None:
    assert day_of("2026-11-27T15:59:59.999999Z") == dt.date(2026, 11, 27)
    assert day_of("2026-11-27T16:00:00.000000Z") == dt.date(2026, 11, 28)
