"""A repeated request gets the first answer, and does nothing twice."""

from __future__ import annotations

import datetime as dt
import hashlib
import zlib
from dataclasses import dataclass

from invoicer.access.principals import Principal
from invoicer.errors import InvoicerError
from invoicer.store import Store, utc_text

MAX_KEY = 200
KEPT_HOURS = 24
# Compressed bytes a principal may have kept; beyond it the oldest answers go early. A batch of
# 1,000 lines takes about 300 kB.
KEPT_BYTES = 64 << 20
# A claim older than this belongs to a request that died with its worker.
ABANDONED_SECONDS = 300


class ConflictError(InvoicerError):
    """The key was used for another request, or its first request is still running."""

    code = "idempotency_conflict"


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """location: where what was made is found, "" where nothing was."""

    status: int
    body: bytes
    location: str = ""


def claim(store: Store, principal: Principal, key: str, request: bytes) -> FirstAnswer | None:
    """The first answer to this key, or None where this request is the first and may go ahead.

    request: everything that makes two requests the same: method, path and body.
    Raises ConflictError for another request under the same key.
    """
    digest = hashlib.sha256(request).hexdigest()
    now = dt.datetime.now(dt.UTC)
    with store.transaction() as db:
        row = store.row(
            "select * from first_answers where principal = ? and idempotency_key = ?",
            [principal.id, key],
        )
        if row is not None and row["at"] >= utc_text(now - dt.timedelta(hours=KEPT_HOURS)):
            if row["request_sha256"] != digest:
                raise ConflictError("这个 Idempotency-Key 已用于另一个请求,请换一个")
            if row["status"] is not None:
                return FirstAnswer(
                    row["status"], zlib.decompress(row["body"]), row["location"] or ""
                )
            if row["at"] >= utc_text(now - dt.timedelta(seconds=ABANDONED_SECONDS)):
                raise ConflictError("同一 Idempotency-Key 的请求正在处理,请稍后重试")
        db.execute(
            "insert or replace into first_answers"
            " (tenant, principal, idempotency_key, at, request_sha256) values (?, ?, ?, ?, ?)",
            [principal.tenant, principal.id, key, utc_text(now), digest],
        )
    return None


def keep(store: Store, principal: Principal, key: str, answer: FirstAnswer) -> None:
    """Remember the answer to a claimed key."""
    with store.transaction() as db:
        db.execute(
            "update first_answers set status = ?, body = ?, location = ?"
            " where principal = ? and idempotency_key = ?",
            [answer.status, zlib.compress(answer.body, 1), answer.location, principal.id, key],
        )


def release(store: Store, principal: Principal, key: str) -> None:
    """Give up a claim whose request failed, so that it can be tried again."""
    with store.transaction() as db:
        db.execute(
            "delete from first_answers where principal = ? and idempotency_key = ?"
            " and status is null",
            [principal.id, key],
        )


def forget_old(store: Store) -> int:
    """Delete answers past their time, and the oldest of principals that keep too much; returns
    how many."""
    before = utc_text(dt.datetime.now(dt.UTC) - dt.timedelta(hours=KEPT_HOURS))
    with store.transaction() as db:
        old = db.execute("delete from first_answers where at < ?", [before]).rowcount
        large = db.execute(
            """delete from first_answers where rowid in (
                 select rowid from (
                   select rowid, sum(length(body)) over (partition by principal order by at desc)
                     as held from first_answers where body is not null)
                 where held > ?)""",
            [KEPT_BYTES],
        ).rowcount
    return int(old + large)
