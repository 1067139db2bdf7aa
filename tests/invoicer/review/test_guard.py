"""The guard: which decisions wait for a second person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from invoicer import Assistant, InvoiceLine
from invoicer.access.principals import Principal
from invoicer.review.decided import Decision, decisions, waiting
from invoicer.review.decisions import Decisions
from invoicer.review.guard import MASS, Guard
from invoicer.review.queue import Queue
from invoicer.review.second_look import held_items, hold
from invoicer.review.states import ReviewConflictError, Versions, history
from invoicer.store import Store

People = dict[str, Principal]
AddLine = Callable[..., str]
V = Versions("m", "k")
FISH, PARKING = "1030109050000000000", "3040502020200000000"


def made(name: str, code: str, by: str = "anna", **given: object) -> Decision:
    one = Decision("rv_x", "acme", "q", InvoiceLine(name), code, by, "2026-11-27T03:00:00")
    return replace(one, **given)


@pytest.fixture(scope="module")
def guard(assistant: Assistant) -> Guard:
    return Guard(assistant)


def test_what_model_and_person_agree_on_passes(guard: Guard) -> None:
    assert guard.reasons([made("柚子味鱼排", FISH), made("停车费", PARKING)]) == ["", ""]


def test_a_code_far_from_the_name_is_held(guard: Guard) -> None:
    (reason,) = guard.reasons([made("柚子味鱼排", PARKING)])
    assert "不相近" in reason


def test_a_code_that_a_sure_model_contradicts_is_held_and_the_reason_names_its_own(
    guard: Guard, assistant: Assistant
) -> None:
    (reason,) = guard.reasons([made("弹簧床垫", assistant.suggest("弹簧床垫").candidates[1].code)])
    assert "家具" in reason


def test_two_people_outweigh_the_model(guard: Guard) -> None:
    assert guard.reasons([made("柚子味鱼排", PARKING, votes=2)]) == [""]


def test_others_who_decided_the_same_about_near_names_outweigh_the_model(guard: Guard) -> None:
    names = ("柚子味鱼排", "青柠味鱼排", "黑椒味鱼排")
    code = "1030201030000000000"
    assert all(guard.reasons([made(names[0], code, "anna")]))
    same_person = [made(name, code, "anna") for name in names]
    assert all(guard.reasons(same_person))
    others = [made(name, code, by) for name, by in zip(names, ("a", "b", "c"), strict=True)]
    assert guard.reasons(others) == ["", "", ""]


def test_one_against_several_others_about_near_names_is_held(guard: Guard) -> None:
    against = made("鳗鱼鱼排", "1030201030000000000", "dora")
    others = [made("青柠味鱼排", FISH, "ben"), made("黑椒味鱼排", FISH, "carl")]
    reasons = guard.reasons([*others, against])
    assert reasons[:2] == ["", ""]
    assert reasons[2]


def test_hundreds_alike_by_one_person_in_an_hour_are_held(guard: Guard) -> None:
    many = [made(f"鱼排 {n}号", FISH) for n in range(MASS)]
    assert all("一小时内" in reason for reason in guard.reasons(many))
    spread = [replace(one, at=f"2026-11-27T{i % 20:02}:00:00") for i, one in enumerate(many)]
    assert not any("一小时内" in reason for reason in guard.reasons(spread))


@pytest.fixture
def held(
    decisions_of: Decisions, add_line: AddLine, people: People, store: Store, guard: Guard
) -> str:
    """A wrong decision by anna, held."""
    item = add_line("柚子味鱼排")
    decisions_of.decide(people["anna"], item, PARKING, "", V)
    rows = decisions(store)
    assert hold(store, rows, guard.reasons(rows)) == 1
    return item


@pytest.fixture
def decisions_of(queue: Queue, assistant: Assistant) -> Decisions:
    return Decisions(queue, assistant.is_usable)


def test_a_held_decision_is_open_again_for_somebody_else(
    held: str, queue: Queue, people: People, store: Store
) -> None:
    assert queue.lease(people["anna"]) == []
    assert [item["id"] for item in queue.lease(people["ben"])] == [held]
    assert [item["id"] for item in held_items(store, "acme")] == [held]
    assert held_items(store, "other") == []
    assert "不相近" in history(store, "acme", held)[-1]["why"]
    assert waiting(store) == 0


def test_a_second_person_who_agrees_makes_it_accepted(
    held: str, decisions_of: Decisions, people: People, store: Store, guard: Guard
) -> None:
    decided = decisions_of.decide(people["ben"], held, PARKING, "", V)
    assert (decided["state"], decided["held"]) == ("decided", None)
    rows = decisions(store)
    assert guard.reasons(rows) == [""]
    assert waiting(store) == 1


def test_a_second_person_who_differs_makes_it_disputed(
    held: str, decisions_of: Decisions, people: People, store: Store
) -> None:
    assert decisions_of.decide(people["ben"], held, FISH, "", V)["state"] == "disputed"
    assert decisions(store) == []
    settled = decisions_of.settle(people["eva"], held, FISH, "", V)
    assert (settled["state"], settled["held"]) == ("decided", None)


def test_a_held_decision_cannot_be_undone_by_its_author(
    held: str, decisions_of: Decisions, people: People
) -> None:
    with pytest.raises(ReviewConflictError):
        decisions_of.undo(people["anna"])


def test_what_changed_meanwhile_is_not_held(
    decisions_of: Decisions, add_line: AddLine, people: People, store: Store
) -> None:
    item = add_line("柚子味鱼排")
    decisions_of.decide(people["anna"], item, PARKING, "", V)
    rows = decisions(store)
    decisions_of.undo(people["anna"])
    assert hold(store, rows, ["存疑"]) == 0


def test_what_callers_report_is_no_decision(store: Store, people: People) -> None:
    from invoicer.review import feedback

    feedback.record(store, people["anna"], InvoiceLine("柚子味鱼排"), code=PARKING)
    assert decisions(store) == []
