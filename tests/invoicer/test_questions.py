"""Questions and scenarios: asked where the answer changes the code, settled by an answer."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from invoicer import Assistant, InvoiceLine, Suggestion, Tier
from invoicer.suggestion import Question
from knowledge_base.rate_advice import Treatment
from knowledge_base.scenarios import ScenarioTable
from models.query import HintKind
from models.words import name_key

DAY = dt.date(2026, 11, 1)


def line(name: str, **known: str) -> InvoiceLine:
    return InvoiceLine.from_fields({"name": name, "date": DAY.isoformat(), **known})


def facts(found: Suggestion) -> list[str]:
    return [question.fact for question in found.questions]


def asked(found: Suggestion, fact: str) -> Question:
    (question,) = (question for question in found.questions if question.fact == fact)
    return question


# -- one name, several meanings ---------------------------------------------------------------


def test_every_ambiguous_term_is_asked_about_and_never_strong(assistant: Assistant) -> None:
    terms = list(assistant.kb.lexicon.ambiguous)
    found = assistant.suggest([line(term) for term in terms])
    asks = [set(facts(s)) & {"product", "scenario"} for s in found]
    assert [t for t, fact in zip(terms, asks, strict=True) if len(fact) != 1] == []
    assert [t for t, s in zip(terms, found, strict=True) if s.tier is Tier.STRONG] == []


@pytest.mark.parametrize("due", ["保证金", "押金", "违约金"])
def test_what_falls_due_beside_a_supply_is_asked_about_whatever_the_supply(
    assistant: Assistant, due: str
) -> None:
    found = assistant.suggest(line(f"电梯安装{due}"))
    alone = assistant.suggest(line(due))
    assert asked(found, "product").text == asked(alone, "product").text
    assert found.tier is not Tier.STRONG


@pytest.mark.parametrize("by", ["answer", "number"])
def test_every_ambiguous_term_is_settled_by_each_of_its_answers(
    assistant: Assistant, by: str
) -> None:
    terms = list(assistant.kb.lexicon.ambiguous)
    options = [
        (term, option)
        for term, found in zip(terms, assistant.suggest([line(t) for t in terms]), strict=True)
        for question in found.questions
        if question.fact in ("product", "scenario")
        for option in question.options
    ]
    found = assistant.suggest([line(t, answer=str(getattr(o, by))) for t, o in options])
    wrong = [
        (term, option.answer, suggestion.candidates[0].code)
        for (term, option), suggestion in zip(options, found, strict=True)
        if "product" in facts(suggestion)
        or ("scenario" not in facts(suggestion) and suggestion.candidates[0].code != option.code)
    ]
    assert len(options) > 1_500
    assert wrong == []


def test_an_option_shows_its_code_and_rate(assistant: Assistant) -> None:
    found = assistant.suggest(line("薯片"))
    options = asked(found, "product").options
    assert all(option.code and option.short_name and option.rate for option in options)
    for option in options:
        assert f"{option.number} {option.answer} {option.code} 13%" in found.prompt


def test_an_answer_that_fits_no_option_leaves_the_question_open_and_says_so(
    assistant: Assistant,
) -> None:
    found = assistant.suggest(line("薯片", answer="不知道"))
    assert "product" in facts(found)
    assert any("不知道" in warning for warning in found.warnings)


def test_of_two_answers_the_one_that_fits_counts_and_the_other_is_named(
    assistant: Assistant,
) -> None:
    found = assistant.suggest(line("薯片", answer="复合/膨化;不知道"))
    assert found.candidates[0].code == "1030201040000000000"
    assert [w for w in found.warnings if "不知道" in w and "膨化" not in w]


# -- two facts missing ------------------------------------------------------------------------


def test_two_missing_facts_are_told_once_in_one_sentence(assistant: Assistant) -> None:
    found = assistant.suggest(line("薯片"))
    assert facts(found) == ["product", "taxpayer"]
    assert found.prompt.startswith("需补充2项:①")
    assert found.prompt.count("②") == 1


def test_a_plain_line_is_not_asked_for_the_taxpayer_type_but_its_rate_says_which(
    assistant: Assistant,
) -> None:
    found = assistant.suggest(line("苹果手机"))
    assert (found.questions, found.prompt, found.rate) == ((), "", Decimal("0.13"))
    assert "按一般纳税人" in found.rates[0].condition
    known = assistant.suggest(line("苹果手机", taxpayer="general"))
    assert known.rates[0].condition == ""


@pytest.mark.parametrize(
    "answer",
    ["复合/膨化;小规模纳税人", "小规模纳税人；复合/膨化", "复合/膨化、小规模纳税人", "4\n2", "2;4",
     "小规模纳税人;2"],
)  # fmt: skip
def test_both_are_answered_in_any_order_by_text_or_number(assistant: Assistant, answer) -> None:
    found = assistant.suggest(line("薯片", answer=answer))
    assert (found.candidates[0].code, found.rate) == ("1030201040000000000", Decimal("0.01"))
    assert (found.questions, found.warnings) == ((), ())


def test_an_option_with_a_mark_of_its_own_is_one_answer(assistant: Assistant) -> None:
    found = assistant.suggest(line("三通", answer="小规模纳税人;PVC、PPR、PE"))
    assert found.candidates[0].code == "1070601040000000000"
    assert (found.questions, found.warnings) == ((), ())


def test_one_of_two_answers_leaves_the_other_question(assistant: Assistant) -> None:
    found = assistant.suggest(line("薯片", answer="小规模纳税人"))
    assert facts(found) == ["product"]
    assert {option.rate.rate for option in found.questions[0].options} == {Decimal("0.01")}


def test_what_another_field_states_is_not_asked_for(assistant: Assistant) -> None:
    assert facts(assistant.suggest(line("薯片", taxpayer="small"))) == ["product"]
    leasing = assistant.suggest(line("设备租赁", taxpayer="general"))
    assert facts(leasing) == ["scenario"]


def test_a_taxpayer_type_that_changes_no_rate_is_not_asked_for(assistant: Assistant) -> None:
    found = assistant.suggest(line("预付卡充值及销售"))
    assert found.rates[0].treatment is Treatment.NOT_TAXED
    assert "taxpayer" not in facts(found)


def test_a_condition_that_matters_for_one_meaning_only_is_asked_for_after_it(
    assistant: Assistant,
) -> None:
    first = assistant.suggest(line("绿植租摆"))
    assert facts(first) == ["product", "taxpayer"]
    second = assistant.suggest(line("绿植租摆", answer="租摆"))
    assert "scenario" in facts(second)
    bought = assistant.suggest(line("绿植租摆", answer="购买"))
    assert bought.questions == ()
    straight = assistant.suggest(line("绿植租摆", answer="以养护为主"))
    assert (straight.candidates[0].code, straight.questions) == ("3079900000000000000", ())
    small = asked(first, "taxpayer").options[1].number
    care = asked(second, "scenario").options[1].number
    done = assistant.suggest(line("绿植租摆", answer=f"{small};1;{care}"))
    assert (done.candidates[0].code, done.rate) == ("3079900000000000000", Decimal("0.01"))


def test_a_number_never_means_two_options(assistant: Assistant) -> None:
    for term in assistant.kb.lexicon.ambiguous:
        numbers = [o.number for q in assistant.suggest(line(term)).questions for o in q.options]
        assert len(numbers) == len(set(numbers)), term


def test_a_flavour_informs_and_asks_nothing(assistant: Assistant) -> None:
    found = assistant.suggest(line("柚子味鱼排", taxpayer="general"))
    assert found.hint is not None
    assert found.hint.kind is HintKind.CONFIRM
    assert found.hint.text.startswith("检测到风味描述词")
    assert facts(found) == ["product"]
    assert found.prompt.startswith(found.hint.text + ";")


# -- a code with two rates --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rate"),
    [("纯牛奶 250ml*12", "0.09"), ("草莓味酸奶 100g*8", "0.13"), ("韭菜鸡蛋馅水饺", "0.13")],
)
def test_a_name_can_state_which_of_two_rates_applies(assistant: Assistant, name, rate) -> None:
    found = assistant.suggest(line(name))
    assert found.rate == Decimal(rate)
    assert "rate_condition" not in facts(found)


def test_an_answer_can_open_the_question_of_the_rate(assistant: Assistant) -> None:
    term, option = next(
        (term, option)
        for term in assistant.kb.lexicon.ambiguous
        for option in assistant.kb.lexicon.ambiguous[term].options
        if "rate_condition" in facts(assistant.suggest(line(term, answer=option)))
    )
    assert "rate_condition" not in facts(assistant.suggest(line(term)))
    cases = asked(assistant.suggest(line(term, answer=option)), "rate_condition").options
    assert len({case.rate.rate for case in cases}) == 2
    for case in cases:
        for given in (case.answer, str(case.number)):
            found = assistant.suggest(line(term, answer=f"{option};{given}"))
            assert (found.rates[0].rate, facts(found)) == (case.rate.rate, [])


def test_a_small_scale_taxpayer_is_not_asked_which_rate(assistant: Assistant) -> None:
    found = assistant.suggest(line("辣椒圈30g", taxpayer="small"))
    assert facts(found) == []


@pytest.mark.parametrize(
    ("name", "answer", "treatment"),
    [("技术开发", "已认定登记", "exempt"), ("过路费", "政府还贷公路", "not_taxed")],
)
def test_an_answer_can_decide_the_treatment_alone(assistant, name, answer, treatment) -> None:
    first = assistant.suggest(line(name))
    options = {o.answer: o.rate.treatment for o in asked(first, "scenario").options}
    assert options[answer] == treatment
    assert first.treatment == "taxed"
    found = assistant.suggest(line(name, answer=answer))
    assert (found.treatment, found.rate, found.questions) == (treatment, None, ())


def test_an_open_question_is_never_strong(assistant: Assistant) -> None:
    names = [name for name, _ in zip(assistant.kb.lexicon.ambiguous, range(200), strict=False)]
    names += ["辣椒圈30g", "拖拉机", "打印机及安装", "香菇 干"]
    for found in assistant.suggest([line(name) for name in names]):
        assert not (found.questions and found.tier is Tier.STRONG)


# -- scenarios --------------------------------------------------------------------------------


@pytest.mark.parametrize("seller", ["", "某某物业服务有限公司", "停车场管理公司"])
def test_parking_is_leasing_at_nine_percent_whoever_bills_it(
    assistant: Assistant, seller: str
) -> None:
    found = assistant.suggest(line("停车费", seller_industry=seller))
    assert found.candidates[0].code == "3040502020200000000"
    assert found.rate == Decimal("0.09")


@pytest.mark.parametrize("name", ["塔吊租赁(含司机)", "挖掘机租赁 湿租", "设备租赁(带操作人员)"])
def test_equipment_with_its_operator_is_construction_whatever_the_name_alone_says(
    assistant: Assistant, name: str
) -> None:
    found = assistant.suggest(line(name))
    assert (found.short_name, found.rates[0].rate) == ("建筑服务", Decimal("0.09"))
    assert "140号" in " ".join(found.evidence)
    assert found.questions == ()


def test_what_only_a_rule_says_is_to_be_confirmed(assistant: Assistant) -> None:
    found = assistant.suggest(line("塔吊租赁(含司机)"))
    first, second = found.candidates[:2]
    assert found.tier is Tier.MEDIUM
    assert second.short_name == "生产生活服务"
    assert first.confidence > 0.5 > second.confidence


def test_what_a_scenario_decides_comes_first_and_no_other_code_is_surer(
    assistant: Assistant,
) -> None:
    rows = list(ScenarioTable.load())
    names = [row.phrase for row in rows]
    names += [f"{row.phrase}({words})" for row in rows for words in row.stated[:1]]
    found = assistant.suggest_with_queries([line(name) for name in names])
    decided = [(q.situation.decided, s.candidates) for q, s in found if q.situation.decided]
    assert len(decided) > 200
    assert [code for code, candidates in decided if candidates[0].code != code] == []
    sure = [[c.confidence for c in candidates] for _, candidates in decided]
    assert [one for one in sure if one != sorted(one, reverse=True)] == []


def test_managing_parking_for_the_owner_is_a_service_at_six_percent(assistant: Assistant) -> None:
    options = asked(assistant.suggest(line("停车管理费")), "scenario").options
    assert Decimal("0.06") in {option.rate.rate for option in options if option.rate}


def test_the_seller_decides_what_the_name_leaves_open(assistant: Assistant) -> None:
    found = assistant.suggest(line("水费", seller_industry="某某自来水有限公司"))
    assert found.candidates[0].code.startswith("11003")
    assert found.questions == ()


@pytest.mark.parametrize(
    ("name", "seller", "code"),
    [
        ("电费", "", "1100101020100000000"),
        ("电费", "万科物业", "1100101020100000000"),
        ("商标注册费", "", "3040302000000000000"),
        ("商标注册费", "某某知识产权代理有限公司", "3040302000000000000"),
        ("商标代理费", "某某知识产权代理有限公司", "3040802990000000000"),
    ],
)
def test_scenario_and_everyday_name_agree(assistant: Assistant, name, seller, code) -> None:
    assert assistant.suggest(line(name, seller_industry=seller)).candidates[0].code == code


@pytest.mark.parametrize(
    ("answer", "code", "rate"),
    [
        ("不产生货物，或货物归受托方", "3040105000000000000", "0.06"),
        ("产生货物、归委托方", "2010300000000000000", "0.13"),
    ],
)
def test_treating_sewage_depends_on_whose_the_goods_are(assistant, answer, code, rate) -> None:
    assert "scenario" in facts(assistant.suggest(line("污水处理费")))
    found = assistant.suggest(line("污水处理费", answer=answer))
    assert (found.candidates[0].code, found.rate, found.questions) == (code, Decimal(rate), ())


# -- several supplies in one name -------------------------------------------------------------


@pytest.mark.parametrize("name", ["打印机及安装", "空调销售及安装"])
def test_several_supplies_in_one_name_are_named_and_never_strong(
    assistant: Assistant, name: str
) -> None:
    found = assistant.suggest(line(name))
    assert sum("分别核算" in question.text for question in found.questions) == 1
    assert found.tier is not Tier.STRONG


@pytest.mark.parametrize(
    ("name", "seller", "chapter"),
    [
        ("打印机及安装", "", "1"),
        ("打印机及安装", "某某商贸有限公司", "1"),
        ("打印机及安装", "某某安装工程有限公司", "3"),
        ("空调销售及安装", "", "1"),
    ],
)
def test_the_main_business_comes_first(assistant: Assistant, name, seller, chapter) -> None:
    found = assistant.suggest(line(name, seller_industry=seller))
    assert found.candidates[0].code[0] == chapter


def test_of_several_goods_the_one_named_first_is_the_main_one(assistant: Assistant) -> None:
    assert assistant.suggest(line("电脑+打印机")).candidates[0].short_name == "电子计算机"


@pytest.mark.parametrize(
    ("answer", "code", "rate"),
    [
        ("混合销售按打印机开票", "1090511030000000000", "0.13"),
        ("混合销售按安装开票", "3050200000000000000", "0.09"),
        ("分行开票", "1090511030000000000", "0.13"),
    ],
)
def test_an_answer_says_how_several_supplies_are_billed(assistant, answer, code, rate) -> None:
    found = assistant.suggest(line("打印机及安装", answer=answer))
    assert (found.candidates[0].code, found.rate, found.questions) == (code, Decimal(rate), ())
    assert any(answer in reason for reason in found.evidence)


def test_several_supplies_and_an_ambiguous_part_are_asked_about_together(
    assistant: Assistant,
) -> None:
    found = assistant.suggest(line("一体机及安装"))
    assert facts(found) == ["product", "supply", "taxpayer"]
    assert found.prompt.startswith("需补充3项:①")
    numbers = [q.options[at].number for q, at in zip(found.questions, (1, 0, 1), strict=True)]
    done = assistant.suggest(line("一体机及安装", answer=";".join(map(str, numbers[::-1]))))
    assert (done.candidates[0].short_name, done.rate) == ("电子计算机", Decimal("0.01"))
    assert done.questions == ()


def test_an_ambiguous_part_is_not_asked_about_where_another_part_is_billed(
    assistant: Assistant,
) -> None:
    found = assistant.suggest(line("一体机及安装", answer="混合销售按安装开票"))
    assert found.questions == ()


def test_a_small_scale_taxpayer_pays_one_rate_for_all_parts_and_is_not_asked(
    assistant: Assistant,
) -> None:
    assert assistant.suggest(line("打印机及安装", taxpayer="small")).questions == ()


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
