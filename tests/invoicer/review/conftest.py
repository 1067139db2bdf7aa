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
from invoicer.review.items import identity, item_of
from invoicer.review.queue import Queue
from invoicer.review.rules import ReviewRules
from invoicer.store import Store

ALONE = ReviewRules(second_share=0.0, second_amount=1e9)
AddLine = Callable[..., str]


@pytest.fixture
def people(store: Store) -> dict[str, Principal]:
    """anna, ben: reviewers of acme; eva: its expert; otto: reviewer of another tenant."""
    tenants.create(store, "other")
    who = (("anna", "acme", Role.REVIEWER), ("ben", "acme", Role.REVIEWER),
           ("eva", "acme", Role.EXPERT), ("otto", "other", Role.REVIEWER))  # fmt: skip
    return {login: keys.create(store, tenant, login, role)[0] for login, tenant, role in who}


@pytest.fixture
def queue(store: Store) -> Queue:
    return Queue(store, ALONE)


@pytest.fixture
def decisions(queue: Queue, assistant: Assistant) -> Decisions:
    return Decisions(queue, assistant.is_usable)


@pytest.fixture
def add_line(store: Store, assistant: Assistant) -> AddLine:
    """Put a line into the queue; returns the item's id."""

    def add(name: str, tenant: str = "acme", **fields: Any) -> str:
        line = InvoiceLine.from_fields({"name": name, **fields})
        who = identity(tenant, line, assistant.rate_table)
        inbox.add(store, [item_of(tenant, line, assistant.suggest(line), who)])
        return who.item

    return add
