"""Earlier lines that a ruling would have coded differently."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from invoicer.access.principals import Principal, Role
from invoicer.line import InvoiceLine, day_of
from invoicer.review.rulings import Ruling, Scope
from invoicer.store import Store
from knowledge_base.industries import industries_of

_LINES = """
select 'decided' as source, id, tenant, line, code, decided_at as at, times, amount
from review_items where subject = :subject and state = 'decided' and code <> :code
and (:tenant is null or tenant = :tenant)
union all
select 'feedback', id, tenant, line, code, at, 1, 0
from feedback where subject = :subject and code <> :code
and (:tenant is null or tenant = :tenant)
order by at desc
"""


def affected(store: Store, ruling: Ruling, tenant: str | None = None) -> list[dict[str, Any]]:
    """Decided items and printed lines of the ruling's subject and reach with another code, the
    newest first: of one tenant, or of all.

    applies: whether the ruling is in force on the line's own date.
    """
    found = []
    asked = {"subject": ruling.subject.key, "code": ruling.code, "tenant": tenant}
    for row in store.rows(_LINES, asked):
        line = InvoiceLine.from_fields(json.loads(row["line"]))
        if not _reaches(ruling, row["tenant"], line):
            continue
        day = (line.date or day_of(row["at"])).isoformat()
        ends = ruling.ends_on.isoformat() if ruling.ends_on else "9999"
        found.append(
            {
                **row,
                "line": line.to_fields(),
                "date": day,
                "applies": ruling.effective_on.isoformat() <= day < ends,
            }
        )
    return found


def seen_by(
    store: Store, ruling: Ruling, me: Principal
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(lines of my tenant; of all other tenants, as experts may know it: code and number of lines,
    no more)."""
    found = affected(store, ruling, None if me.role.includes(Role.EXPERT) else me.tenant)
    own = [row for row in found if row["tenant"] == me.tenant]
    others = Counter(row["code"] for row in found if row["tenant"] != me.tenant)
    return own, [{"code": code, "lines": lines} for code, lines in others.most_common()]


def _reaches(ruling: Ruling, tenant: str, line: InvoiceLine) -> bool:
    if ruling.scope is Scope.TENANT and ruling.tenant != tenant:
        return False
    if ruling.industry not in ("", industries_of(line.seller_industry).section):
        return False
    return ruling.subject.fits(line)
