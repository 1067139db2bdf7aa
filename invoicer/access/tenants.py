"""Tenants: whose data it is. Every row that belongs to one carries its name."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from invoicer.access import audit
from invoicer.errors import InputError
from invoicer.jobs import files
from invoicer.review import attachments
from invoicer.store import Store, utc_text

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
MAX_DAYS = 36_500
# The audit outlives the data it is about; it holds no product names.
KEPT = ("tenants", "audit")
# Secrets stay in the house even when a tenant takes its data along. By name, so that a new table
# is covered before anybody thinks of it.
_SECRET = re.compile("sha256|hash|secret|token|password")
# What ages, by the column that says how old it is; cases and appeals from when they are closed.
AGEING = {
    "feedback": "at", "first_answers": "at", "review_items": "last_seen", "jobs": "created_at",
    "deliveries": "created_at", "appeals": "closed_at", "panel_cases": "closed_at",
    "proposals": "answered_at", "recode_handovers": "at",
}  # fmt: skip
# What is nobody's business yet: votes of experts before they are counted.
SEALED = {"panel_votes": "panel_case in (select id from panel_cases where state = 'voting')"}


def create(store: Store, tenant: str, name: str = "", retention_days: int | None = None) -> None:
    """A new tenant; raises InputError for a bad or taken name."""
    if not _NAME.fullmatch(tenant):
        raise InputError(f"租户“{tenant[:60]}”只能用小写字母、数字和连字符,最多 40 个字符")
    if retention_days is not None and not 1 <= retention_days <= MAX_DAYS:
        raise InputError(f"保存天数应在 1 到 {MAX_DAYS} 之间")
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
    content of files as base64, files of jobs in pieces; returns how many."""
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
                    shown = {name: row[name] for name in row if not _SECRET.search(name)}
                    file.write(_json({"table": table, "row": shown}) + "\n")
                    count += 1
            for row in _job_files(store, tenant):
                file.write(_json({"table": "job_files", "row": row}) + "\n")
                count += 1
        os.replace(part, target)
    except OSError as error:
        raise InputError(f"无法写入 {target}:{error.strerror}", file=str(target)) from error
    finally:
        part.unlink(missing_ok=True)
    audit.record(store, tenant, audit.OPERATOR, "tenant.export", tenant, rows=count)
    return count


def _job_files(store: Store, tenant: str) -> Iterator[dict[str, Any]]:
    """The files of a tenant's jobs, in pieces: they may be larger than the memory."""
    for job in store.rows("select id from jobs where tenant = ?", [tenant]):
        for path in files.handed_out(job["id"]):
            for part, content in enumerate(files.blocks(path)):
                yield {"tenant": tenant, "job": job["id"], "name": path.name, "part": part,
                       "content": content}  # fmt: skip


def erase(store: Store, tenant: str) -> int:
    """Delete everything of a tenant but its audit, files too; its name is never given again."""
    require(store, tenant)
    with store.transaction() as db:
        # First the mark: a history may only be deleted with its tenant.
        db.execute("update tenants set name = '', erased_at = ? where tenant = ?",
                   [utc_text(), tenant])  # fmt: skip
        count = _delete_all(store, tenant)
        db.execute("delete from previews")  # they name products of all tenants, and can be redone
        audit.record(store, tenant, audit.OPERATOR, "tenant.erase", tenant, rows=count)
    # The log still holds what was written before; this moves it into the file and empties it.
    store.rows("pragma wal_checkpoint(truncate)")
    return count


def _delete_all(store: Store, tenant: str) -> int:
    """Delete the rows of a tenant in every table that is not kept, and the files of its jobs and
    appeals."""
    with store.transaction() as db:
        _remove_files(store, "tenant = ?", [tenant])
        attachments.remove(store, "a.tenant = ?", [tenant])
        # Tables point at one another; only what is left in the end must fit together.
        db.execute("pragma defer_foreign_keys=on")
        return sum(
            db.execute(f"delete from [{table}] where tenant = ?", [tenant]).rowcount
            for table in owned_tables(store)
            if table not in KEPT
        )


def retain(store: Store, now: dt.datetime | None = None) -> int:
    """Delete what is older than each tenant's retention time, files too, and what requests that
    were running when their tenant was erased wrote after it; returns how many rows went."""
    now = now or dt.datetime.now(dt.UTC)
    erased = store.rows("select tenant from tenants where erased_at is not null")
    count = sum(_delete_all(store, row["tenant"]) for row in erased)
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


def _json(row: dict[str, Any]) -> str:
    """A row as JSON; bytes as base64."""
    return json.dumps(row, ensure_ascii=False, default=lambda b: base64.b64encode(b).decode())


def _remove_files(store: Store, where: str, values: list[str]) -> None:
    """Delete the files of jobs. Before their rows: cut off in between, the rows are still there
    to say what is left to do."""
    for row in store.rows(f"select id from jobs where {where}", values):
        files.remove(row["id"])
