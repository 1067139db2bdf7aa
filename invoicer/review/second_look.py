"""Held decisions: open again, for somebody else, with the reason why they wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from invoicer.review.decided import Decision
from invoicer.review.queue import item_of_row
from invoicer.review.states import State, record
from invoicer.store import Store

GUARD = "guard"


def hold(store: Store, decisions: Sequence[Decision], reasons: Sequence[str]) -> int:
    """Open the decisions that have a reason to a second reviewer; returns how many.

    The first vote stays, so that its author is not asked again, and is not shown to the second
    person; a decision that changed meanwhile is left alone.
    """
    held = 0
    with store.transaction() as db:
        for one, reason in zip(decisions, reasons, strict=True):
            if not reason:
                continue
            changed = db.execute(
                "update review_items set state = ?, held = ?, code = null, decided_by = null,"
                " decided_at = null, why = '' where id = ? and state = 'decided' and code = ?"
                " and learned_in is null",
                [State.OPEN.value, reason, one.item, one.code],
            )
            if changed.rowcount:
                held += 1
                row = {"id": one.item, "tenant": one.tenant, "state": State.DECIDED.value}
                record(store, row, GUARD, "hold", State.OPEN.value, code=one.code, why=reason)
    return held


def held_items(store: Store, tenant: str | None = None) -> list[dict[str, Any]]:
    """What waits for a second person, the most urgent first."""
    rows = store.rows(
        """select * from review_items where held is not null and state in ('open', 'disputed')
           and (:tenant is null or tenant = :tenant) order by priority desc, id""",
        {"tenant": tenant},
    )
    return [item_of_row(row) for row in rows]
