"""What people decided, as it is learned from."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass

from invoicer.line import InvoiceLine
from invoicer.store import Store

HELD_OUT_PERCENT = 10


@dataclass(frozen=True, slots=True)
class Decision:
    """A reviewer's code for one question of one tenant.

    by, at: whose decision, and when; votes: people who judged it independently; promoted: the
    code holds for all tenants; learned_in: the model that has learned from it.
    """

    item: str
    tenant: str
    question: str
    line: InvoiceLine
    code: str
    by: str
    at: str
    votes: int = 1
    promoted: bool = False
    learned_in: str = ""


def decisions(store: Store) -> list[Decision]:
    """Every decided item of every tenant, oldest first; what callers report is not among them."""
    rows = store.rows(
        """select i.id, i.tenant, i.question, i.line, i.code, i.decided_by, i.decided_at,
                  i.learned_in, p.code is not null as promoted,
                  (select count(*) from review_votes v where v.item = i.id) as votes
           from review_items i left join promoted p on p.question = i.question and p.code = i.code
           where i.state = 'decided' order by i.decided_at, i.id"""
    )
    return [
        Decision(
            item=row["id"],
            tenant=row["tenant"],
            question=row["question"],
            line=InvoiceLine.from_fields(json.loads(row["line"])),
            code=row["code"],
            by=row["decided_by"],
            at=row["decided_at"],
            votes=row["votes"],
            promoted=bool(row["promoted"]),
            learned_in=row["learned_in"] or "",
        )
        for row in rows
    ]


def waiting(store: Store) -> int:
    """Decisions since the last training."""
    row = store.row(
        """select count(*) as n from review_items where state = 'decided'
           and decided_at > coalesce((select max(at) from trainings), '')"""
    )
    return int(row["n"]) if row else 0


def is_held_out(core: str) -> bool:
    """Whether decisions about this product only measure, and are never learned from."""
    return zlib.crc32(f"held out:{core}".encode()) % 100 < HELD_OUT_PERCENT
