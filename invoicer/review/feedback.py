"""What billers finally printed: evidence for reviewers, never a label by itself."""

from __future__ import annotations

import json
import secrets

from invoicer.access.principals import Principal
from invoicer.line import InvoiceLine
from invoicer.review.subjects import subject_key
from invoicer.store import Store, utc_text


def record(
    store: Store,
    principal: Principal,
    line: InvoiceLine,
    *,
    code: str,
    short_name: str = "",
    rate: str = "",
    review_id: str = "",
) -> str:
    """Keep what was printed for a line; returns the id of the record."""
    ident = "fb_" + secrets.token_hex(16)
    with store.transaction() as db:
        db.execute(
            "insert into feedback (id, tenant, principal, at, review_id, line, code, short_name,"
            " rate, subject) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [ident, principal.tenant, principal.id, utc_text(), review_id,
             json.dumps(line.to_fields(), ensure_ascii=False), code, short_name, rate,
             subject_key(line.name)],
        )  # fmt: skip
    return ident
