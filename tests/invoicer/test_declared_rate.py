"""Rates as invoicing systems print them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from invoicer.declared_rate import read_rate
from knowledge_base.rate_advice import Treatment


@pytest.mark.parametrize(
    ("text", "treatment", "rate"),
    [
        ("13%", Treatment.TAXED, "0.13"),
        ("0.13", Treatment.TAXED, "0.13"),
        ("13", Treatment.TAXED, "0.13"),
        ("\uff11\uff13\uff05", Treatment.TAXED, "0.13"),
        ("0.5%", Treatment.TAXED, "0.005"),
        ("减按1%征收", Treatment.TAXED, "0.01"),
        ("减按 1%", Treatment.TAXED, "0.01"),
        ("13%(简易)", Treatment.TAXED, "0.13"),
        ("3%(简易计税)", Treatment.TAXED, "0.03"),
        ("3%简易征收", Treatment.TAXED, "0.03"),
        ("征收率5%", Treatment.TAXED, "0.05"),
        ("税率:6%", Treatment.TAXED, "0.06"),
        ("免税", Treatment.EXEMPT, None),
        ("免征增值税", Treatment.EXEMPT, None),
        ("免税(出口)", Treatment.EXEMPT, None),
        ("免征", Treatment.EXEMPT, None),
        ("(免税)", Treatment.EXEMPT, None),
        ("不征收增值税", Treatment.NOT_TAXED, None),
        ("不征", Treatment.NOT_TAXED, None),
        ("0", Treatment.ZERO, "0"),
        ("0%", Treatment.ZERO, "0"),
        ("零税率", Treatment.ZERO, "0"),
        ("***", Treatment.TAXED, None),
    ],
)
def test_what_systems_print_is_read(text: str, treatment: Treatment, rate: str | None) -> None:
    declared, warning = read_rate(text)
    assert not warning and declared is not None
    assert (declared.text, declared.treatment) == (text, treatment)
    assert declared.rate == (None if rate is None else Decimal(rate))


@pytest.mark.parametrize("text", ["", " ", "-", "——", "/"])
def test_nothing_printed_is_no_rate_and_no_fault(text: str) -> None:
    assert read_rate(text) == (None, "")


@pytest.mark.parametrize("text", ["0.13%", "0.06%", "0.001"])
def test_a_percentage_that_was_made_a_percentage_twice_is_told(text: str) -> None:
    declared, warning = read_rate(text)
    assert declared is None
    assert warning == f"税率“{text}”低于 0.5%,没有这样的税率;百分之十三应写成 13% 或 0.13"


@pytest.mark.parametrize("text", ["13%9%", "减按", "免", "税", "abc", "13%(", "1300", "(13%)(9%)"])
def test_what_is_no_rate_is_refused_by_name(text: str) -> None:
    declared, warning = read_rate(text)
    assert declared is None and text in warning
