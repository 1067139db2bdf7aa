"""Cases before the expert panel: what is asked, who has voted, how it ended."""

from __future__ import annotations

import json
import secrets
from enum import StrEnum
from typing import Any

from invoicer.access.principals import Principal, Role
from invoicer.errors import NotFoundError
from invoicer.line import InvoiceLine
from invoicer.review.deadlines import until
from invoicer.store import Store, utc_text

PAGE = 50
UNCODABLE = ""  # the vote that no code fits


class CaseState(StrEnum):
    """voting: experts vote, nobody sees another's vote; counted: a majority is found and the chair
    writes the ruling; closed: it has its outcome."""

    VOTING = "voting"
    COUNTED = "counted"
    CLOSED = "closed"

    @property
    def label(self) -> str:
        return {"voting": "表决中", "counted": "待出裁定", "closed": "已结案"}[self]


class Outcome(StrEnum):
    """none: still open; uncodable: no code of the table fits."""

    NONE = ""
    RULING = "ruling"
    UNCODABLE = "uncodable"

    @property
    def label(self) -> str:
        return {"": "", "ruling": "裁定", "uncodable": "无码可选"}[self]


def insert(
    store: Store,
    me: Principal,
    line: InvoiceLine,
    suggestion: dict[str, Any],
    why: str,
    deadline: str,
    item: str | None,
) -> str:
    """A new case; returns its id. suggestion: what the assistant said when it was opened."""
    ident = "pc_" + secrets.token_hex(12)
    with store.transaction() as db:
        db.execute(
            "insert into panel_cases (id, tenant, item, line, suggestion, why, opened_by,"
            " opened_at, deadline) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [ident, me.tenant, item, json.dumps(line.to_fields(), ensure_ascii=False),
             json.dumps(suggestion, ensure_ascii=False), why, me.id, utc_text(), deadline],
        )  # fmt: skip
        note(store, find(store, me.tenant, ident), me.id, "open", why)
    return ident


def find(store: Store, tenant: str, ident: str) -> dict[str, Any]:
    """A case of a tenant with the number of its votes; raises NotFoundError for no case."""
    row = store.row(f"{_SELECT} where c.id = ? and c.tenant = ?", [ident, tenant])
    if row is None:
        raise NotFoundError("没有这个案件", case=ident[:60])
    return _of_row(row)


_SELECT = """
select c.*, (select count(*) from panel_votes v where v.panel_case = c.id) as votes
from panel_cases c
"""


def search(
    store: Store, tenant: str, state: str = "", page: int = 1, due: int | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """(how many there are, one page of them): open ones by deadline, then the closed.

    due: only open ones whose deadline is over or comes within so many days.
    """
    where = """c.tenant = :tenant and (:state = '' or c.state = :state) and (:until = '' or
      (c.state <> 'closed' and date(c.deadline, '+8 hours') <= :until))"""
    values = {"tenant": tenant, "state": state, "limit": PAGE, "offset": PAGE * (page - 1),
              "until": "" if due is None else until(due)}  # fmt: skip
    total = store.row(f"select count(*) as n from panel_cases c where {where}", values)
    rows = store.rows(
        f"{_SELECT} where {where} order by c.state = 'closed', c.deadline, c.id"
        " limit :limit offset :offset",
        values,
    )
    return (total or {"n": 0})["n"], [_of_row(row) for row in rows]


def of_item(store: Store, item: str) -> str:
    """Id of the open case about a review item, or ""."""
    row = store.row("select id from panel_cases where item = ? and state <> 'closed'", [item])
    return row["id"] if row else ""


def votes(store: Store, me: Principal, case: dict[str, Any]) -> list[dict[str, Any]]:
    """The votes I may see, with names: my own while the vote is on, everybody's after it.

    Only experts see those of others at all.
    """
    rows = store.rows(
        """select v.principal, coalesce(p.name, v.principal) as name, v.at, v.code, v.why
           from panel_votes v left join principals p on p.principal = v.principal
           where v.panel_case = ? order by v.at""",
        [case["id"]],
    )
    if case["state"] != CaseState.VOTING and me.role.includes(Role.EXPERT):
        return rows
    return [row for row in rows if row["principal"] == me.id]


def history(store: Store, case: dict[str, Any]) -> list[dict[str, Any]]:
    """What happened to a case, oldest first: never what anybody voted for."""
    return store.rows(
        """select e.at, e.action, e.note, coalesce(p.name, e.actor) as name
           from panel_events e left join principals p on p.principal = e.actor
           where e.panel_case = ? order by e.id""",
        [case["id"]],
    )


def note(store: Store, case: dict[str, Any], actor: str, action: str, text: str = "") -> None:
    """Add an event, inside the transaction that makes it true."""
    store.db.execute(
        "insert into panel_events (panel_case, tenant, at, actor, action, note)"
        " values (?, ?, ?, ?, ?, ?)",
        [case["id"], case["tenant"], utc_text(), actor, action, text],
    )


def _of_row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row, "line": json.loads(row["line"]), "suggestion": json.loads(row["suggestion"]),
    }  # fmt: skip
