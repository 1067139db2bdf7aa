"""Where an item stands, and the record of how it came there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from invoicer.access.principals import Principal, Role
from invoicer.errors import InvoicerError
from invoicer.store import Store, utc_text


class State(StrEnum):
    """open: waits for a person; sent_back: waits for the caller; decided, uncodable: done;
    disputed: the votes differ, a senior decides. A leased item is open and reserved."""

    OPEN = "open"
    SENT_BACK = "sent_back"
    DECIDED = "decided"
    UNCODABLE = "uncodable"
    DISPUTED = "disputed"

    @property
    def label(self) -> str:
        return {
            "open": "待审", "sent_back": "待补充", "decided": "已定", "uncodable": "无法赋码",
            "disputed": "有争议",
        }[self]  # fmt: skip


class ReviewConflictError(InvoicerError):
    """The item is not where the act expects it: somebody else has it, or it is done."""

    code = "review_conflict"


@dataclass(frozen=True, slots=True)
class Versions:
    """What answered when a person decided."""

    model_version: str = ""
    kb_version: str = ""


UNKNOWN = Versions()


def record(
    store: Store,
    item: dict[str, Any],
    actor: str,
    action: str,
    to_state: str,
    *,
    code: str = "",
    why: str = "",
    versions: Versions = UNKNOWN,
) -> None:
    """Add an event to an item's history, inside the transaction that makes it true."""
    with store.transaction() as db:
        db.execute(
            "insert into review_events (item, tenant, at, actor, action, from_state, to_state,"
            " code, why, model_version, kb_version) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [item["id"], item["tenant"], utc_text(), actor, action, item["state"], to_state,
             code, why, versions.model_version, versions.kb_version],
        )  # fmt: skip


def history(store: Store, tenant: str, item: str) -> list[dict[str, Any]]:
    """An item's events, oldest first."""
    return store.rows(
        "select * from review_events where tenant = ? and item = ? order by id", [tenant, item]
    )


def visible_history(store: Store, me: Principal, item: dict[str, Any]) -> list[dict[str, Any]]:
    """An item's events with their actors' names, as far as I may see them.

    Until an item is decided, a vote is nobody's but the voter's, for a second one is blind; of
    disputed items experts, who settle them, see all, unless the panel is voting on it.
    """
    events = store.rows(
        """select e.*, coalesce(p.name, e.actor) as name from review_events e
           left join principals p on p.principal = e.actor
           where e.tenant = ? and e.item = ? order by e.id""",
        [me.tenant, item["id"]],
    )
    voting = store.row(
        "select 1 from panel_cases where item = ? and state = 'voting'", [item["id"]]
    )
    shown = item["state"] == State.DECIDED or (
        item["state"] == State.DISPUTED and me.role.includes(Role.EXPERT) and not voting
    )
    return [e for e in events if shown or e["action"] != "vote" or e["actor"] == me.id]
