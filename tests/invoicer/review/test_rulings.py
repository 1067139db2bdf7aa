"""Rulings: numbered without gaps, in force by the line's date, nearest first, never changed."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from invoicer import Assistant, InvoiceLine, Tier
from invoicer.access import tenants
from invoicer.access.principals import Principal
from invoicer.errors import InputError, NotFoundError
from invoicer.line import today
from invoicer.review import rulings
from invoicer.review.affected import affected, seen_by
from invoicer.review.decisions import Decisions
from invoicer.review.feedback import record
from invoicer.review.issuing import Draft, issue
from invoicer.review.memory import NOBODY, with_known
from invoicer.review.rulings import Ruling, Scope
from invoicer.review.states import Versions
from invoicer.review.subjects import Subject, subject_key
from invoicer.store import Store

People = dict[str, Principal]
AddLine = Callable[..., str]
Rule = Callable[..., Ruling]
FRIED, PUFFED = "1030201050000000000", "1030201040000000000"
FISH = "1030109050000000000"
YEAR = today().year


@pytest.fixture
def known(store: Store, assistant: Assistant) -> Callable[..., tuple[str, str]]:
    """(code, by whom) that people have settled on for a line of a tenant."""

    def ask(name: str, tenant: str = "acme", **fields: str) -> tuple[str, str]:
        line = InvoiceLine.from_fields({"name": name, **fields})
        (line,) = with_known(store, tenant, [line], assistant.rate_table)
        return line.confirmed_code, line.confirmed_by

    return ask


def draft(**given: object) -> Draft:
    return Draft("按注释", **given)


def test_a_ruling_answers_strong_and_is_cited(
    rule: Rule, store: Store, assistant: Assistant
) -> None:
    number = rule("薯片", PUFFED).number
    lines = with_known(store, "acme", [InvoiceLine("薯片")], assistant.rate_table)
    (answer,) = assistant.suggest(lines)
    assert (answer.tier, answer.code, answer.questions) == (Tier.STRONG, PUFFED, ())
    assert answer.evidence[0].startswith(f"依据 {number}(薯片,{today()} 起")


@pytest.mark.parametrize("same", ["薯片", " 薯 片 ", "*膨化食品*薯片", "＊膨化食品＊薯片"])
def test_the_same_name_however_it_is_written(rule: Rule, known, same: str) -> None:
    rule("薯片", PUFFED)
    assert known(same)[0] == PUFFED


def test_numbers_count_on_within_a_year(rule: Rule) -> None:
    numbers = [rule(name, FISH).number for name in ("鱼排", "虾排", "蟹排")]
    assert numbers == [f"裁定{YEAR}-{n:04d}" for n in (1, 2, 3)]


def test_a_ruling_that_came_to_nothing_leaves_no_gap(store: Store) -> None:
    with pytest.raises(RuntimeError), store.transaction():
        issue(store, "acme", Subject("鱼排"), FISH, draft(), "pc_1")
        raise RuntimeError
    assert issue(store, "acme", Subject("虾排"), FISH, draft(), "pc_2").number.endswith("-0001")


def test_many_at_once_never_share_a_number(store: Store) -> None:
    def work(first: int) -> list[str]:
        try:
            return [issue(store, "acme", Subject(f"鱼排{n}号"), FISH, draft(), "pc_1").number
                    for n in range(first, first + 20)]  # fmt: skip
        finally:
            store.close()

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(work, (0, 100))
    assert sorted(one + other) == [f"裁定{YEAR}-{n:04d}" for n in range(1, 41)]


def test_it_binds_lines_from_its_effective_date(store: Store, known) -> None:
    issue(store, "acme", Subject("薯片"), PUFFED, draft(effective_on=dt.date(2026, 3, 1)), "pc_1")
    assert known("薯片", date="2026-02-28") == ("", "")
    assert known("薯片", date="2026-03-01")[0] == PUFFED


def test_a_successor_takes_over_on_its_effective_date(store: Store, known) -> None:
    first = issue(store, "acme", Subject("薯片"), PUFFED,
                  draft(effective_on=dt.date(2026, 3, 1)), "pc_1")  # fmt: skip
    second = issue(
        store, "acme", Subject("薯片"), FRIED,
        draft(effective_on=dt.date(2026, 6, 1), supersedes=first.number), "pc_2",
    )  # fmt: skip
    assert [known("薯片", date=day)[0] for day in ("2026-02-28", "2026-05-31", "2026-06-01")] == [
        "", PUFFED, FRIED,
    ]  # fmt: skip
    old = rulings.find(store, "acme", first.number)
    assert (old.superseded_by, old.ends_on) == (second.number, dt.date(2026, 6, 1))
    assert second.supersedes == first.number


def test_a_second_ruling_on_the_same_must_say_that_it_supersedes(store: Store) -> None:
    first = issue(store, "acme", Subject("薯片"), PUFFED, draft(), "pc_1")
    with pytest.raises(InputError, match=f"{first.number}.*取代"):
        issue(store, "acme", Subject("薯 片"), FRIED, draft(), "pc_2")
    second = issue(store, "acme", Subject("薯片"), FRIED, draft(supersedes=first.number), "pc_2")
    with pytest.raises(InputError, match=f"已由 {second.number} 取代"):
        issue(store, "acme", Subject("薯片"), PUFFED, draft(supersedes=first.number), "pc_3")


@pytest.mark.parametrize(
    ("given", "field"),
    [({"scope": Scope.ALL}, "supersedes"), ({"effective_on": dt.date(2026, 1, 1)}, "effective_on")],
)
def test_a_successor_has_the_reach_of_the_old_and_begins_no_earlier(
    store: Store, given: dict[str, object], field: str
) -> None:
    old = issue(store, "acme", Subject("薯片"), PUFFED,
                draft(effective_on=dt.date(2026, 3, 1)), "pc_1")  # fmt: skip
    with pytest.raises(InputError) as raised:
        issue(store, "acme", Subject("薯片"), FRIED, draft(supersedes=old.number, **given), "pc_2")
    assert raised.value.context["field"] == field


def test_the_nearest_ruling_comes_first_then_the_tenants_word_then_what_holds_for_all(
    store: Store, decisions: Decisions, add_line: AddLine, people: People, known
) -> None:
    """Told apart by who is said to have settled it."""
    seller = {"seller_industry": "某某零食商贸有限公司"}
    by = lambda tenant: known("薯片", tenant, **seller)[1]  # noqa: E731
    decisions.decide(people["eva"], add_line("薯片", **seller), PUFFED, "", Versions())
    assert "专家" in by("other")
    decisions.decide(people["otto"], add_line("薯片", "other", **seller), FRIED, "", Versions())
    assert "本单位" in by("other")
    for given in ({"scope": Scope.ALL}, {"scope": Scope.INDUSTRY, "industry": "F"}, {}):
        number = issue(store, "other", Subject("薯片"), PUFFED, draft(**given), "pc_1").number
        assert number in by("other")
    assert number not in by("acme")


def test_an_industrys_ruling_binds_its_sellers_only(store: Store, known) -> None:
    issue(store, "acme", Subject("水费"), FISH, draft(scope=Scope.INDUSTRY, industry="K"), "pc_1")
    assert known("水费", "other", seller_industry="某某物业服务有限公司")[0] == FISH
    assert known("水费", "other", seller_industry="某某自来水公司")[0] == ""
    assert known("水费", "other")[0] == ""


def test_a_specification_narrows_it_and_the_narrower_comes_first(rule: Rule, known) -> None:
    rule("薯片", PUFFED)
    rule("薯片", FRIED, spec="70g", with_spec=True)
    assert [known("薯片", spec=spec)[0] for spec in ("70g", "70 G", "90g", "")] == [
        FRIED, FRIED, PUFFED, PUFFED,
    ]  # fmt: skip


def test_lines_of_no_tenant_know_what_holds_for_all(rule: Rule, known) -> None:
    rule("薯片", PUFFED)
    rule("鱼排", FISH, scope=Scope.ALL)
    assert [known(name, NOBODY)[0] for name in ("薯片", "鱼排")] == ["", FISH]


def test_a_tenants_ruling_is_not_there_for_others(rule: Rule, store: Store) -> None:
    own, general = rule("薯片", PUFFED).number, rule("鱼排", FISH, scope=Scope.ALL).number
    assert [one.number for one in rulings.search(store, "other")[1]] == [general]
    with pytest.raises(NotFoundError):
        rulings.find(store, "other", own)


@pytest.mark.parametrize(
    ("asked", "found"),
    [({"text": "鱼"}, ["鱼排"]), ({"text": "0001"}, ["薯片"]),
     ({"text": "按注释"}, ["鱼排", "薯片"]), ({"code": "10302"}, ["薯片"]),
     ({"on": dt.date(2020, 1, 1)}, []), ({"text": "没有"}, [])],
)  # fmt: skip
def test_rulings_are_found_by_name_number_text_code_and_day(
    rule: Rule, store: Store, asked: dict, found: list[str]
) -> None:
    rule("薯片", PUFFED)
    rule("鱼排", FISH)
    total, rows = rulings.search(store, "acme", **asked)
    assert (total, [one.subject.name for one in rows]) == (len(found), found)


def test_similar_rulings_are_offered(rule: Rule, store: Store) -> None:
    rule("柚子味鱼排", FISH)
    rule("办公椅", FISH)
    (one,) = rulings.similar(store, "acme", "柠檬味鱼排")
    assert one.subject.name == "柚子味鱼排"


@pytest.mark.parametrize(
    "statement",
    ["update rulings set code = '1'", "delete from rulings",
     "insert or replace into rulings select * from rulings",
     "update rulings set supersedes = null"],
)  # fmt: skip
def test_a_ruling_is_never_changed_or_deleted(rule: Rule, store: Store, statement: str) -> None:
    rule("鱼排", FISH, scope=Scope.ALL)
    before = store.rows("select * from rulings")
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        store.db.execute(statement)
    assert store.rows("select * from rulings") == before


def test_an_erased_tenant_takes_its_own_rulings_along_and_leaves_the_others(
    rule: Rule, store: Store, add_line: AddLine
) -> None:
    add_line("薯片")
    rule("鱼排", FISH, scope=Scope.ALL)
    rule("薯片", PUFFED)
    tenants.erase(store, "acme")
    left = store.rows("select name, tenant from rulings")
    assert left == [{"name": "鱼排", "tenant": None}]
    assert issue(store, "other", Subject("虾排"), FISH, draft(), "pc_9").number.endswith("-0003")


@pytest.mark.parametrize(
    ("given", "field"),
    [({"scope": Scope.INDUSTRY}, "industry"), ({"industry": "F"}, "industry"),
     ({"scope": Scope.INDUSTRY, "industry": "Z"}, "industry"), ({"text": "  "}, "text"),
     ({"effective_on": dt.date(2016, 4, 30)}, "effective_on"),
     ({"supersedes": "裁定1999-0001"}, "")],
)  # fmt: skip
def test_a_bad_draft_is_refused(store: Store, given: dict, field: str) -> None:
    with pytest.raises((InputError, NotFoundError)) as raised:
        issue(store, "acme", Subject("薯片"), PUFFED, Draft(**{"text": "按注释", **given}), "pc_1")
    assert raised.value.context.get("field", "") == field


def test_earlier_lines_with_another_code_are_affected(
    rule: Rule, store: Store, decisions: Decisions, add_line: AddLine, people: People
) -> None:
    lines = {
        "other code": ("薯片", FRIED, {"spec": "70g"}),
        "same code": ("薯片", PUFFED, {"spec": "90g"}),
        "other name": ("鱼排", FRIED, {}),
    }
    ids = {}
    for what, (name, code, fields) in lines.items():
        ids[what] = add_line(name, date="2026-11-01", **fields)
        decisions.decide(people["anna"], ids[what], code, "", Versions())
    printed = record(store, people["erp"], InvoiceLine("*膨化食品*薯片"), code=FRIED)
    ruling = rule("薯片", PUFFED, effective_on=dt.date(2026, 11, 15))
    found = {row["id"]: row for row in affected(store, ruling, "acme")}
    assert set(found) == {ids["other code"], printed}
    assert [found[i]["applies"] for i in (ids["other code"], printed)] == [False, True]


def test_of_other_tenants_only_codes_and_numbers_are_told(
    rule: Rule, store: Store, decisions: Decisions, add_line: AddLine, people: People
) -> None:
    decisions.decide(people["otto"], add_line("薯片", "other"), FRIED, "", Versions())
    general = rule("薯片", PUFFED, scope=Scope.ALL)
    assert affected(store, general, "acme") == []
    assert seen_by(store, general, people["fay"]) == ([], [{"code": FRIED, "lines": 1}])
    assert seen_by(store, general, people["anna"]) == ([], [])
    assert [row["tenant"] for row in affected(store, general)] == ["other"]
    own = rule("薯片", PUFFED)
    assert seen_by(store, own, people["fay"]) == ([], [])


def test_lines_from_before_subjects_were_kept_are_found_too(
    store: Store, add_line: AddLine, decisions: Decisions, people: People, rule: Rule
) -> None:
    """The step that adds the column fills it for what is there."""
    decisions.decide(people["anna"], add_line("＊膨化食品＊薯 片"), FRIED, "", Versions())
    for table in ("rulings", "ruling_numbers"):
        store.db.execute(f"drop table {table}")
    for index in ("review_items_subject", "feedback_subject"):
        store.db.execute(f"drop index {index}")
    for table in ("review_items", "feedback"):
        store.db.execute(f"alter table {table} drop column subject")
    store.db.execute("delete from _sqlite_migrations where name = '010_rulings'")
    store.db.conn.commit()
    store.migrate()
    assert store.rows("select subject from review_items") == [{"subject": subject_key("薯片")}]
    assert len(affected(store, rule("薯片", PUFFED), "acme")) == 1
