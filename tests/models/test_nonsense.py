"""Names that mean nothing: always the same ones, and never answered with confidence."""

from __future__ import annotations

import pytest

from invoicer import Assistant, Tier
from models.nonsense import nonsense

NAMES = ["弹簧床垫", "柚子味鱼排", "不锈钢保温杯", "停车费"]


def test_the_same_seed_makes_the_same_names() -> None:
    made = nonsense(NAMES, 50, seed=3)
    assert made == nonsense(NAMES, 50, seed=3) != nonsense(NAMES, 50, seed=4)
    assert all(name.strip() for name in made)


@pytest.mark.parametrize("name", ["zzz", "xqzw", "asdf1234", "啊啊啊", "qwerty", "咕噜哩", "龘龘"])
def test_what_means_nothing_is_never_strong(assistant: Assistant, name: str) -> None:
    assert assistant.suggest(name).tier is not Tier.STRONG


def test_most_names_without_a_meaning_are_weak(assistant: Assistant) -> None:
    names = [name for _, name in assistant.kb.lexicon.everyday_names()]
    answers = assistant.suggest(nonsense(names, 300, seed=77))
    weak = sum(answer.tier is Tier.WEAK for answer in answers)
    strong = sum(answer.tier is Tier.STRONG for answer in answers)
    assert weak > 180
    assert strong < 15


@pytest.mark.parametrize(
    "name", ["详见销货清单", "商品一批", "无", "test", "???", "*日用杂品*详见清单"]
)
def test_a_name_that_says_nothing_is_weak_and_says_so(assistant: Assistant, name: str) -> None:
    answer = assistant.suggest(name)
    assert (answer.tier, answer.code) == (Tier.WEAK, "")
    assert "名称没有说明" in answer.prompt
