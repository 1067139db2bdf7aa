"""What is due is found in time, and told once."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from invoicer import Assistant, InvoiceLine
from invoicer.access.principals import Principal
from invoicer.line import today
from invoicer.review import appeals, cases, webhooks
from invoicer.review.appeals import Contested
from invoicer.review.deadlines import days_left, remind
from invoicer.review.decisions import Decisions
from invoicer.review.panel import Panel
from invoicer.store import Store

CODE = "1030201050000000000"
CHINA = dt.timezone(dt.timedelta(hours=8))
People = dict[str, Principal]


@pytest.fixture
def case(store: Store, decisions: Decisions, assistant: Assistant, people: People) -> str:
    """A case with the deadline of the rules, fifteen days."""
    line = InvoiceLine("薯片")
    suggestion = assistant.suggest(line).to_dict()
    return Panel(decisions).open_line(people["anna"], line, suggestion, "意见不一")["id"]


def file_appeal(store: Store, people: People, days: int) -> str:
    appeal = appeals.insert(
        store, people["anna"], InvoiceLine("薯片"), Contested(CODE), "不同意", days
    )
    return str(appeal["id"])


def told(store: Store) -> list[dict[str, str]]:
    return [json.loads(row["body"]) for row in store.rows("select body from deliveries")]


def test_lists_hold_what_is_due_within_some_days(
    store: Store, people: People, case: str
) -> None:
    soon, late = file_appeal(store, people, 2), file_appeal(store, people, -1)
    file_appeal(store, people, 9)

    def due(days: int) -> list[str]:
        return [one["id"] for one in appeals.search(store, "acme", due=days)[1]]

    assert (due(0), due(1), due(2)) == ([late], [late], [late, soon])
    assert [cases.search(store, "acme", due=days)[0] for days in (0, 14, 15)] == [0, 0, 1]
    assert cases.search(store, "other", due=15)[0] == 0


def test_what_is_closed_is_due_no_more(store: Store, people: People) -> None:
    ident = file_appeal(store, people, -1)
    with store.transaction() as db:
        db.execute("update appeals set closed_at = '2026-11-01T00:00:00.000000Z'")
    assert appeals.search(store, "acme", due=30) == (0, [])
    assert remind(store) == 0, ident


def test_a_deadline_is_told_once_and_a_new_one_again(
    store: Store, people: People, case: str
) -> None:
    webhooks.add(store, "acme", "https://erp.example.com/in", {"erp.example.com"})
    appeal = file_appeal(store, people, 2)
    assert (remind(store), remind(store)) == (1, 0)
    (body,) = told(store)
    day = (today() + dt.timedelta(days=2)).isoformat()
    assert (body["event"], body["appeal_id"], body["why"]) == ("appeal.due", appeal, f"期限 {day}")
    with store.transaction() as db:
        db.execute("update appeals set due_on = ?", [today().isoformat()])
    assert remind(store) == 1
    assert remind(store, days=15) == 1
    assert told(store)[-1]["case_id"] == case
    assert {"code": ""}.items() <= told(store)[-1].items()


@pytest.mark.parametrize(("days", "left"), [(-2, -2), (0, 0), (3, 3)])
def test_days_are_those_of_china(days: int, left: int) -> None:
    day = today() + dt.timedelta(days=days)
    assert days_left(day.isoformat()) == left
    just_after_midnight = dt.datetime.combine(day, dt.time(0, 5), CHINA).astimezone(dt.UTC)
    assert days_left(just_after_midnight.strftime("%Y-%m-%dT%H:%M:%S.%fZ")) == left
