"""The assistant: a name in, a code with an honest confidence out."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoicer import Assistant, InvoiceLine, Suggestion, Tier
from invoicer.tiers import TierFacts, tier_of
from knowledge_base.rate_advice import TaxpayerType, Treatment
from models.calibration import Calibration
from models.compiled import is_frozen

FISH = "1030109050000000000"
PARKING = "3040502020200000000"
CUT_CRISPS, MIXED_CRISPS = "1030201050000000000", "1030201040000000000"
JULY_2026 = dt.date(2026, 7, 1)


def on(name: str, day: dt.date = JULY_2026) -> InvoiceLine:
    return InvoiceLine(name, date=day)


@pytest.fixture(scope="module")
def sample_lines(assistant: Assistant) -> list[InvoiceLine]:
    frozen = [s for s in assistant.kb.lexicon.samples() if is_frozen(s)]
    return [on(s.name) for s in random.Random(11).sample(frozen, 400)]


@pytest.fixture(scope="module")
def sampled(assistant: Assistant, sample_lines) -> list[Suggestion]:
    return assistant.suggest(sample_lines)


# -- answers ----------------------------------------------------------------------------------


def test_a_fish_cake_with_a_fruit_flavour_is_fish(assistant: Assistant) -> None:
    found = assistant.suggest(on("柚子味鱼排 200g"))
    assert (found.code, found.short_name) == (FISH, "水产加工品")
    assert "检测到风味描述词,请确认实际商品是否为鱼排?" in found.prompt


def test_parking_is_a_lease(assistant: Assistant) -> None:
    assert assistant.suggest(on("停车费")).code == PARKING


def test_cut_crisps_and_crisps_of_potato_flour_are_told_apart(assistant: Assistant) -> None:
    assert assistant.suggest(on("原切薯片")).candidates[0].code == CUT_CRISPS
    assert assistant.suggest(on("薯泥薯片")).candidates[0].code == MIXED_CRISPS


@pytest.mark.parametrize(
    ("name", "short_name"),
    [
        ("苹果手机 256G", "移动通信设备"),
        ("苹果汁", "软饮料"),
        ("味精", "调味品"),
        ("18-8不锈钢架", "金属制品"),
        ("芹菜", "蔬菜"),
    ],
)
def test_names_that_mislead_and_names_that_do_not(assistant, name: str, short_name: str) -> None:
    assert assistant.suggest(on(name)).candidates[0].short_name == short_name


def test_a_printed_short_name_moves_the_answer(assistant: Assistant) -> None:
    plain = assistant.suggest(on("鱼排"))
    printed = assistant.suggest(on("*水产加工品*鱼排"))
    assert printed.short_name == "水产加工品"
    assert printed.confidence >= plain.confidence


def test_every_answer_carries_its_versions(assistant: Assistant) -> None:
    found = assistant.suggest("鱼排")
    assert (found.model_version, found.kb_version) == (
        assistant.learned.version,
        assistant.kb.version,
    )


def test_every_answer_gives_its_reasons(sampled: list[Suggestion]) -> None:
    assert all(found.evidence for found in sampled if found.tier is not Tier.WEAK)


def test_one_to_five_candidates_best_first_whatever_the_tier(sampled: list[Suggestion]) -> None:
    for found in sampled:
        confidences = [c.confidence for c in found.candidates]
        assert 1 <= len(confidences) <= 5
        assert confidences == sorted(confidences, reverse=True)
        assert confidences[-1] >= 0
        assert confidences[0] <= 1
        assert found.confidence == pytest.approx(confidences[0], abs=1e-6)


def test_no_code_is_a_candidate_twice(sampled: list[Suggestion]) -> None:
    assert all(len({c.code for c in f.candidates}) == len(f.candidates) for f in sampled)


def test_the_answer_is_the_first_candidate_unless_weak(sampled: list[Suggestion]) -> None:
    for found in sampled:
        top = found.candidates[0]
        expected = ("", "") if found.tier is Tier.WEAK else (top.code, top.short_name)
        assert (found.code, found.short_name) == expected


def test_a_line_gets_the_same_answer_alone_and_in_a_batch(
    assistant: Assistant, sample_lines, sampled: list[Suggestion]
) -> None:
    for line, batched in list(zip(sample_lines, sampled, strict=True))[:60]:
        alone = assistant.suggest(line)
        assert [c.code for c in alone.candidates] == [c.code for c in batched.candidates]
        assert alone.tier is batched.tier
        assert alone.confidence == pytest.approx(batched.confidence, abs=1e-6)


def test_answers_keep_the_order_of_the_lines_across_dates(assistant: Assistant) -> None:
    days = [dt.date(2018, 2, 1), JULY_2026, dt.date(2020, 1, 1)]
    lines = [on(name, day) for name in ("停车费", "芹菜", "鱼排") for day in days]
    alone = [assistant.suggest(line).candidates[0] for line in lines]
    together = [found.candidates[0] for found in assistant.suggest(lines)]
    assert [c.code for c in together] == [c.code for c in alone]
    assert [c.short_name for c in together] == [c.short_name for c in alone]


def test_no_lines_give_no_answers(assistant: Assistant) -> None:
    assert assistant.suggest([]) == []


def test_a_name_is_a_line(assistant: Assistant) -> None:
    assert assistant.suggest("停车费") == assistant.suggest(InvoiceLine("停车费"))


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=60).filter(str.strip))
def test_any_name_gets_an_answer(name: str) -> None:
    found = _assistant[0].suggest(on(name))
    assert found.candidates
    assert 0 <= found.confidence <= 1


@pytest.mark.parametrize("name", ["😀", "***", "\x07", "——"])
def test_a_name_without_words_is_weak(assistant: Assistant, name: str) -> None:
    assert assistant.suggest(on(name)).tier is Tier.WEAK


# -- tiers ------------------------------------------------------------------------------------

THRESHOLDS = Calibration(1.0, 0.0, 0.0, strong=0.9, weak=0.4)
PLAIN = TierFacts(ambiguous=False, catch_all=False, brand_alone=False, supported=False)


@pytest.mark.parametrize(
    ("probability", "tier"),
    [(1.0, "strong"), (0.9, "strong"), (0.8999, "medium"), (0.4, "medium"), (0.3999, "weak")],
)
def test_two_thresholds_make_three_tiers(probability: float, tier: str) -> None:
    assert tier_of(probability, THRESHOLDS, PLAIN) == tier


@given(st.floats(0, 1), st.booleans(), st.booleans())
def test_an_ambiguous_name_is_never_strong(p: float, catch_all: bool, supported: bool) -> None:
    facts = replace(PLAIN, ambiguous=True, catch_all=catch_all, supported=supported)
    assert tier_of(p, THRESHOLDS, facts) is not Tier.STRONG


@given(st.floats(0, 1), st.booleans(), st.sampled_from(["catch_all", "brand_alone"]))
def test_an_unsupported_catch_all_or_brand_is_never_strong(
    p: float, ambiguous: bool, fact: str
) -> None:
    facts = replace(PLAIN, ambiguous=ambiguous, **{fact: True})
    assert tier_of(p, THRESHOLDS, facts) is not Tier.STRONG


@pytest.mark.parametrize("fact", ["catch_all", "brand_alone"])
def test_a_supported_catch_all_or_brand_may_be_strong(fact: str) -> None:
    assert tier_of(0.95, THRESHOLDS, replace(PLAIN, supported=True, **{fact: True})) is Tier.STRONG


def test_a_brand_of_several_goods_is_strong_only_for_what_it_is_known_for(
    assistant: Assistant,
) -> None:
    assert assistant.suggest("松下 MC-DC5G").tier is not Tier.STRONG
    assert assistant.suggest("南孚").tier is Tier.STRONG


def test_every_ambiguous_term_is_asked_about_and_never_strong(assistant: Assistant) -> None:
    terms = list(assistant.kb.lexicon.ambiguous.values())
    answers = assistant.suggest([on(a.term) for a in terms])
    assert [a.term for a, found in zip(terms, answers, strict=True) if not found.questions] == []
    assert {found.tier for found in answers} <= {Tier.MEDIUM, Tier.WEAK}


def test_the_question_comes_with_its_options(assistant: Assistant) -> None:
    found = assistant.suggest(on("薯片 70g"))
    question = found.questions[0]
    assert question.text == "是鲜切油炸的薯片，还是薯粉复合膨化的薯片？"
    assert {option.code for option in question.options} == {CUT_CRISPS, MIXED_CRISPS}


def test_a_strong_catch_all_has_an_exact_name_behind_it(assistant: Assistant) -> None:
    frozen = [s for s in assistant.kb.lexicon.samples() if is_frozen(s)]
    lines = [on(s.name) for s in frozen if assistant.kb.taxonomy[s.code].is_catch_all][:300]
    for line, (_, match) in zip(lines, assistant.match(lines), strict=True):
        if match.signal("catch_all") and assistant.suggest(line).tier is Tier.STRONG:
            assert match.signal("exact") or match.signal("core_exact"), line.name


def test_a_catch_all_is_named_as_such(assistant: Assistant) -> None:
    (found,) = assistant.suggest([on("其他食品")])
    assert found.candidates[0].name == "其他食品"
    assert any("兜底编码" in reason for reason in found.evidence)


def test_a_weak_answer_has_candidates_but_no_code_and_no_rate(assistant: Assistant) -> None:
    found = assistant.suggest(on("其他"))
    assert found.tier is Tier.WEAK
    assert (found.code, found.short_name, found.rate, found.treatment) == ("", "", None, None)
    assert len(found.candidates) == 5


# -- dates and rates --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "code"),
    [("2018-02-01", "1070102030100000000"), ("2018-06-01", "1070101010300000000")],
)
def test_a_line_is_judged_by_the_table_of_its_date(assistant, day: str, code: str) -> None:
    found = assistant.suggest(on("乙醇汽油", dt.date.fromisoformat(day)))
    assert found.candidates[0].code == code


@pytest.mark.parametrize("day", ["2018-02-01", "2018-06-01", "2024-01-01"])
def test_every_candidate_is_valid_on_the_date(assistant, sample_lines, day: str) -> None:
    date = dt.date.fromisoformat(day)
    for found in assistant.suggest([on(line.name, date) for line in sample_lines[:100]]):
        assert all(assistant.kb.taxonomy[c.code].is_valid_on(date) for c in found.candidates)


@pytest.mark.parametrize(
    ("day", "short_name"), [("2018-06-01", "经营租赁"), ("2026-07-01", "生产生活服务")]
)
def test_the_short_name_is_that_of_the_date(assistant, day: str, short_name: str) -> None:
    found = assistant.suggest(on("停车费", dt.date.fromisoformat(day)))
    assert (found.code, found.short_name) == (PARKING, short_name)


def test_a_line_of_2017_is_judged_by_the_first_table(assistant: Assistant) -> None:
    assert assistant.suggest(on("苹果手机", dt.date(2017, 8, 1))).short_name == "移动通信设备"


@pytest.mark.parametrize(
    ("day", "taxpayer", "rate"),
    [
        ("2018-03-01", TaxpayerType.GENERAL, "0.17"),
        ("2018-06-01", TaxpayerType.GENERAL, "0.16"),
        ("2026-07-01", TaxpayerType.GENERAL, "0.13"),
        ("2026-07-01", TaxpayerType.SMALL, "0.01"),
    ],
)
def test_the_rate_follows_date_and_taxpayer(assistant, day, taxpayer, rate: str) -> None:
    line = InvoiceLine("苹果手机", date=dt.date.fromisoformat(day), taxpayer=taxpayer)
    found = assistant.suggest(line)
    assert (found.rate, found.treatment) == (Decimal(rate), Treatment.TAXED)


def test_a_row_is_plain_text_and_numbers_in_the_order_of_the_contract(assistant) -> None:
    row = assistant.suggest(on("停车费")).to_row()
    assert list(row)[:11] == [
        "code", "short_name", "tier", "confidence", "rate", "treatment", "candidates", "prompt",
        "model_version", "kb_version", "error",
    ]  # fmt: skip
    assert (row["rate"], row["treatment"], row["error"]) == ("0.09", "taxed", "")
    assert list(row["candidates"][0]) == ["code", "short_name", "name", "confidence"]


_assistant: list[Assistant] = []


@pytest.fixture(autouse=True, scope="module")
def _share(assistant: Assistant):
    _assistant.append(assistant)
