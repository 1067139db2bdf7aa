"""Tenants: whose data it is. Every row that belongs to one carries its name."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from pathlib import Path
from typing import Any

from invoicer.access import audit
from invoicer.errors import InputError
from invoicer.jobs import files
from invoicer.review import attachments
from invoicer.store import Store, utc_text

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
# The audit outlives the data it is about; it holds no product names.
KEPT = ("tenants", "audit")
# Secrets stay in the house even when a tenant takes its data along.
SECRETS = {"keys": ("sha256",), "users": ("password_hash",), "webhooks": ("secret",),
           "sessions": ("sha256",)}  # fmt: skip
# What ages, by the column that says how old it is; cases and appeals from when they are closed.
AGEING = {
    "feedback": "at", "first_answers": "at", "review_items": "last_seen", "jobs": "created_at",
    "appeals": "closed_at", "panel_cases": "closed_at",
}  # fmt: skip
# What is nobody's business yet: votes of experts before they are counted.
SEALED = {"panel_votes": "panel_case in (select id from panel_cases where state = 'voting')"}


def create(store: Store, tenant: str, name: str = "", retention_days: int | None = None) -> None:
    """A new tenant; raises InputError for a bad or taken name."""
    if not _NAME.fullmatch(tenant):
        raise InputError(f"租户“{tenant[:60]}”只能用小写字母、数字和连字符,最多 40 个字符")
    if retention_days is not None and retention_days < 1:
        raise InputError("保存天数至少为 1")
    with store.transaction() as db:
        if store.row("select 1 from tenants where tenant = ?", [tenant]):
            raise InputError(f"租户“{tenant}”已存在(或曾被清除),请换一个名称")
        db.execute(
            "insert into tenants (tenant, name, created_at, retention_days) values (?, ?, ?, ?)",
            [tenant, name or tenant, utc_text(), retention_days],
        )
        audit.record(store, tenant, audit.OPERATOR, "tenant.create", tenant,
                     retention_days=retention_days)  # fmt: skip


def require(store: Store, tenant: str) -> dict[str, Any]:
    """The tenant's row; raises InputError where there is none."""
    row = store.row("select * from tenants where tenant = ? and erased_at is null", [tenant])
    if row is None:
        raise InputError(f"没有租户“{tenant}”,请先运行 invoicer tenants create {tenant}")
    return row


def tenants(store: Store) -> list[dict[str, Any]]:
    """All tenants with the number of their keys."""
    return store.rows(
        """select t.*, (select count(*) from principals p where p.tenant = t.tenant
                        and p.kind = 'key' and p.disabled_at is null) as keys
           from tenants t order by tenant"""
    )


def owned_tables(store: Store) -> list[str]:
    """Tables whose rows belong to a tenant, found by their column."""
    names = store.db.table_names()
    return [n for n in names if "tenant" in {c.name for c in store.db.table(n).columns}]


def export(store: Store, tenant: str, target: Path) -> int:
    """All rows of a tenant as JSONL `{"table": …, "row": …}`, without secrets and sealed votes, the
    content of files as base64; returns how many."""
    require(store, tenant)
    part = target.with_name(f".{target.name}.part")
    count = 0
    try:
        with part.open("w", encoding="utf-8") as file:
            os.chmod(part, 0o600)
            for table in owned_tables(store):
                where = f"tenant = ? and not ({SEALED.get(table, 'false')})"
                for row in store.rows(f"select * from [{table}] where {where}", [tenant]):
                    if table == "appeal_files":
                        row["content"] = attachments.content(row["id"])
                    for secret in SECRETS.get(table, ()):
                        del row[secret]
                    file.write(json.dumps({"table": table, "row": row}, ensure_ascii=False) + "\n")
                    count += 1
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    audit.record(store, tenant, audit.OPERATOR, "tenant.export", tenant, rows=count)
    return count


def erase(store: Store, tenant: str) -> int:
    """Delete everything of a tenant but its audit, files too; its name is never given again."""
    require(store, tenant)
    count = 0
    with store.transaction() as db:
        # First, for what may otherwise never be deleted goes with its tenant.
        db.execute("update tenants set name = '', erased_at = ? where tenant = ?",
                   [utc_text(), tenant])  # fmt: skip
        _remove_files(store, "tenant = ?", [tenant])
        attachments.remove(store, "a.tenant = ?", [tenant])
        for table in _children_first(store):
            if table not in KEPT:
                cursor = db.execute(f"delete from [{table}] where tenant = ?", [tenant])
                count += cursor.rowcount
        audit.record(store, tenant, audit.OPERATOR, "tenant.erase", tenant, rows=count)
    return count


def retain(store: Store, now: dt.datetime | None = None) -> int:
    """Delete what is older than each tenant's retention time, files too; returns how many rows
    went."""
    now = now or dt.datetime.now(dt.UTC)
    count = 0
    for row in store.rows("select * from tenants where retention_days is not null"):
        before = utc_text(now - dt.timedelta(days=row["retention_days"]))
        with store.transaction() as db:
            _remove_files(store, "tenant = ? and created_at < ?", [row["tenant"], before])
            attachments.remove(store, "a.tenant = ? and a.closed_at < ?", [row["tenant"], before])
            for table, column in AGEING.items():
                cursor = db.execute(
                    f"delete from [{table}] where tenant = ? and [{column}] < ?",
                    [row["tenant"], before],
                )
                count += cursor.rowcount
    return count


def _remove_files(store: Store, where: str, values: list[str]) -> None:
    """Delete the files of jobs. Before their rows: cut off in between, the rows are still there
    to say what is left to do."""
    for row in store.rows(f"select id from jobs where {where}", values):
        files.remove(row["id"])


def _children_first(store: Store) -> list[str]:
    """Owned tables, those that point at others before those they point at."""
    waiting = {
        table: {k.other_table for k in store.db.table(table).foreign_keys} - {table}
        for table in owned_tables(store)
    }
    ordered: list[str] = []
    while waiting:
        free = [t for t in waiting if not any(t in others for others in waiting.values())]
        ordered.extend(free)
        for table in free:
            del waiting[table]
    return ordered
