"""Deciding, second votes, sending back, undoing; what was decided answers at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from invoicer import Assistant, InvoiceLine, Tier
from invoicer.access.principals import ForbiddenError, Principal
from invoicer.errors import InputError
from invoicer.review.decisions import Decisions
from invoicer.review.memory import with_known
from invoicer.review.queue import Queue
from invoicer.review.rules import ReviewRules
from invoicer.review.states import ReviewConflictError, Versions, history
from invoicer.store import Store

People = dict[str, Principal]
AddLine = Callable[..., str]
V = Versions("m", "k")


def codes_of(assistant: Assistant) -> tuple[str, str]:
    """Two different codes for 薯片: its question's options."""
    options = assistant.suggest("薯片").questions[0].options
    return options[0].code, options[1].code


def known_code(store: Store, assistant: Assistant, tenant: str) -> str:
    """What people have settled on for a tenant's 薯片."""
    (line,) = with_known(store, tenant, [InvoiceLine("薯片")], assistant.rate_table)
    return line.confirmed_code


def test_a_decision_answers_the_same_name_for_its_tenant(
    decisions: Decisions, add_line: AddLine, people: People, assistant: Assistant, store: Store
) -> None:
    _, code = codes_of(assistant)
    item = add_line("薯片")
    decided = decisions.decide(people["anna"], item, code, "看了包装", V)
    assert (decided["state"], decided["code"], decided["decided_by"]) == (
        "decided", code, people["anna"].id,
    )  # fmt: skip
    assert known_code(store, assistant, "acme") == code
    assert known_code(store, assistant, "other") == ""


def test_a_confirmed_line_is_strong_and_says_who_confirmed(assistant: Assistant) -> None:
    _, code = codes_of(assistant)
    line = InvoiceLine("薯片", confirmed_code=code, confirmed_by="本单位已于 2026-11-27 人工确认")
    answer = assistant.suggest(line)
    assert (answer.tier, answer.code, answer.questions) == (Tier.STRONG, code, ())
    assert "人工确认" in answer.evidence[0]


def test_deciding_the_same_again_changes_nothing(
    decisions: Decisions, add_line: AddLine, people: People, assistant: Assistant, store: Store
) -> None:
    code, other = codes_of(assistant)
    item = add_line("薯片")
    decisions.decide(people["anna"], item, code, "", V)
    decisions.decide(people["anna"], item, code, "", V)
    assert len(history(store, "acme", item)) == 1
    with pytest.raises(ReviewConflictError):
        decisions.decide(people["ben"], item, other, "", V)


@pytest.mark.parametrize("code", ["1030000000000000000", "123", "9999999999999999999"])
def test_only_codes_that_may_be_printed_are_taken(
    decisions: Decisions, add_line: AddLine, people: People, code: str
) -> None:
    with pytest.raises(InputError, match="编码"):
        decisions.decide(people["anna"], add_line("薯片"), code, "", V)


def test_an_item_held_by_somebody_else_cannot_be_decided(
    decisions: Decisions, queue: Queue, add_line: AddLine, people: People, assistant: Assistant
) -> None:
    item = add_line("薯片")
    queue.lease(people["anna"])
    with pytest.raises(ReviewConflictError, match="他人"):
        decisions.decide(people["ben"], item, codes_of(assistant)[0], "", V)


@pytest.fixture
def paired(store: Store, assistant: Assistant) -> Decisions:
    """Every item needs two votes."""
    return Decisions(Queue(store, ReviewRules(second_share=1.0)), assistant.is_usable)


def test_a_second_vote_is_blind_and_by_somebody_else(
    paired: Decisions, add_line: AddLine, people: People, assistant: Assistant
) -> None:
    code, _ = codes_of(assistant)
    item = add_line("薯片")
    first = paired.decide(people["anna"], item, code, "", V)
    assert (first["state"], first["code"], first["decided_by"]) == ("open", None, None)
    assert paired.queue.lease(people["anna"]) == []
    with pytest.raises(ReviewConflictError, match="第二人"):
        paired.decide(people["anna"], item, code, "", V)
    assert paired.decide(people["ben"], item, code, "", V)["state"] == "decided"


def test_votes_that_differ_are_settled_by_an_expert(
    paired: Decisions, add_line: AddLine, people: People, assistant: Assistant
) -> None:
    code, other = codes_of(assistant)
    item = add_line("薯片")
    paired.decide(people["anna"], item, code, "", V)
    assert paired.decide(people["ben"], item, other, "", V)["state"] == "disputed"
    with pytest.raises(ForbiddenError):
        paired.settle(people["ben"], item, other, "", V)
    settled = paired.settle(people["eva"], item, other, "官方注释", V)
    assert (settled["state"], settled["code"]) == ("decided", other)


def test_a_large_amount_needs_a_second_vote(
    store: Store, add_line: AddLine, people: People, assistant: Assistant
) -> None:
    rules = ReviewRules(second_share=0.0, second_amount=1000.0)
    decisions = Decisions(Queue(store, rules), assistant.is_usable)
    code, _ = codes_of(assistant)
    small, large = add_line("薯片", amount="999"), add_line("薯片", spec="箱装", amount="-1000")
    assert decisions.decide(people["anna"], small, code, "", V)["state"] == "decided"
    assert decisions.decide(people["anna"], large, code, "", V)["state"] == "open"


def test_undo_gives_the_item_back_to_the_decider(
    decisions: Decisions, add_line: AddLine, people: People, assistant: Assistant, store: Store
) -> None:
    code, other = codes_of(assistant)
    item = add_line("薯片")
    decisions.decide(people["anna"], item, code, "", V)
    undone = decisions.undo(people["anna"])
    assert (undone["state"], undone["code"], undone["leased_by"]) == (
        "open", None, people["anna"].id,
    )  # fmt: skip
    assert decisions.decide(people["anna"], item, other, "", V)["code"] == other
    assert [e["action"] for e in history(store, "acme", item)] == ["decide", "undo", "decide"]


def test_undo_is_refused_once_somebody_acted_on_it(
    paired: Decisions, add_line: AddLine, people: People, assistant: Assistant
) -> None:
    code, _ = codes_of(assistant)
    item = add_line("薯片")
    paired.decide(people["anna"], item, code, "", V)
    paired.decide(people["ben"], item, code, "", V)
    with pytest.raises(ReviewConflictError, match="他人"):
        paired.undo(people["anna"])


def test_nothing_to_undo_is_said(decisions: Decisions, people: People) -> None:
    with pytest.raises(ReviewConflictError, match="没有可以撤销"):
        decisions.undo(people["anna"])


def test_sent_back_waits_for_the_caller_and_reopens_with_the_reply(
    decisions: Decisions, queue: Queue, add_line: AddLine, people: People
) -> None:
    item = add_line("薯片")
    decisions.send_back(people["anna"], item, "是原切还是薯泥?")
    assert queue.lease(people["ben"]) == []
    assert decisions.reply(people["ben"], item, "原切")["why"] == "原切"
    assert queue.lease(people["ben"])[0]["id"] == item


def test_uncodable_needs_a_reason(decisions: Decisions, add_line: AddLine, people: People) -> None:
    item = add_line("???")
    with pytest.raises(InputError):
        decisions.uncodable(people["anna"], item, " ")
    assert decisions.uncodable(people["anna"], item, "只有标点")["state"] == "uncodable"


def test_alike_items_are_decided_all_or_none(
    decisions: Decisions, queue: Queue, add_line: AddLine, people: People, assistant: Assistant
) -> None:
    code, _ = codes_of(assistant)
    items = [add_line("薯片", spec=f"{n}g") for n in (70, 90, 110)]
    queue.lease(people["ben"], 1)
    with pytest.raises(ReviewConflictError):
        decisions.decide_alike(people["anna"], items, code, "", V)
    assert queue.counts("acme")["decided"] == 0


def test_one_click_never_holds_for_all_but_agreeing_tenants_do(
    store: Store, assistant: Assistant, add_line: AddLine, people: People
) -> None:
    rules = ReviewRules(second_share=0.0, agreeing_tenants=2)
    decisions = Decisions(Queue(store, rules), assistant.is_usable)
    code, _ = codes_of(assistant)
    decisions.decide(people["anna"], add_line("薯片"), code, "", V)
    assert known_code(store, assistant, "third") == ""
    decisions.decide(people["otto"], add_line("薯片", "other"), code, "", V)
    (known,) = with_known(store, "third", [InvoiceLine("薯片")], assistant.rate_table)
    assert known.confirmed_code == code
    assert known.confirmed_by.startswith("多家单位或专家")
    with pytest.raises(ReviewConflictError, match="推广"):
        decisions.undo(people["otto"])


def test_an_experts_word_holds_for_all_until_an_expert_says_otherwise(
    decisions: Decisions, store: Store, assistant: Assistant, add_line: AddLine, people: People
) -> None:
    code, other = codes_of(assistant)
    decisions.decide(people["eva"], add_line("薯片"), code, "", V)
    decisions.decide(people["otto"], add_line("薯片", "other"), other, "", V)
    assert known_code(store, assistant, "third") == code
    assert known_code(store, assistant, "other") == other


def test_the_history_says_which_versions_answered_at_every_act(
    decisions: Decisions, store: Store, add_line: AddLine, people: People, assistant: Assistant
) -> None:
    anna, item = people["anna"], add_line("薯片")
    decisions.decide(anna, item, codes_of(assistant)[0], "", V)
    decisions.undo(anna, V)
    decisions.send_back(anna, item, "是原切还是薯泥?", V)
    decisions.reply(people["erp"], item, "原切")
    decisions.uncodable(anna, item, "只有标点", V)
    said = {e["action"]: (e["model_version"], e["kb_version"])
            for e in history(store, "acme", item) if e["actor"] == anna.id}  # fmt: skip
    assert said == dict.fromkeys(("decide", "undo", "send_back", "uncodable"), ("m", "k"))


def test_the_history_cannot_be_rewritten(
    decisions: Decisions, store: Store, add_line: AddLine, people: People, assistant: Assistant
) -> None:
    decisions.decide(people["anna"], add_line("薯片"), codes_of(assistant)[0], "", V)
    for statement in ("update review_events set actor = 'x'", "delete from review_events"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            store.db.execute(statement)
