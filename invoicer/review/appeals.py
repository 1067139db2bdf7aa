"""Appeals (异议申诉): an enterprise contests a code or a rate; what was said, where it stands."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from invoicer.access.principals import Principal
from invoicer.errors import InputError, NotFoundError
from invoicer.line import InvoiceLine, today
from invoicer.review import webhooks
from invoicer.review.deadlines import until
from invoicer.review.states import ReviewConflictError
from invoicer.store import Store, utc_text

MAX_REASON = 4_000
PAGE = 50


class AppealState(StrEnum):
    """received: waits for a reviewer; referred: before the panel; upheld, rejected: closed."""

    RECEIVED = "received"
    REFERRED = "referred"
    UPHELD = "upheld"
    REJECTED = "rejected"

    @property
    def label(self) -> str:
        return {
            "received": "待答复", "referred": "已提交编审委员会", "upheld": "异议成立",
            "rejected": "维持原判",
        }[self]  # fmt: skip


CLOSED = (AppealState.UPHELD, AppealState.REJECTED)


@dataclass(frozen=True, slots=True)
class Contested:
    """What an enterprise does not accept, and what it holds to be right.

    rate: the contested one, "" where only the code is; rates as they were answered: 0.13, 免税.
    """

    code: str
    rate: str = ""
    wanted_code: str = ""
    wanted_rate: str = ""


def insert(
    store: Store, caller: Principal, line: InvoiceLine, contested: Contested, reason: str, days: int
) -> dict[str, Any]:
    """A new appeal, to be answered within so many days."""
    if not contested.code:
        raise InputError("请写明有异议的编码", field="contested_code")
    if not reason.strip() or len(reason) > MAX_REASON:
        raise InputError(f"请写明理由,最多 {MAX_REASON} 个字符", field="reason")
    ident = "ap_" + secrets.token_hex(16)
    with store.transaction() as db:
        db.execute(
            "insert into appeals (id, tenant, principal, line, contested_code, contested_rate,"
            " wanted_code, wanted_rate, reason, created_at, due_on)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [ident, caller.tenant, caller.id, json.dumps(line.to_fields(), ensure_ascii=False),
             contested.code, contested.rate, contested.wanted_code, contested.wanted_rate,
             reason.strip(), utc_text(), (today() + dt.timedelta(days=days)).isoformat()],
        )  # fmt: skip
    return find(store, caller.tenant, ident)


def find(store: Store, tenant: str, ident: str) -> dict[str, Any]:
    """An appeal of a tenant; raises NotFoundError where there is none."""
    row = store.row("select * from appeals where id = ? and tenant = ?", [ident, tenant])
    if row is None:
        raise NotFoundError("没有这个申诉", appeal=ident[:60])
    return _of_row(row)


def open_for_files(store: Store, tenant: str, ident: str) -> dict[str, Any]:
    """An appeal that may still be supported by files."""
    appeal = find(store, tenant, ident)
    if appeal["state"] in CLOSED:
        raise ReviewConflictError("该申诉已办结,不能再补充附件", appeal=ident)
    return appeal


def search(
    store: Store, tenant: str, state: str = "", page: int = 1, due: int | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """(how many there are, one page of them): open ones by their deadline, then the closed.

    due: only open ones whose deadline is over or comes within so many days.
    """
    where = """tenant = :tenant and (:state = '' or state = :state)
      and (:until = '' or (closed_at is null and due_on <= :until))"""
    values = {"tenant": tenant, "state": state, "limit": PAGE, "offset": PAGE * (page - 1),
              "until": "" if due is None else until(due)}  # fmt: skip
    total = store.row(f"select count(*) as n from appeals where {where}", values)
    rows = store.rows(
        f"select * from appeals where {where} order by closed_at is not null, due_on, id"
        " limit :limit offset :offset",
        values,
    )
    return (total or {"n": 0})["n"], [_of_row(row) for row in rows]


def of_case(store: Store, case: str) -> list[dict[str, Any]]:
    """Appeals that a case of the panel is to answer."""
    rows = store.rows("select * from appeals where panel_case = ? order by created_at", [case])
    return [_of_row(row) for row in rows]


def close_with_case(
    store: Store, by: Principal, case: str, code: str, ruling: str, why: str, upholds: bool | None
) -> None:
    """What a case of the panel answers to its appeals; an empty code: none fits.

    upholds: whether they were right; None where another code than the contested one says so.
    Raises InputError where that does not say it: the rate is contested and the code stays.
    """
    for appeal in of_case(store, case):
        changed = code != appeal["contested_code"]
        if upholds is None and appeal["contested_rate"] and not changed:
            raise InputError("申诉争议的是税率,请注明是否成立", field="upholds")
        upheld = changed if upholds is None else upholds
        state = AppealState.UPHELD if upheld else AppealState.REJECTED
        close(store, by, appeal, state, code, why, ruling)


def close(
    store: Store,
    by: Principal,
    appeal: dict[str, Any],
    state: AppealState,
    code: str,
    answer: str,
    ruling: str = "",
) -> None:
    """Answer an appeal for good and tell the enterprise."""
    store.db.execute(
        "update appeals set state = ?, code = ?, answer = ?, answered_by = ?, ruling = ?,"
        " closed_at = ? where id = ?",
        [state.value, code, answer, by.id, ruling, utc_text(), appeal["id"]],
    )
    webhooks.enqueue(store, appeal, f"appeal.{state.value}", code, answer, "appeal_id")


def _of_row(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "line": json.loads(row["line"])}
