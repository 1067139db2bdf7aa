"""The expert panel: who brings a case, blind votes, quorum and majority, what a ruling settles."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from invoicer import Assistant, InvoiceLine
from invoicer.access import audit, tenants
from invoicer.access.principals import ForbiddenError, Principal
from invoicer.errors import InputError, NotFoundError
from invoicer.line import today
from invoicer.review import cases, webhooks
from invoicer.review.case_evidence import evidence
from invoicer.review.cases import UNCODABLE
from invoicer.review.decisions import Decisions
from invoicer.review.issuing import Draft
from invoicer.review.panel import Panel
from invoicer.review.queue import Queue
from invoicer.review.rules import ReviewRules
from invoicer.review.rulings import Ruling
from invoicer.review.states import (
    ReviewConflictError,
    Versions,
    history,
    visible_history,
)
from invoicer.store import Store

People = dict[str, Principal]
AddLine = Callable[..., str]
Rule = Callable[..., Ruling]
FRIED, PUFFED = "1030201050000000000", "1030201040000000000"
V = Versions("m", "k")
SECRET = "只有我知道的理由"


@pytest.fixture
def disputed(store: Store, assistant: Assistant, people: People, add_line: AddLine) -> str:
    """薯片, for which anna and ben voted differently."""
    paired = Decisions(Queue(store, ReviewRules(second_share=1.0)), assistant.is_usable)
    item = add_line("薯片", unit="袋", amount="500")
    paired.decide(people["anna"], item, FRIED, "看起来是油炸的", V)
    paired.decide(people["ben"], item, PUFFED, "配料是薯粉", V)
    return item


@pytest.fixture
def case(panel: Panel, people: People, disputed: str) -> str:
    return panel.open_item(people["ben"], disputed, "两位审核员意见不一")["id"]


def state(store: Store, case: str) -> str:
    return str(cases.find(store, "acme", case)["state"])


def test_a_reviewer_brings_what_is_disputed_an_expert_anything(
    panel: Panel, people: People, disputed: str, add_line: AddLine
) -> None:
    plain = add_line("鱼排")
    with pytest.raises(ForbiddenError):
        panel.open_item(people["anna"], plain, "想听听意见")
    assert panel.open_item(people["eva"], plain, "新品种")["item"] == plain
    assert panel.open_item(people["anna"], disputed, "意见不一")["state"] == "voting"
    with pytest.raises(ReviewConflictError, match="已提交"):
        panel.open_item(people["eva"], disputed, "再来一次")


def test_while_the_panel_has_it_nobody_else_decides_it(
    panel: Panel, decisions: Decisions, queue: Queue, people: People, case: str, disputed: str,
    add_line: AddLine,
) -> None:  # fmt: skip
    with pytest.raises(ReviewConflictError, match="编审委员会"):
        decisions.settle(people["eva"], disputed, FRIED, "", V)
    fish = add_line("鱼排")
    panel.open_item(people["eva"], fish, "新品种")
    assert queue.lease(people["anna"]) == []
    with pytest.raises(ReviewConflictError):
        decisions.decide(people["anna"], fish, FRIED, "", V)


def test_evidence_is_the_name_the_opinions_without_names_the_notes_and_the_rates(
    store: Store, assistant: Assistant, people: People, case: str, rule: Rule
) -> None:
    rule("薯片片", FRIED)
    known = evidence(store, assistant, people["eva"], case)
    assert known["case"]["line"] == {"name": "薯片", "unit": "袋", "amount": "500"}
    assert known["opinions"] == [
        {"code": PUFFED, "why": "配料是薯粉"}, {"code": FRIED, "why": "看起来是油炸的"},
    ]  # fmt: skip
    assert {FRIED, PUFFED} <= set(known["codes"])
    about = known["codes"][PUFFED]
    assert about["includes"] or about["keywords"]
    assert about["rates"][0]["rate"] == "0.13"
    assert [one.subject.name for one in known["rulings"]] == ["薯片片"]


def test_a_vote_is_the_voters_alone_until_the_count(
    store: Store, panel: Panel, assistant: Assistant, people: People, case: str
) -> None:
    panel.vote(people["eva"], case, FRIED, SECRET)
    with pytest.raises(ForbiddenError):
        evidence(store, assistant, people["anna"], case)
    for who in ("fay", "ada"):
        assert SECRET not in json.dumps(evidence(store, assistant, people[who], case)["mine"])
    for who in ("fay", "ada", "anna"):
        assert cases.votes(store, people[who], cases.find(store, "acme", case)) == []
    assert evidence(store, assistant, people["eva"], case)["mine"]["why"] == SECRET
    for who in ("fay", "gus"):
        panel.vote(people[who], case, FRIED, "注释")
    known = evidence(store, assistant, people["fay"], case)
    assert [(v["name"], v["code"]) for v in known["votes"]] == [
        ("eva", FRIED), ("fay", FRIED), ("gus", FRIED),
    ]  # fmt: skip
    assert cases.votes(store, people["anna"], known["case"]) == []


def test_reviewers_votes_have_no_names_while_experts_vote(
    store: Store, queue: Queue, people: People, disputed: str, case: str
) -> None:
    item = queue.find("acme", disputed)
    shown = visible_history(store, people["eva"], item)
    assert [event["action"] for event in shown] == ["refer"]


def test_an_export_holds_no_vote_that_is_still_secret(
    store: Store, panel: Panel, people: People, case: str, tmp_path: Path
) -> None:
    panel.vote(people["eva"], case, FRIED, SECRET)
    before, after = tmp_path / "before.jsonl", tmp_path / "after.jsonl"
    tenants.export(store, "acme", before)
    assert SECRET not in before.read_text(encoding="utf-8")
    for who in ("fay", "gus"):
        panel.vote(people[who], case, FRIED, "注释")
    tenants.export(store, "acme", after)
    assert SECRET in after.read_text(encoding="utf-8")


def test_an_expert_has_one_vote_and_may_change_it(
    store: Store, panel: Panel, people: People, case: str
) -> None:
    panel.vote(people["eva"], case, FRIED, "第一眼")
    assert panel.vote(people["eva"], case, PUFFED, "看了配料")["votes"] == 1
    (mine,) = cases.votes(store, people["eva"], cases.find(store, "acme", case))
    assert (mine["code"], mine["why"]) == (PUFFED, "看了配料")


@pytest.mark.parametrize("who", ["anna", "erp"])
def test_only_experts_vote(panel: Panel, people: People, case: str, who: str) -> None:
    with pytest.raises(ForbiddenError):
        panel.vote(people[who], case, FRIED, "我也想")


@pytest.mark.parametrize(("code", "why"), [("1030000000000000000", "注释"), (FRIED, " ")])
def test_a_vote_is_for_a_printable_code_and_has_a_reason(
    panel: Panel, people: People, case: str, code: str, why: str
) -> None:
    with pytest.raises(InputError):
        panel.vote(people["eva"], case, code, why)


def test_another_tenants_case_is_not_there(panel: Panel, people: People, case: str) -> None:
    for act in (lambda: panel.vote(people["olga"], case, FRIED, "注释"),
                lambda: panel.count(people["olga"], case),
                lambda: panel.rule(people["olga"], case, Draft("注释"), V)):  # fmt: skip
        with pytest.raises(NotFoundError):
            act()


@pytest.mark.parametrize(
    ("votes", "counted"),
    [((FRIED, FRIED), False), ((FRIED, PUFFED, FRIED), True),
     ((FRIED, PUFFED, UNCODABLE), False), ((FRIED, PUFFED, UNCODABLE, FRIED), False)],
)  # fmt: skip
def test_quorum_and_more_than_half_close_the_vote(
    store: Store, panel: Panel, people: People, case: str, votes: tuple[str, ...], counted: bool
) -> None:
    for who, code in zip(("eva", "fay", "gus", "ada"), votes, strict=False):
        panel.vote(people[who], case, code, "注释")
    assert state(store, case) == ("counted" if counted else "voting")
    if counted:
        with pytest.raises(ReviewConflictError):
            panel.vote(people["ada"], case, PUFFED, "太晚了")


def test_quorum_and_majority_are_settings(
    store: Store, assistant: Assistant, people: People, case: str
) -> None:
    rules = ReviewRules(panel_quorum=2, panel_majority=0.7)
    strict = Panel(Decisions(Queue(store, rules), assistant.is_usable))
    strict.vote(people["eva"], case, FRIED, "注释")
    strict.vote(people["fay"], case, FRIED, "注释")
    assert state(store, case) == "counted"


def test_a_counted_vote_cannot_be_rewritten(
    store: Store, panel: Panel, people: People, case: str
) -> None:
    for who in ("eva", "fay", "gus"):
        panel.vote(people[who], case, FRIED, "注释")
    with pytest.raises(sqlite3.IntegrityError, match="closed"):
        store.db.execute("update panel_votes set code = ?", [PUFFED])
    for statement in ("update panel_events set actor = 'x'", "delete from panel_events"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            store.db.execute(statement)


def test_the_chair_counts_at_the_deadline_and_without_majority_it_goes_on(
    store: Store, panel: Panel, people: People, case: str
) -> None:
    panel.vote(people["eva"], case, FRIED, SECRET)
    with pytest.raises(ReviewConflictError, match="期限未到"):
        panel.count(people["ada"], case)
    store.db.execute("update panel_cases set deadline = '2026-01-01T00:00:00Z'")
    with pytest.raises(ForbiddenError):
        panel.count(people["eva"], case)
    open_still = panel.count(people["ada"], case, "请再议")
    assert (open_still["state"], open_still["note"]) == ("voting", "未达法定人数:请再议")
    assert open_still["deadline"] > today().isoformat()
    assert cases.votes(store, people["ada"], open_still) == []
    panel.vote(people["fay"], case, PUFFED, "注释")
    panel.vote(people["gus"], case, UNCODABLE, "注释")
    store.db.execute("update panel_cases set deadline = '2026-01-01T00:00:00Z'")
    assert panel.count(people["ada"], case)["note"] == "未形成多数意见"


def test_a_ruling_settles_the_item_and_tells_the_caller(
    store: Store, panel: Panel, queue: Queue, people: People, case: str, disputed: str
) -> None:
    webhooks.add(store, "acme", "https://erp.example/hook", {"erp.example"})
    for who in ("eva", "fay", "gus"):
        panel.vote(people[who], case, PUFFED, "注释")
    with pytest.raises(ForbiddenError):
        panel.rule(people["eva"], case, Draft("以薯粉为原料的按膨化食品"), V)
    ruling = panel.rule(people["ada"], case, Draft("以薯粉为原料的按膨化食品"), V)
    item = queue.find("acme", disputed)
    assert (item["state"], item["code"]) == ("decided", PUFFED)
    assert ruling.number in item["why"]
    assert history(store, "acme", disputed)[-1]["action"] == "conclude"
    (told,) = (json.loads(row["body"]) for row in store.rows("select body from deliveries"))
    assert (told["event"], told["review_id"], told["code"]) == ("review.decided", disputed, PUFFED)
    closed = cases.find(store, "acme", case)
    assert (closed["state"], closed["outcome"], closed["ruling"]) == (
        "closed", "ruling", ruling.number,
    )  # fmt: skip
    assert audit.acts(store, "acme")[0]["subject"] == ruling.number


def test_a_ruling_needs_a_majority_and_is_made_once(
    panel: Panel, people: People, case: str
) -> None:
    with pytest.raises(ReviewConflictError, match="表决中"):
        panel.rule(people["ada"], case, Draft("注释"), V)
    for who in ("eva", "fay", "gus"):
        panel.vote(people[who], case, PUFFED, "注释")
    panel.rule(people["ada"], case, Draft("注释"), V)
    with pytest.raises(ReviewConflictError, match="已结案"):
        panel.rule(people["ada"], case, Draft("注释"), V)


def test_a_refused_draft_leaves_everything_as_it_was(
    store: Store, panel: Panel, queue: Queue, people: People, case: str, disputed: str
) -> None:
    for who in ("eva", "fay", "gus"):
        panel.vote(people[who], case, PUFFED, "注释")
    with pytest.raises(NotFoundError):
        panel.rule(people["ada"], case, Draft("注释", supersedes="裁定1999-0001"), V)
    assert (state(store, case), queue.find("acme", disputed)["state"]) == ("counted", "disputed")
    assert panel.rule(people["ada"], case, Draft("注释"), V).number.endswith("-0001")


def test_no_code_fits_is_an_outcome_without_a_ruling(
    store: Store, panel: Panel, queue: Queue, people: People, case: str, disputed: str
) -> None:
    for who in ("eva", "fay", "gus"):
        panel.vote(people[who], case, UNCODABLE, "表中没有")
    closed = cases.find(store, "acme", case)
    assert (closed["state"], closed["outcome"], closed["ruling"]) == ("closed", "uncodable", "")
    assert queue.find("acme", disputed)["state"] == "uncodable"
    assert store.rows("select * from rulings") == []


def test_what_was_decided_stays_so_until_the_ruling(
    store: Store, panel: Panel, decisions: Decisions, queue: Queue, people: People,
    add_line: AddLine,
) -> None:  # fmt: skip
    item = add_line("薯片")
    decisions.decide(people["anna"], item, FRIED, "", V)
    case = panel.open_item(people["eva"], item, "请复议")["id"]
    assert (queue.find("acme", item)["state"], queue.find("acme", item)["code"]) == (
        "decided", FRIED,
    )  # fmt: skip
    with pytest.raises(ReviewConflictError):
        decisions.undo(people["anna"])
    for who in ("eva", "fay", "gus"):
        panel.vote(people[who], case, PUFFED, "注释")
    panel.rule(people["ada"], case, Draft("注释"), V)
    assert queue.find("acme", item)["code"] == PUFFED


def test_cases_are_listed_by_deadline_the_closed_last(
    store: Store, panel: Panel, assistant: Assistant, people: People, case: str, rule: Rule
) -> None:
    rule("鱼排", "1030109050000000000")
    suggestion = assistant.suggest("办公椅").to_dict()
    later = panel.open_line(people["eva"], InvoiceLine("办公椅"), suggestion, "新品")["id"]
    total, found = cases.search(store, "acme")
    assert (total, [one["id"] for one in found][:2]) == (3, [case, later])
    assert found[2]["state"] == "closed"
    assert cases.search(store, "other") == (0, [])


def test_erasing_a_tenant_takes_its_cases_along(
    store: Store, panel: Panel, people: People, case: str
) -> None:
    panel.vote(people["eva"], case, FRIED, SECRET)
    tenants.erase(store, "acme")
    for table in ("panel_cases", "panel_votes", "panel_events"):
        assert store.rows(f"select * from {table}") == []
