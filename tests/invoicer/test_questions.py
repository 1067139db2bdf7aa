"""Questions and scenarios: asked where the answer changes the code, settled by an answer."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from invoicer import Assistant, InvoiceLine, Tier
from models.words import name_key

DAY = dt.date(2026, 11, 1)


def line(name: str, **known: str) -> InvoiceLine:
    return InvoiceLine.from_fields({"name": name, "date": DAY.isoformat(), **known})


def test_every_ambiguous_term_is_asked_about_and_never_strong(assistant: Assistant) -> None:
    terms = list(assistant.kb.lexicon.ambiguous)
    found = assistant.suggest([line(term) for term in terms])
    silent = [t for t, s in zip(terms, found, strict=True) if not s.question or not s.options]
    assert silent == []
    assert [t for t, s in zip(terms, found, strict=True) if s.tier is Tier.STRONG] == []


def test_every_ambiguous_term_is_settled_by_each_of_its_answers(assistant: Assistant) -> None:
    asked = []
    for term, row in assistant.kb.lexicon.ambiguous.items():
        options = assistant.query(line(term)).situation.options or row.options
        asked.extend((term, answer, code) for answer, code in options.items())
    found = assistant.suggest([line(term, answer=answer) for term, answer, _ in asked])
    wrong = [
        (term, answer, code, suggestion.candidates[0].code)
        for (term, answer, code), suggestion in zip(asked, found, strict=True)
        if suggestion.candidates[0].code != code or suggestion.question
    ]
    assert len(wrong) <= len(asked) // 100, wrong[:10]


def test_an_option_shows_its_code_and_rate(assistant: Assistant) -> None:
    found = assistant.suggest(line("薯片"))
    assert found.question
    assert all(option.code and option.short_name and option.rate for option in found.options)


def test_an_option_may_be_chosen_by_its_number(assistant: Assistant) -> None:
    options = assistant.suggest(line("薯片")).options
    for number, option in enumerate(options, 1):
        found = assistant.suggest(line("薯片", answer=str(number)))
        assert found.candidates[0].code == option.code
        assert found.question == ""


def test_an_answer_that_fits_no_option_leaves_the_question_open_and_says_so(
    assistant: Assistant,
) -> None:
    found = assistant.suggest(line("薯片", answer="不知道"))
    assert found.question
    assert any("不知道" in warning for warning in found.warnings)


@pytest.mark.parametrize("seller", ["", "某某物业服务有限公司", "停车场管理公司"])
def test_parking_is_leasing_at_nine_percent_whoever_bills_it(
    assistant: Assistant, seller: str
) -> None:
    found = assistant.suggest(line("停车费", seller_industry=seller))
    assert found.candidates[0].code == "3040502020200000000"
    assert found.rate == Decimal("0.09")


def test_managing_parking_for_the_owner_is_a_service_at_six_percent(assistant: Assistant) -> None:
    codes = {
        option.code: option.rate.rate
        for option in assistant.suggest(line("停车管理费")).options
        if option.rate
    }
    found = assistant.suggest(line("停车管理费"))
    codes[found.candidates[0].code] = found.rates[0].rate
    assert Decimal("0.06") in codes.values()


def test_the_seller_decides_what_the_name_leaves_open(assistant: Assistant) -> None:
    found = assistant.suggest(line("水费", seller_industry="某某自来水有限公司"))
    assert found.candidates[0].code.startswith("11003")
    assert found.question == ""


@pytest.mark.parametrize("name", ["打印机及安装", "空调销售及安装"])
def test_several_supplies_in_one_name_are_named_and_never_strong(
    assistant: Assistant, name: str
) -> None:
    found = assistant.suggest(line(name))
    assert found.prompt.count("分别核算") == 1  # asked about, and only once
    assert found.tier is not Tier.STRONG


def test_several_supplies_at_one_rate_are_not_asked_about_but_not_strong(
    assistant: Assistant,
) -> None:
    found = assistant.suggest(line("保洁费及绿化养护费"))
    assert "混合销售" not in found.prompt
    assert found.tier is not Tier.STRONG


def test_ambiguous_terms_are_names_that_the_reader_knows(assistant: Assistant) -> None:
    names = assistant.matcher.compiled.words.names
    missing = [t for t in assistant.kb.lexicon.ambiguous if name_key(t) not in names]
    assert missing == []
