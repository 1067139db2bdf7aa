"""What a row of a word table may not be, each said with its field."""

from __future__ import annotations

import datetime as dt

import pytest

from invoicer.desk.rules import word_rules
from knowledge_base import KnowledgeBase, tables
from knowledge_base.word_checks import WordRules
from knowledge_base.word_tables import Row, WordTable, read_rows

DAY = dt.date(2026, 11, 27)
FISH, SUMMARY, STOPPED = "1030109050000000000", "1030109000000000000", "1070102030100000000"
PARKING = "3040502020200000000"
SCENE: Row = {
    "phrase": "停泊费", "aliases": "", "place": "end", "seller_industry": "*",
    "condition": "停放车辆", "answer": "停放车辆", "stated": "", "premise": "phrase",
    "question": "", "code": PARKING, "rate_general": "9%", "levy_small": "3%", "note": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def rules(kb: KnowledgeBase) -> WordRules:
    return word_rules(kb, DAY)


def fields(rules: WordRules, table: WordTable, *rows: Row) -> set[str]:
    return {problem.field for problem in rules.check(table, rows)}


@pytest.mark.parametrize("code", ["1", SUMMARY, STOPPED, ""])
def test_a_name_stands_under_a_leaf_in_force(rules: WordRules, code: str) -> None:
    assert "code" in fields(rules, WordTable.EVERYDAY_NAMES, {"code": code, "term": "甲"})


def test_a_name_written_otherwise_is_the_same_name(rules: WordRules) -> None:
    rows = [{"code": FISH, "term": "魚排Ａ"}, {"code": PARKING, "term": "鱼排 a"}]
    (first, second) = rules.check(WordTable.EVERYDAY_NAMES, rows)
    assert (first.field, second.field) == ("term", "term")
    assert "鱼糜" in second.message


@pytest.mark.parametrize("term", ["", " 甲", "甲\u200b", "甲\n", "甲" * 101])
def test_a_word_is_short_visible_and_trimmed(rules: WordRules, term: str) -> None:
    assert fields(rules, WordTable.EVERYDAY_NAMES, {"code": FISH, "term": term}) == {"term"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"options": f"甲={FISH}"}, "options"),
        ({"options": f"甲={FISH}|甲={PARKING}"}, "options"),
        ({"options": f"甲={FISH}|乙={SUMMARY}"}, "options"),
        ({"default_code": SUMMARY}, "default_code"),
        ({"question": ""}, "question"),
        ({"codes": "1"}, "codes"),
    ],
)
def test_a_question_has_answers_that_can_be_printed(
    rules: WordRules, change: Row, field: str
) -> None:
    good = {"term": "甲", "codes": f"{FISH}|{PARKING}", "default_code": FISH, "question": "哪种?",
            "options": f"吃的={FISH}|停的={PARKING}"}  # fmt: skip
    assert rules.check(WordTable.AMBIGUOUS, [good]) == []
    assert fields(rules, WordTable.AMBIGUOUS, {**good, **change}) == {field}


def test_a_descriptor_is_of_a_known_kind_and_listed_once_a_kind(rules: WordRules) -> None:
    row = {"term": "海盐味", "kind": "flavour", "note": ""}
    assert fields(rules, WordTable.DESCRIPTORS, row) == set()
    assert fields(rules, WordTable.DESCRIPTORS, row, row) == {"kind"}
    assert fields(rules, WordTable.DESCRIPTORS, {**row, "kind": "core"}) == {"kind"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"seller_industry": "卖鱼的"}, "seller_industry"),
        ({"premise": "maybe"}, "premise"),
        ({"place": ""}, "place"),
        ({"rate_general": "九个点"}, "rate_general"),
        ({"answer": "答" * 31}, "answer"),
        ({"code": SUMMARY}, "code"),
    ],
)
def test_a_scenario_says_where_when_and_at_what_rate(
    rules: WordRules, change: Row, field: str
) -> None:
    assert rules.check(WordTable.SCENARIOS, [SCENE]) == []
    assert fields(rules, WordTable.SCENARIOS, {**SCENE, **change}) == {field}


def test_only_the_first_row_of_a_scenario_says_where_it_counts(rules: WordRules) -> None:
    second = {**SCENE, "condition": "别的", "answer": "别的"}
    assert fields(rules, WordTable.SCENARIOS, SCENE, second) == {"place"}
    assert fields(rules, WordTable.SCENARIOS, SCENE, {**second, "place": ""}) == set()


def test_a_phrase_belongs_to_one_scenario(rules: WordRules) -> None:
    rows = read_rows(tables.DATA, WordTable.SCENARIOS)
    thief = {**SCENE, "aliases": "停车费"}
    assert fields(rules, WordTable.SCENARIOS, *rows, thief) == {"aliases"}


