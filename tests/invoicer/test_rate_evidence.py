"""A declared rate is evidence: codes that cannot have it lose, and a contradiction is told."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from invoicer import Assistant, InvoiceLine, Suggestion, Tier
from invoicer.declared_rate import read_rate
from invoicer.rate_evidence import RateEvidence
from invoicer.suggestion import Candidate
from knowledge_base.rate_advice import RateAdvice, TaxpayerType
from knowledge_base.rates import RateTable
from models.matcher import Match

DAY = dt.date(2026, 11, 27)


def suggest(assistant: Assistant, name: str, rate: str, **fields: str) -> Suggestion:
    given = {"name": name, "declared_rate": rate, "date": DAY.isoformat(), **fields}
    return assistant.suggest(InvoiceLine.from_fields(given))


@pytest.mark.parametrize("rate", ["9%", "0.09", "9", "免税", "", "1%", "***"])
def test_a_rate_that_the_code_can_have_changes_nothing(assistant: Assistant, rate: str) -> None:
    plain = suggest(assistant, "鸡蛋 30枚", "")
    assert suggest(assistant, "鸡蛋 30枚", rate) == plain


def test_a_rate_that_another_candidate_has_makes_the_first_less_sure_and_says_so(
    assistant: Assistant,
) -> None:
    plain, told = suggest(assistant, "玉米", ""), suggest(assistant, "玉米", "13%")
    assert (plain.candidates[0].name, told.candidates[0].name) == ("玉米", "玉米")
    assert told.confidence < plain.confidence
    assert told.evidence[0] == "原税率 13% 不能用于“玉米”,当日应为 9%"
    assert max(one.confidence for one in told.candidates) == told.confidence


def test_the_code_that_can_have_the_rate_comes_first_where_the_name_alone_does_not_settle_it(
    assistant: Assistant,
) -> None:
    codes = ["1010116010000000000", "1030308010000000000"]
    candidates = [
        Candidate(code, assistant.kb.taxonomy.short_name(code, DAY), name, sure)
        for code, name, sure in zip(codes, ("茶叶", "精制茶"), (0.5, 0.45), strict=True)
    ]
    rows = np.arange(6.0).reshape(2, 3)
    match = Match([7, 8], [0.5, 0.45], 0.5, [70, 80], rows, [0, 1], rows[0].tolist())
    declared, _ = read_rate("13%")
    assert declared is not None
    rates = RateTable.load(assistant.kb.root)

    def advise(code: str, day: dt.date, taxpayer: TaxpayerType) -> tuple[RateAdvice, ...]:
        return tuple(rates.advise(assistant.kb.taxonomy[code], day, taxpayer))

    found, said = RateEvidence(declared, advise, DAY).weighed(match, candidates)
    assert (found.places, found.terms, found.order) == ([8, 7], [80, 70], [1, 0])
    assert found.first == rows[1].tolist()
    assert found.probability == found.confidence[0] > found.confidence[1]
    assert found.probability <= 0.85
    assert said == "原税率 13% 不能用于“茶叶”,当日应为 9%"


def test_a_wrong_rate_does_not_move_a_name_that_is_known(assistant: Assistant) -> None:
    told = suggest(assistant, "停车费", "6%", seller_industry="物业管理")
    assert (told.code, told.tier) == ("3040502020200000000", Tier.STRONG)
    assert "原税率 6% 不能用于“车辆停放服务”,当日应为 9%" in told.evidence


def test_a_rate_is_judged_by_the_law_of_the_line_s_day_and_taxpayer(assistant: Assistant) -> None:
    old = suggest(assistant, "弹簧床垫", "17%", date="2018-04-30")
    assert not any("原税率" in said for said in old.evidence)
    assert any("应为 13%" in said for said in suggest(assistant, "弹簧床垫", "17%").evidence)
    small = suggest(assistant, "弹簧床垫", "13%", taxpayer="small")
    assert any("原税率 13% 不能用于“软体家具”" in said for said in small.evidence)


def test_a_rate_that_cannot_be_read_is_told(assistant: Assistant) -> None:
    told = suggest(assistant, "弹簧床垫", "十三个点")
    assert [w for w in told.warnings if "无法识别税率“十三个点”" in w]


def test_what_a_person_answered_stands_against_the_rate(assistant: Assistant) -> None:
    asked = suggest(assistant, "薯片", "")
    answer = asked.questions[0].options[0].answer
    plain = suggest(assistant, "薯片", "", answer=answer)
    assert suggest(assistant, "薯片", "6%", answer=answer).candidates == plain.candidates
