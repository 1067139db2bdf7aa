"""Formulas in CSV cells are guarded, and every cell comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicer.guard import freed, guarded


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd|' /C calc'!A0", "-手机壳", "@SUM(A1)", "\t=1", "\r=1"]
)
def test_what_a_spreadsheet_would_run_gets_a_quote(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-12.50", "+5", "-3%", "1e-5", "柚子味鱼排", "", "a=b", "'90后'"])
def test_numbers_and_plain_text_stay(cell: str) -> None:
    assert guarded(cell) == cell


@given(st.text(alphabet="'=+-@\t\r1.柚a", max_size=8))
def test_freeing_undoes_guarding(cell: str) -> None:
    assert freed(guarded(cell)) == cell
