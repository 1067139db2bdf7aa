"""Deadlines of cases and appeals: what is due soon, and telling webhooks of it, once each."""

from __future__ import annotations

import datetime as dt

from invoicer.line import day_of, today
from invoicer.review import webhooks
from invoicer.store import Store

SOON_DAYS = 3
_CHINA = "+8 hours"
# Open ones by the last day of their deadline in China: (table, day, name of the id, open).
_DEADLINES = {
    "panel": ("panel_cases", f"date(deadline, '{_CHINA}')", "case_id", "state <> 'closed'"),
    "appeal": ("appeals", "due_on", "appeal_id", "closed_at is null"),
}


def until(days: int) -> str:
    """The last day that is looked at: 0 for what is overdue or due today."""
    return (today() + dt.timedelta(days=days)).isoformat()


def days_left(deadline: str) -> int:
    """Days from today until a deadline, a day or a moment as it is kept; negative when it is
    over."""
    day = day_of(deadline) if "T" in deadline else dt.date.fromisoformat(deadline)
    return (day - today()).days


def remind(store: Store, days: int = SOON_DAYS) -> int:
    """Tell the webhooks of each open case and appeal that is due within so many days; returns how
    many. Each deadline is told once; a new one again."""
    told = 0
    with store.transaction() as db:
        for kind, (table, day, id_name, is_open) in _DEADLINES.items():
            rows = store.rows(
                f"select id, tenant, {day} as day from {table}"
                f" where {is_open} and {day} <= ? and reminded <> {day}",
                [until(days)],
            )
            for row in rows:
                db.execute(f"update {table} set reminded = ? where id = ?", [row["day"], row["id"]])
                webhooks.enqueue(store, row, f"{kind}.due", "", f"期限 {row['day']}", id_name)
            told += len(rows)
    return told
