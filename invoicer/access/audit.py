"""The record of administrative acts: who did what to whom, and when. Rows are only ever added."""

from __future__ import annotations

import json
from typing import Any

from invoicer.store import Store, utc_text

OPERATOR = "operator"  # whoever has the command line on the machine itself


def record(store: Store, tenant: str, actor: str, action: str, subject: str, **detail: Any) -> None:
    """Add one act; inside a transaction it stands or falls with it."""
    with store.transaction() as db:
        db.execute(
            "insert into audit (at, tenant, actor, action, subject, detail)"
            " values (?, ?, ?, ?, ?, ?)",
            [utc_text(), tenant, actor, action, subject, json.dumps(detail, ensure_ascii=False)],
        )


def acts(store: Store, tenant: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """The newest acts, of one tenant or of all."""
    return store.rows(
        "select * from audit where :tenant is null or tenant = :tenant"
        " order by id desc limit :limit",
        {"tenant": tenant, "limit": limit},
    )
