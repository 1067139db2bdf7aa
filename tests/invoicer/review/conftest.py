"""People of two tenants, and items made from real suggestions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from invoicer import Assistant, InvoiceLine
from invoicer.access import keys, tenants
from invoicer.access.principals import Principal, Role
from invoicer.review import inbox
from invoicer.review.decisions import Decisions
from invoicer.review.issuing import Draft
from invoicer.review.items import identity, item_of
from invoicer.review.panel import Panel
from invoicer.review.queue import Queue
from invoicer.review.rules import ReviewRules
from invoicer.review.rulings import Ruling
from invoicer.review.states import Versions
from invoicer.store import Store

ALONE = ReviewRules(second_share=0.0, second_amount=1e9)
AddLine = Callable[..., str]
Rule = Callable[..., Ruling]
V = Versions("m", "k")


@pytest.fixture
def people(store: Store) -> dict[str, Principal]:
    """anna, ben: reviewers of acme; eva, fay, gus: its experts; ada: their chair; erp: a system
    that calls; otto, olga: reviewer and chair of another tenant."""
    tenants.create(store, "other")
    who = (("anna", "acme", Role.REVIEWER), ("ben", "acme", Role.REVIEWER),
           ("eva", "acme", Role.EXPERT), ("fay", "acme", Role.EXPERT),
           ("gus", "acme", Role.EXPERT), ("ada", "acme", Role.ADMIN), ("erp", "acme", Role.CLIENT),
           ("otto", "other", Role.REVIEWER), ("olga", "other", Role.ADMIN))  # fmt: skip
    return {login: keys.create(store, tenant, login, role)[0] for login, tenant, role in who}


@pytest.fixture
def queue(store: Store) -> Queue:
    return Queue(store, ALONE)


@pytest.fixture
def decisions(queue: Queue, assistant: Assistant) -> Decisions:
    return Decisions(queue, assistant.is_usable)


@pytest.fixture
def panel(decisions: Decisions) -> Panel:
    return Panel(decisions)


@pytest.fixture
def rule(panel: Panel, assistant: Assistant, people: dict[str, Principal]) -> Rule:
    """A case about a name, voted for a code by three experts and ruled by the chair."""

    def make(name: str, code: str, **draft: Any) -> Ruling:
        fields = {k: draft.pop(k) for k in ("spec", "unit") if k in draft}
        line = InvoiceLine.from_fields({"name": name, **fields})
        suggestion = assistant.suggest(line).to_dict()
        case = panel.open_line(people["eva"], line, suggestion, "编码有分歧")["id"]
        for expert in ("eva", "fay", "gus"):
            panel.vote(people[expert], case, code, "官方注释")
        return panel.rule(people["ada"], case, Draft(draft.pop("text", "按注释"), **draft), V)

    return make


@pytest.fixture
def add_line(store: Store, assistant: Assistant) -> AddLine:
    """Put a line into the queue; returns the item's id."""

    def add(name: str, tenant: str = "acme", **fields: Any) -> str:
        line = InvoiceLine.from_fields({"name": name, **fields})
        who = identity(tenant, line, assistant.rate_table)
        inbox.add(store, [item_of(tenant, line, assistant.suggest(line), who)])
        return who.item

    return add
