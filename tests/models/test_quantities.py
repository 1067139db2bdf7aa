"""Quantities: what a size, a strength or a count says about the kind of goods."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.compiled import Compiled
from models.quantities import Quantities

LIQUOR, SOFT_DRINK = "1030302000000000000", "1030307010000000000"
CIGARETTES, PENS = "1030402010000000000", "1060402010200000000"
EXERCISE_BOOKS, CLOTHES = "1060202010000000000", "1040201990000000000"
TABLETS = "1070302050000000000"


@pytest.fixture(scope="module")
def quantities(compiled: Compiled) -> Quantities:
    return compiled.quantities


@pytest.fixture(scope="module")
def support(compiled: Compiled):
    """text, unit, code → what the quantities say of the code."""
    codes = compiled.index.codes

    def of(text: str, unit: str, code: str) -> float:
        rows = compiled.quantities.rows(text, unit)
        return float(compiled.quantities.support([rows], np.array([[codes.index(code)]]))[0, 0])

    return of


@pytest.mark.parametrize(
    ("text", "unit", "likely", "unlikely"),
    [
        ("52% 500ml", "盒", LIQUOR, SOFT_DRINK),
        ("烤烟型 84mm", "盒", CIGARETTES, PENS),
        ("36k*20页", "本", EXERCISE_BOOKS, PENS),
        ("xl", "件", CLOTHES, EXERCISE_BOOKS),
        ("0.3g*24片", "盒", TABLETS, SOFT_DRINK),
    ],
)
def test_quantities_speak_for_what_is_measured_so(support, text, unit, likely, unlikely) -> None:
    assert support(text, unit, likely) > 0.5
    assert support(text, unit, likely) > support(text, unit, unlikely) + 0.5


def test_the_unit_of_measure_counts_like_a_unit_in_the_text(quantities: Quantities) -> None:
    assert set(quantities.rows("", "片")) < set(quantities.rows("24片", ""))


def test_the_order_of_magnitude_counts(quantities: Quantities) -> None:
    small, large = set(quantities.rows("10ml", "")), set(quantities.rows("5000ml", ""))
    assert small & large
    assert small != large


def test_an_amount_in_brackets_keeps_its_unit(quantities: Quantities) -> None:
    assert set(quantities.rows("(450+50)毫升", "")) >= set(quantities.rows("", "毫升"))


@pytest.mark.parametrize("text", ["", "火锅浓缩汤", "iphone14", "hcd006tsdl"])
def test_words_and_model_numbers_are_no_quantities(quantities: Quantities, text: str) -> None:
    assert quantities.rows(text, "") == []


def test_without_a_quantity_nothing_is_said(support) -> None:
    assert support("火锅浓缩汤", "", LIQUOR) == 0.0


def test_what_is_said_of_one_kind_is_bounded(quantities: Quantities) -> None:
    assert np.abs(quantities.table).max() <= 1.0


_quantities: list[Quantities] = []


@pytest.fixture(scope="module", autouse=True)
def _share(quantities: Quantities):
    _quantities.append(quantities)


@given(st.text(alphabet="0123456789.０１²٣mlgk度片/*x-%() 毫升", max_size=60))
def test_any_specification_can_be_read(text: str) -> None:
    rows = _quantities[0].rows(text, text[:2])
    assert rows == list(dict.fromkeys(rows))


def test_a_hostile_run_of_digits_is_read_like_any_other(quantities: Quantities) -> None:
    assert quantities.rows("1" * 100_000 + "." * 100_000, "") == []
