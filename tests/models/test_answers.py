"""Answers are handed out to the questions of a line, in any order, by text or number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.questions import Answers

GOODS = ("碳钢或不锈钢", "PVC、PPR、PE", "铜")
TAXPAYERS = ("一般纳税人", "小规模纳税人")


def taken(text: str) -> tuple[str | None, str | None, tuple[str, ...]]:
    """What the two questions take, and what is left."""
    goods, answers = Answers.of(text).take(GOODS)
    taxpayer, answers = answers.take(TAXPAYERS)
    return goods, taxpayer, answers.left


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (None, None, ())),
        ("铜", ("铜", None, ())),
        ("3", ("铜", None, ())),
        ("５", (None, "小规模纳税人", ())),
        ("5;3", ("铜", "小规模纳税人", ())),
        ("小规模纳税人；铜", ("铜", "小规模纳税人", ())),
        ("铜\r\n小规模纳税人", ("铜", "小规模纳税人", ())),
        ("PVC、PPR、PE、一般纳税人", ("PVC、PPR、PE", "一般纳税人", ())),
        (" pvc、ppr、pe ", ("PVC、PPR、PE", None, ())),
        ("PVC、铜", ("铜", None, ("pvc",))),
        ("铜;铝", ("铜", None, ("铝",))),
        ("6", (None, None, ("6",))),
        ("1;2", ("碳钢或不锈钢", None, ("2",))),
    ],
)
def test_each_question_takes_its_own_answer(text: str, expected) -> None:
    assert taken(text) == expected


def test_numbers_count_on_whether_or_not_a_question_is_answered() -> None:
    for text in ("铜", "", "不知道"):
        assert Answers.of(text).take(GOODS)[1].number == 4


@given(st.text(alphabet="铜123456;；、\n ", max_size=20))
def test_any_text_is_read(text: str) -> None:
    goods, taxpayer, _ = taken(text)
    assert goods in (None, *GOODS)
    assert taxpayer in (None, *TAXPAYERS)
