"""Names of whole groups, printed where a product should stand: asked about, never guessed."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import pytest

from invoicer import Assistant, InvoiceLine, Suggestion, Tier
from models.query import Hint, HintKind

DAY = dt.date(2026, 11, 27)


class Named(NamedTuple):
    codes: frozenset[str]
    found: Suggestion


@pytest.fixture(scope="module")
def categories(assistant: Assistant) -> dict[str, Named]:
    """Every category, answered by its name."""
    known = list(assistant.matcher.compiled.categories.values())
    lines = [InvoiceLine(one.name, date=DAY) for one in known]
    answers = zip(known, assistant.suggest(lines), strict=True)
    return {one.name: Named(frozenset(one.options.values()), found) for one, found in answers}


def test_the_name_of_a_category_is_answered_from_it(categories: dict[str, Named]) -> None:
    assert len(categories) > 600
    for name, (codes, found) in categories.items():
        assert found.candidates[0].code in codes, name


def test_a_category_of_several_codes_is_never_strong(categories: dict[str, Named]) -> None:
    strong = [n for n, one in categories.items() if one.found.tier is Tier.STRONG]
    assert all(len(categories[name].codes) == 1 for name in strong)
    assert strong  # a category of one code is that code


def test_every_node_above_the_codes_is_a_category_or_a_product(assistant: Assistant) -> None:
    """And if a product, then of the codes below it."""
    taxonomy = assistant.kb.taxonomy
    nodes = [node for node in taxonomy if not node.is_leaf]
    below = [{leaf.code for leaf in taxonomy.under(node.code)} for node in nodes]
    found = assistant.suggest([InvoiceLine(node.name, date=DAY) for node in nodes])
    inside = [f.candidates[0].code in codes for f, codes in zip(found, below, strict=True)]
    # 热力, 水, 黄金 … are everyday names of products elsewhere.
    assert sum(inside) >= len(nodes) - 12


def test_a_few_codes_are_asked_about_and_an_answer_settles_them(assistant: Assistant) -> None:
    asked = assistant.suggest(InvoiceLine("烟草制品", date=DAY))
    question = asked.questions[0]
    assert question.text == "“烟草制品”是一类的名称,具体是哪一种?"
    assert {option.short_name for option in question.options} == {"烟草制品"}
    assert (asked.tier, asked.short_name) == (Tier.MEDIUM, "烟草制品")
    for option in question.options:
        settled = assistant.suggest(InvoiceLine("烟草制品", date=DAY, answer=option.answer))
        assert (settled.tier, settled.code) == (Tier.STRONG, option.code)


@pytest.mark.parametrize("name", ["农业产品", "机动车"])  # of many 简称, and of one
def test_many_codes_are_not_guessed_from(assistant: Assistant, name: str) -> None:
    found = assistant.suggest(InvoiceLine(name, date=DAY))
    assert (found.tier, found.code) == (Tier.WEAK, "")
    told = f"“{name}”是大类名称,请填写具体的商品或服务名称"
    assert found.hint == Hint(HintKind.COMPLETE, told)


@pytest.mark.parametrize("name", ["*调味品*烟草制品", "烟草制品 一批", "烟草制品 5kg"])
def test_what_tells_nothing_of_the_product_leaves_it_a_category(
    assistant: Assistant, name: str
) -> None:
    assert assistant.suggest(name).questions[0].text.startswith("“烟草制品”是一类的名称")


@pytest.mark.parametrize("name", ["烟草制品展示柜", "烟草制品 打火机", "焙烤食品 蛋糕"])
def test_a_name_that_says_more_is_no_category(assistant: Assistant, name: str) -> None:
    found = assistant.suggest(name)
    assert not any("是一类的名称" in question.text for question in found.questions)


def test_a_category_with_a_list_for_a_name_is_one_supply(assistant: Assistant) -> None:
    found = assistant.suggest(InvoiceLine("宝石、玉石矿石", date=DAY))
    assert [question.fact for question in found.questions][:1] == ["product"]


def test_options_are_those_of_the_code_table_of_the_day(assistant: Assistant) -> None:
    """Those of used mineral oil came with the second table."""
    then, now = (
        assistant.suggest(InvoiceLine("汽油类", date=day)) for day in (dt.date(2018, 2, 1), DAY)
    )
    shown = [{o.code for q in one.questions for o in q.options} for one in (then, now)]
    assert set() < shown[0] < shown[1]


@pytest.mark.parametrize(
    ("name", "code_name"),
    [("饼干", "饼干"), ("调味品", "复合调味品"), ("手链", "金银珠宝首饰"), ("板坯", "粗钢")],
)
def test_goods_that_a_note_only_mentions_keep_their_own_code(
    assistant: Assistant, name: str, code_name: str
) -> None:
    found = assistant.suggest(InvoiceLine(name, date=DAY))
    assert (found.candidates[0].name, found.tier) == (code_name, Tier.STRONG)
