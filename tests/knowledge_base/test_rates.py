"""Rates by code, date and taxpayer: the official tables, the levies, the worked cases, the data."""

import csv
import datetime as dt
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base import KnowledgeBase, TaxCode, Taxonomy, tables
from knowledge_base.preferences import (
    Preference,
    TargetSystem,
    UnknownSystemError,
    load_marks,
)
from knowledge_base.rate_advice import (
    RateAdvice,
    RateError,
    RateKind,
    TaxpayerType,
    Treatment,
    format_rate,
    parse_rate,
)
from knowledge_base.rates import RateTable

GENERAL, SMALL = TaxpayerType.GENERAL, TaxpayerType.SMALL
OFFICIAL_TABLES = {"2018_01": "2018-03-01", "2018_05": "2018-06-01", "2019_04": "2020-01-01"}
HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "rates.md"
UNCHECKED = "（待核对）"
STEEL_BARS = "1080207050000000000"
PARKING = "3040502020200000000"
CELERY = "1010112070000000000"
MOBILE_DATA = "3030202000000000000"


@cache
def taxonomy() -> Taxonomy:
    return KnowledgeBase.load().taxonomy


@cache
def table() -> RateTable:
    return RateTable.load(taxonomy=taxonomy())


def advise(code: str, day: str, taxpayer: TaxpayerType = GENERAL) -> list[RateAdvice]:
    return table().advise(code, dt.date.fromisoformat(day), taxpayer)


def shown(advice: RateAdvice) -> str:
    words = {Treatment.EXEMPT: "免税", Treatment.NOT_TAXED: "不征税"}
    return words.get(advice.treatment) or format_rate(advice.rate or Decimal(0))


def official_leaves(version: str) -> list[TaxCode]:
    return [code for code in taxonomy() if code.is_leaf and version in code.rates]


@pytest.mark.parametrize(("version", "day"), OFFICIAL_TABLES.items())
def test_first_advice_is_the_single_official_rate_of_every_leaf(version: str, day: str) -> None:
    leaves = [code for code in official_leaves(version) if len(code.rates[version]) == 1]
    assert len(leaves) > 3_400
    wrong = []
    for code in leaves:
        first = table().advise(code, dt.date.fromisoformat(day), GENERAL)[0]
        treatment, rate = parse_rate(code.rates[version][0])
        if treatment is Treatment.ZERO:
            assert code.code.startswith("6"), "only chapter 6 is listed at 0%"
            treatment, rate = Treatment.NOT_TAXED, None
        if (first.treatment, first.rate, first.condition) != (treatment, rate, ""):
            wrong.append((code.code, code.name, code.rates[version], first))
    assert wrong == []


@pytest.mark.parametrize(("version", "day"), OFFICIAL_TABLES.items())
def test_both_official_rates_of_a_two_rate_leaf_come_first_with_conditions(
    version: str, day: str
) -> None:
    leaves = [code for code in official_leaves(version) if len(code.rates[version]) == 2]
    assert len(leaves) == 76
    for code in leaves:
        two = table().advise(code, dt.date.fromisoformat(day), GENERAL)[:2]
        assert {a.rate for a in two} == {parse_rate(text)[1] for text in code.rates[version]}
        assert all(a.kind is RateKind.STANDARD and a.condition for a in two), code


def test_usual_rate_of_milk_is_the_lower_one_and_of_frozen_food_the_higher_one() -> None:
    milk, frozen = "1030204010000000000", "1030203020000000000"
    assert [shown(a) for a in advise(milk, "2024-05-01")[:2]] == ["0.09", "0.13"]
    assert [shown(a) for a in advise(frozen, "2024-05-01")[:2]] == ["0.13", "0.09"]
    assert [shown(a) for a in advise(milk, "2018-06-01")[:2]] == ["0.1", "0.16"]


@pytest.mark.parametrize(
    ("day", "rate"),
    [
        ("2019-06-01", "0.03"),
        ("2020-02-29", "0.03"),
        ("2020-04-01", "0.01"),
        ("2022-03-31", "0.01"),
        ("2022-05-01", "免税"),
        ("2023-01-01", "0.01"),
        ("2024-06-01", "0.01"),
        ("2026-06-01", "0.01"),
        ("2027-12-31", "0.01"),
        ("2028-01-01", "0.03"),
    ],
)
def test_levy_of_a_small_scale_taxpayer(day: str, rate: str) -> None:
    first = advise(STEEL_BARS, day, SMALL)[0]
    assert (shown(first), first.kind) == (rate, RateKind.LEVY)


def test_exemption_of_2022_names_its_condition_and_the_levy_without_it() -> None:
    exempt, waived = advise(STEEL_BARS, "2022-05-01", SMALL)[:2]
    assert "普通发票" in exempt.condition
    assert (shown(waived), "专用发票" in waived.condition) == ("0.03", True)


def test_small_scale_taxpayer_is_not_shown_the_standard_rate() -> None:
    kinds = {a.kind for c in (STEEL_BARS, PARKING) for a in advise(c, "2024-06-01", SMALL)}
    assert RateKind.STANDARD not in kinds


def test_parking_of_a_small_scale_taxpayer_is_five_percent_until_2025() -> None:
    assert shown(advise(PARKING, "2025-12-31", SMALL)[0]) == "0.05"
    after = advise(PARKING, "2026-01-01", SMALL)[0]
    assert (shown(after), after.provisional) == ("0.03", True)
    assert all(shown(a) != "0.01" for a in advise(PARKING, "2025-06-01", SMALL))


def test_parking_of_a_general_taxpayer_can_choose_the_simplified_method() -> None:
    first, *others = advise(PARKING, "2025-06-01")
    assert (shown(first), first.condition) == ("0.09", "")
    simplified = [a for a in others if a.kind is RateKind.SIMPLIFIED]
    assert [shown(a) for a in simplified] == ["0.05"]
    assert simplified[0].preference is Preference.SIMPLIFIED_5


@pytest.mark.parametrize("code", ["3030201000000000000", MOBILE_DATA, "3030203000000000000"])
def test_data_messages_and_broadband_become_basic_telecom_in_2026(code: str) -> None:
    assert shown(advise(code, "2025-12-31")[0]) == "0.06"
    assert shown(advise(code, "2026-01-01")[0]) == "0.09"
    assert "2026年第9号" in advise(code, "2026-01-01")[0].basis


def test_other_value_added_telecom_stays_at_six_percent() -> None:
    assert shown(advise("3030204000000000000", "2026-01-01")[0]) == "0.06"
    assert [shown(a) for a in advise(MOBILE_DATA, "2026-01-01")[:2]] == ["0.09", "0.06"]


def test_celery_is_nine_percent_or_exempt_by_seller() -> None:
    first, *others = advise(CELERY, "2025-06-01")
    assert (shown(first), first.condition) == ("0.09", "")
    exempt = [a.condition for a in others if a.kind is RateKind.EXEMPT_POSSIBLE]
    assert any("自产" in c for c in exempt) and any("流通环节" in c for c in exempt)


def test_international_transport_is_zero_rated_only_on_its_condition() -> None:
    code = "3010301010200000000"
    first, *others = advise(code, "2024-06-01")
    assert shown(first) == "0.09"
    assert [(shown(a), bool(a.condition)) for a in others if a.kind is RateKind.ZERO] == [
        ("0", True)
    ]
    assert all(a.kind is not RateKind.ZERO for a in advise(code, "2024-06-01", SMALL))


@pytest.mark.parametrize("taxpayer", TaxpayerType)
def test_chapter_six_is_not_taxed_and_nothing_else(taxpayer: TaxpayerType) -> None:
    for code in taxonomy().leaves():
        if code.code.startswith("6"):
            (only,) = table().advise(code, dt.date(2024, 6, 1), taxpayer)
            assert (only.treatment, only.rate) == (Treatment.NOT_TAXED, None)


def test_contraceptives_lose_their_exemption_in_2026() -> None:
    code = "1070302150000000000"
    assert "免税" in map(shown, advise(code, "2025-12-31"))
    assert "免税" not in map(shown, advise(code, "2026-01-01"))


def test_refund_keeps_the_rate_and_names_the_preference() -> None:
    software = advise("1060301020100000000", "2024-06-01")
    refund = next(a for a in software if a.kind is RateKind.REFUND)
    assert (shown(refund), refund.preference) == ("0.13", Preference.REFUND_ABOVE_3)


def test_rare_earth_is_pointed_out_at_its_plain_rate() -> None:
    rare = next(
        a for a in advise("1070203040101000000", "2024-06-01") if a.kind is RateKind.RARE_EARTH
    )
    assert (shown(rare), rare.preference) == ("0.13", Preference.RARE_EARTH)


def test_every_current_special_treatment_is_explained() -> None:
    ended = {"超税负8%即征即退", "超税负12%即征即退"}
    for code in taxonomy().leaves():
        offered = {
            advice.preference
            for taxpayer in TaxpayerType
            for advice in table().advise(code, dt.date(2025, 6, 1), taxpayer)
        }
        assert set(code.special_treatments) - ended <= offered, code


def test_code_above_the_leaves_is_answered_by_its_prefix() -> None:
    assert shown(advise("1010112000000000000", "2024-06-01")[0]) == "0.09"
    assert shown(advise("5000000000000000000", "2024-06-01")[0]) == "0.09"
    assert shown(advise("2000000000000000000", "2024-06-01")[0]) == "0.13"


def test_code_of_a_newer_table_is_answered_by_its_prefix() -> None:
    assert "1110101010000000000" not in taxonomy()
    assert shown(advise("1110101010000000000", "2026-06-01")[0]) == "0.13"


def test_date_before_the_tables_says_from_when_they_answer() -> None:
    with pytest.raises(RateError, match="2016-05-01"):
        advise(STEEL_BARS, "2016-04-30")


@pytest.mark.parametrize("code", ["", "108", "108020705000000000X", "9990000000000000000"])
def test_text_that_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(RateError, match="编码"):
        advise(code, "2024-06-01")


@given(
    code=st.sampled_from([code.code for code in taxonomy()]),
    day=st.dates(dt.date(2016, 5, 1), dt.date(2030, 12, 31)),
    taxpayer=st.sampled_from(TaxpayerType),
)
def test_advice_exists_for_any_code_and_day(
    code: str, day: dt.date, taxpayer: TaxpayerType
) -> None:
    advices = table().advise(code, day, taxpayer)
    assert all(a.covers(day) for a in advices)
    assert all((a.rate is None) == (a.treatment not in ("taxed", "zero")) for a in advices)
    assert all(a.basis for a in advices)
    plain = {RateKind.STANDARD, RateKind.LEVY, RateKind.NOT_TAXED}
    assert advices[0].kind in plain
    assert all(a.condition for a in advices if a.kind not in plain)
    assert len({(a.kind, a.condition) for a in advices}) == len(advices)


CHANGES = sorted(
    {
        day
        for name in ("rate_periods", "rates", "rates_two", "levy", "reliefs")
        for row in tables.rows(name)
        for day in (tables.day(row["valid_from"]),)
        if day and day >= dt.date(2016, 5, 1)
    }
)


def test_every_leaf_has_one_plain_answer_whenever_anything_changes() -> None:
    for day in CHANGES:
        for code in taxonomy().leaves():
            for taxpayer in TaxpayerType:
                advices = table().advise(code, day, taxpayer)
                assert len({(a.kind, a.condition) for a in advices}) == len(advices), (code, day)
                plain = [a for a in advices if a.kind is RateKind.STANDARD]
                assert len(plain) <= 2 if taxpayer is GENERAL else not plain, (code, day)
                assert len(plain) < 2 or all(a.condition for a in plain), (code, day)


@pytest.mark.parametrize(
    ("text", "treatment", "rate"),
    [
        ("13%", "taxed", "0.13"),
        ("0.13", "taxed", "0.13"),
        ("１３％", "taxed", "0.13"),
        ("1.5%", "taxed", "0.015"),
        (" 9 % ", "taxed", "0.09"),
        ("0", "zero", "0"),
        ("0%", "zero", "0"),
        ("普通零税率", "zero", "0"),
        ("免税", "exempt", None),
        ("不征税", "not_taxed", None),
        ("***", "taxed", None),
    ],
)
def test_rate_text_is_read(text: str, treatment: str, rate: str | None) -> None:
    assert parse_rate(text) == (treatment, None if rate is None else Decimal(rate))


@pytest.mark.parametrize("text", ["", "13", "-0.13", "百分之十三", "100%", "0.13.1", "%"])
def test_text_that_is_no_rate_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(RateError, match=f"税率“{text}”"):
        parse_rate(text)


@given(st.decimals(min_value=0, max_value="0.999", places=3))
def test_rate_survives_writing_and_reading(rate: Decimal) -> None:
    assert parse_rate(format_rate(rate))[1] == rate


def test_rates_are_written_plainly() -> None:
    assert [format_rate(Decimal(x)) for x in ("0.130", "0.015", "0.1", "0E-3", "0")] == [
        "0.13",
        "0.015",
        "0.1",
        "0",
        "0",
    ]


def test_marks_cover_every_preference_for_both_targets() -> None:
    marks = load_marks()
    assert set(marks) == {(t, p) for t in ("tax_platform", "batch_template") for p in Preference}
    assert marks["tax_platform", Preference.EXEMPT].zero_rate_mark == "1"
    assert marks["tax_platform", Preference.NOT_TAXED].zero_rate_mark == "2"
    assert marks["tax_platform", Preference.ZERO_RATE].zero_rate_mark == "3"
    assert marks["tax_platform", Preference.EXPORT_ZERO].zero_rate_mark == "0"
    assert marks["tax_platform", Preference.NONE].zero_rate_mark == ""
    assert marks["batch_template", Preference.NONE].uses_preference == "否"


def test_batch_template_keeps_the_typo_of_the_official_list() -> None:
    mark = load_marks()["batch_template", Preference.SIMPLIFIED_5_AT_1_5]
    assert (mark.uses_preference, mark.preference_type) == ("是", "按5%简易征收减按1.5%计证")


@pytest.mark.parametrize(
    ("system", "preference", "cells"),
    [
        ("tax_platform", Preference.NONE, ["0", "", "", ""]),
        ("tax_platform", Preference.EXEMPT, ["1", "免税", "03", "1"]),
        ("tax_platform", Preference.NOT_TAXED, ["1", "不征税", "04", "2"]),
        ("tax_platform", None, ["", "", "", ""]),
        ("batch_template", Preference.NONE, ["否", "", ""]),
        (
            "batch_template",
            Preference.REFUND_ABOVE_6,
            ["是", "超税负6%即征即退", "增值税即征即退-飞机维修劳务"],
        ),
        ("batch_template", Preference.REFUND_100, ["是", "即征即退100%", ""]),
    ],
)
def test_a_target_system_fills_its_own_columns(system, preference, cells) -> None:
    assert list(TargetSystem.load(system).cells(preference).values()) == cells


def test_the_columns_of_the_batch_template_are_those_of_the_official_file() -> None:
    columns = list(TargetSystem.load("batch_template").columns)
    assert columns == ["是否使用优惠政策", "优惠政策类型", "即征即退类型"]


def test_an_unknown_target_system_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UnknownSystemError, match="可选:batch_template、tax_platform"):
        TargetSystem.load("sap")


# -- codes of an imported table ---------------------------------------------------------------


def imported(code: str, *rates: str) -> TaxCode:
    """A code that came with a table of 2027-05, and none before it."""
    like = taxonomy()[STEEL_BARS]
    return replace(like, code=code, rates={"2027_05": rates}, valid_from=dt.date(2027, 5, 1))


def on(code: TaxCode, day: str, taxpayer: TaxpayerType = GENERAL) -> list[RateAdvice]:
    return table().advise(code, dt.date.fromisoformat(day), taxpayer)


@pytest.mark.parametrize(
    ("code", "listed", "rate"),
    [
        ("1080207990100000000", "9%", "0.09"),  # goods: 13 % by their prefix
        ("3049900010000000000", "9%", "0.09"),  # a service: 6 % by its prefix
        ("1010112990100000000", "13%", "0.13"),  # farm produce: 9 % by its prefix
        ("1080207990100000000", "5%", "0.05"),  # a rate of no class
        ("1080207990100000000", "13%", "0.13"),
    ],
)
def test_a_new_code_has_the_rate_of_its_table(code: str, listed: str, rate: str) -> None:
    first = on(imported(code, listed), "2027-06-01")[0]
    assert (shown(first), first.kind, first.condition) == (rate, RateKind.STANDARD, "")


def test_a_rate_from_a_table_names_the_table_and_the_law() -> None:
    first = on(imported("1080207990100000000", "9%"), "2027-06-01")[0]
    assert "编码表（2027-05-01）" in first.basis and "增值税法第十条第二项" in first.basis


def test_two_rates_of_a_new_code_come_with_a_condition_each() -> None:
    two = on(imported("1080207990100000000", "13%", "9%"), "2027-06-01")[:2]
    assert [shown(a) for a in two] == ["0.13", "0.09"]
    assert all(a.condition for a in two)


def test_a_new_code_of_a_small_scale_taxpayer_pays_the_levy() -> None:
    first = on(imported("1080207990100000000", "9%"), "2027-06-01", SMALL)[0]
    assert (shown(first), first.kind) == ("0.01", RateKind.LEVY)


def test_a_law_that_is_newer_than_the_table_wins_over_its_column() -> None:
    code = taxonomy()[MOBILE_DATA]
    assert code.rates["2019_04"] == ("6%",)
    assert shown(on(code, "2026-03-01")[0]) == "0.09"


def cases() -> list[dict[str, str]]:
    with (HERE / "rate_cases.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_there_are_sixty_worked_cases() -> None:
    assert [c["case"] for c in cases()] == [str(n) for n in range(1, 61)]


@pytest.mark.parametrize("case", cases(), ids=lambda c: c["case"])
def test_worked_case(case: dict[str, str]) -> None:
    assert taxonomy()[case["code"]].name == case["name"]
    advices = advise(case["code"], case["date"], TaxpayerType(case["taxpayer"]))
    advice = advices[int(case["position"]) - 1]
    assert {key: case[key] for key in ("rate", "kind", "condition", "basis", "provisional")} == {
        "rate": shown(advice),
        "kind": advice.kind,
        "condition": advice.condition,
        "basis": advice.basis,
        "provisional": "1" if advice.provisional else "",
    }


def test_documentation_shows_the_worked_cases() -> None:
    taxpayers = {"general": "一般纳税人", "small": "小规模纳税人"}
    expected = [
        [
            c["case"],
            c["date"],
            taxpayers[c["taxpayer"]],
            c["situation"],
            f"`{c['code']}` {c['name']}",
            c["rate"],
            c["condition"] or "—",
            c["basis"] + UNCHECKED * (c["provisional"] == "1"),
        ]
        for c in cases()
    ]
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in DOCS.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and line[2].isdigit()
    ]
    assert rows == expected


RATE_TABLES = {
    "rate_periods": "rate_class",
    "rates": "code_prefix",
    "rates_two": "code",
    "levy": "code_prefixes",
    "reliefs": "code_prefixes",
}


@pytest.mark.parametrize("name", RATE_TABLES)
def test_dates_are_ordered_and_lines_have_a_basis(name: str) -> None:
    for row in tables.rows(name):
        start, end = tables.day(row["valid_from"]), tables.day(row["valid_to"])
        assert start is not None and (end is None or start <= end), row
        assert row["basis"] or name in ("rates", "rates_two"), row
        assert row.get("provisional", "") in ("", "1"), row


@pytest.mark.parametrize("name", RATE_TABLES)
def test_dates_of_the_same_rule_do_not_overlap(name: str) -> None:
    free = {"rate", "valid_from", "valid_to", "basis", "provisional", "item"}
    free |= {"rate_class"} if name == "rates" else set()
    spans = defaultdict(list)
    for row in tables.rows(name):
        rule = tuple(value for key, value in row.items() if key not in free)
        spans[rule].append((row["valid_from"], row["valid_to"] or "9999-12-31"))
    for rule, dates in spans.items():
        for (_, end), (start, _) in pairwise(sorted(dates)):
            assert end < start, rule


@pytest.mark.parametrize("name", ["rates", "rates_two", "levy", "reliefs"])
def test_prefixes_are_in_the_taxonomy(name: str) -> None:
    codes = [code.code for code in taxonomy()]
    for row in tables.rows(name):
        for prefix in tables.split(row[RATE_TABLES[name]]):
            assert len(prefix) % 2 == 1, prefix
            assert any(code.startswith(prefix) for code in codes), prefix


def test_two_rate_codes_are_leaves_with_two_options_each() -> None:
    options = defaultdict(set)
    for row in tables.rows("rates_two"):
        assert taxonomy()[row["code"]].is_leaf
        assert row["condition"], row
        options[row["code"]].add(row["rate_class"])
    assert {len(classes) for classes in options.values()} == {2}


def test_classes_have_periods_and_rates_parse() -> None:
    classes = {row["rate_class"] for row in tables.rows("rate_periods")}
    for name in ("rates", "rates_two"):
        assert {row["rate_class"] for row in tables.rows(name)} <= classes
    for name, column in (("rate_periods", "rate"), ("levy", "levy_rate"), ("reliefs", "levy_rate")):
        for row in tables.rows(name):
            keeps_plain_rate = row["kind"] in ("refund", "rare_earth")
            assert keeps_plain_rate == (row[column] == ""), row
            assert keeps_plain_rate or parse_rate(row[column]), row


def test_rate_classes_have_no_gap() -> None:
    spans = defaultdict(list)
    for row in tables.rows("rate_periods"):
        spans[row["rate_class"]].append(
            (tables.day(row["valid_from"]), tables.day(row["valid_to"]))
        )
    for dates in spans.values():
        assert dates[0][0] == dt.date(2016, 5, 1) and dates[-1][1] is None
        for (_, end), (start, _) in pairwise(dates):
            assert end is not None and end + dt.timedelta(days=1) == start
