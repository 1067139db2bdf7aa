"""Declared code, 简称 and rate are evidence: agreement decides, and every fault has a name."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from invoicer import Assistant, InvoiceLine
from invoicer.recode.findings import Finding, Severity
from invoicer.recode.judge import Judge
from invoicer.recode.questions import line_of_question, pack, question_of, unpack
from invoicer.recode.verdict import Verdict

FISH, APPLE, CITRUS = "1030109050000000000", "1010115010100000000", "1010115010300000000"
REBAR, PHONE, PARKING = "1080207050000000000", "1090505010000000000", "3040502020200000000"
SUMMARY, OUTSOURCING, SMS = "1080207000000000000", "3040802040000000000", "3030201000000000000"
D = Decimal


@pytest.fixture(scope="module")
def judge(assistant: Assistant) -> Judge:
    return Judge(assistant)


def verdict(judge: Judge, name: str, code: str = "", rate: str = "", **more: str) -> Verdict:
    fields = {
        "name": name, "declared_code": code, "declared_rate": rate, "date": "2024-05-06", **more,
    }  # fmt: skip
    line = InvoiceLine.from_fields(fields)
    question = question_of(fields, judge.period(line.date))
    asked = line_of_question(question.text, judge.code_periods)
    return judge.judge(question, unpack(pack(judge.assistant.suggest(asked))), line, fields)


def kinds(found: Verdict) -> set[Finding]:
    return {one.kind for one in found.findings}


def detail(found: Verdict, kind: Finding) -> str:
    (one,) = [f for f in found.findings if f.kind is kind]
    return one.detail


def test_agreement_keeps_the_declared_code_and_makes_it_surer(judge: Judge) -> None:
    found = verdict(judge, "*水产加工品*柚子味鱼排", FISH, "13%")
    assert (found.code, found.short_name, found.tier) == (FISH, "水产加工品", "strong")
    assert found.findings == ()
    assert found.correction == ""


def test_the_declared_code_is_not_part_of_the_question(judge: Judge) -> None:
    plain = question_of({"name": "鱼排"}, 1)
    declared = question_of({"name": "*水果*鱼排", "declared_code": APPLE}, 1)
    assert plain.hash == declared.hash


def test_sellers_of_one_industry_ask_the_same(judge: Judge) -> None:
    one, two, other = (
        question_of({"name": "停车费", "seller_industry": seller}, 1).hash
        for seller in ("甲物业服务有限公司", "乙物业服务有限公司", "甲餐饮有限公司")
    )
    assert one == two != other


def test_a_flavour_taken_for_fruit_is_named_and_corrected(judge: Judge) -> None:
    found = verdict(judge, "柚子味鱼排", CITRUS, "9%")
    assert "口味“柚子”" in detail(found, Finding.MISREAD_WORD)
    assert found.code == FISH
    assert FISH in found.correction


def test_a_brand_taken_for_fruit_is_named_with_the_rate_it_costs(judge: Judge) -> None:
    found = verdict(judge, "苹果手机 256G", APPLE, "9%")
    assert kinds(found) == {Finding.MISREAD_WORD, Finding.RATE_IMPOSSIBLE}
    assert (found.code, found.right) == (PHONE, (D("0.13"),))
    assert "税率改为 13%" in found.correction


def test_a_strong_contradiction_changes_the_code_and_says_how_sure(judge: Judge) -> None:
    found = verdict(judge, "停车费", "3040801010000000000", "9%")
    assert found.code == PARKING
    assert "把握" in detail(found, Finding.NAME_CONTRADICTS)


def test_a_name_that_says_little_leaves_the_declared_code(judge: Judge) -> None:
    found = verdict(judge, "XK-9 型", REBAR, "13%")
    assert found.code == REBAR
    assert found.tier == "weak"


@pytest.mark.parametrize(
    "text", ["1.08020705E+18", "1.080207050000000000E18", "1080207050000000000.0"]
)
def test_a_code_saved_as_a_number_is_found_again(judge: Judge, text: str) -> None:
    found = verdict(judge, "螺纹钢", text, "13%")
    assert REBAR in detail(found, Finding.DAMAGED_CODE)
    assert found.code == REBAR


def test_a_code_that_lost_too_many_digits_is_told_by_the_name(judge: Judge) -> None:
    found = verdict(judge, "螺纹钢", "1.08021E+18", "13%")
    assert kinds(found) == {Finding.DAMAGED_CODE}
    assert found.code == REBAR


def test_a_code_that_is_no_number_at_all_is_damaged(judge: Judge) -> None:
    assert "abc" in detail(verdict(judge, "螺纹钢", "abc"), Finding.DAMAGED_CODE)


def test_an_unknown_code_is_named(judge: Judge) -> None:
    found = verdict(judge, "螺纹钢", "1080207059900000000", "13%")
    assert Finding.UNKNOWN_CODE in kinds(found)
    assert found.code == REBAR


def test_a_summary_code_leads_to_a_leaf_below_it(judge: Judge) -> None:
    found = verdict(judge, "螺纹钢", SUMMARY, "13%")
    assert kinds(found) == {Finding.SUMMARY_CODE}
    assert found.code == REBAR


def test_a_stopped_code_was_right_while_it_was_in_force(judge: Judge) -> None:
    name = "*经纪代理服务*人力资源外包服务"
    before = verdict(judge, name, OUTSOURCING, "6%", date="2019-03-01")
    after = verdict(judge, name, OUTSOURCING, "6%")
    assert (before.code, kinds(before)) == (OUTSOURCING, set())
    assert Finding.STOPPED_CODE in kinds(after)
    assert after.code not in ("", OUTSOURCING)


def test_a_short_name_of_another_code_is_a_fault(judge: Judge) -> None:
    found = verdict(judge, "*水果*柚子味鱼排", FISH, "13%")
    assert kinds(found) == {Finding.SHORT_NAME_MISMATCH}
    assert "简称改为 水产加工品" in found.correction


def test_a_short_name_of_another_day_is_a_small_fault(judge: Judge) -> None:
    later = judge.taxonomy.short_name(PARKING, judge.assistant.kb.taxonomy[PARKING].valid_from)
    found = verdict(judge, f"*{later}*停车费", PARKING, "9%", date="2026-11-01")
    (one,) = found.findings
    assert (one.kind, one.severity) == (Finding.SHORT_NAME_OUTDATED, Severity.LOW)


def test_a_rate_of_an_earlier_time_is_possible_for_old_business_only(judge: Judge) -> None:
    found = verdict(judge, "螺纹钢", REBAR, "16%")
    assert "补开" in detail(found, Finding.RATE_CONDITIONAL)
    assert found.right == (D("0.16"), D("0.13"))


def test_the_rate_of_the_day_is_right_on_that_day(judge: Judge) -> None:
    assert verdict(judge, "螺纹钢", REBAR, "16%", date="2018-06-01").findings == ()
    assert verdict(judge, "短信服务", SMS, "6%", date="2025-12-31").findings == ()
    assert Finding.RATE_CONDITIONAL in kinds(
        verdict(judge, "短信服务", SMS, "6%", date="2026-01-01")
    )


def test_a_rate_that_never_was_is_impossible(judge: Judge) -> None:
    found = verdict(judge, "螺纹钢", REBAR, "7%", taxpayer="general")
    assert "应为 13%" in detail(found, Finding.RATE_IMPOSSIBLE)
    assert found.right == (D("0.13"),)


def test_a_levy_rate_is_impossible_for_a_general_taxpayer_only(judge: Judge) -> None:
    assert verdict(judge, "螺纹钢", REBAR, "1%").findings == ()
    assert verdict(judge, "螺纹钢", REBAR, "1%", taxpayer="small").findings == ()
    general = verdict(judge, "螺纹钢", REBAR, "1%", taxpayer="general")
    assert Finding.RATE_IMPOSSIBLE in kinds(general)


def test_an_exemption_names_its_condition_and_a_range(judge: Judge) -> None:
    found = verdict(judge, "芹菜", "1010112070000000000", "免税", taxpayer="general")
    assert "流通环节销售蔬菜" in detail(found, Finding.RATE_CONDITIONAL)
    assert found.right == (D(0), D("0.09"))


@pytest.mark.parametrize("rate", ["13%", "0.13", "13", " 13 % "])
def test_a_rate_is_read_as_people_write_it(judge: Judge, rate: str) -> None:
    assert verdict(judge, "螺纹钢", REBAR, rate).declared_rate == D("0.13")


def test_a_catch_all_yields_to_the_code_that_the_name_gives(judge: Judge) -> None:
    found = verdict(judge, "*酒*干红葡萄酒", "1030306000000000000", "13%")
    assert kinds(found) == {Finding.CATCH_ALL}
    assert "1030305000000000000" in detail(found, Finding.CATCH_ALL)


def test_without_a_declared_code_the_name_decides_alone(judge: Judge) -> None:
    found = verdict(judge, "螺纹钢")
    assert (found.code, found.findings, found.correction) == (REBAR, (), "")


def test_the_first_candidate_is_the_decided_code(judge: Judge) -> None:
    for code in (FISH, CITRUS, REBAR):
        found = verdict(judge, "柚子味鱼排", code, "13%")
        shown = json.loads(found.candidates)
        assert shown[0]["code"] == found.code
        assert len(shown) <= 5


def test_what_people_settled_stands(judge: Judge) -> None:
    line = InvoiceLine.from_fields(
        {"name": "柚子味鱼排", "declared_code": CITRUS, "date": "2024-05-06"}
    )
    found = judge.settle(line, {"declared_code": CITRUS, "declared_rate": "9%"}, FISH)
    assert (found.code, found.tier, found.confidence) == (FISH, "strong", 1.0)
    assert Finding.NAME_CONTRADICTS in kinds(found)
