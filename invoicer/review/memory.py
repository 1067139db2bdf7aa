"""What people have settled answers at once: a ruling, the tenant's decision, what holds for all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from invoicer.access.principals import Principal, Role
from invoicer.line import InvoiceLine, day_of
from invoicer.review import rulings
from invoicer.review.items import Identity, identity
from invoicer.review.rules import ReviewRules
from invoicer.review.rulings import Ruling
from invoicer.store import Store, utc_text
from knowledge_base.rates import RateTable

NOBODY = ""  # the tenant of lines that belong to none: only what holds for all answers them


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A code that people settled on. scope: tenant | all."""

    code: str
    at: str
    scope: str

    @property
    def evidence(self) -> str:
        where = "本单位" if self.scope == "tenant" else "多家单位或专家"
        return f"{where}已于 {day_of(self.at)} 人工确认"


@dataclass(frozen=True, slots=True)
class Memory:
    """What a tenant's lines are answered from, in whatever process that happens."""

    database: Path
    tenant: str = NOBODY

    def __call__(self, lines: Sequence[InvoiceLine], rates: RateTable) -> list[InvoiceLine]:
        return with_known(_store(self.database), self.tenant, lines, rates)


@cache
def _store(path: Path) -> Store:
    return Store.open(path)


def with_known(
    store: Store, tenant: str, lines: Sequence[InvoiceLine], rates: RateTable
) -> list[InvoiceLine]:
    """The lines, each with the code that people have settled on for it, where they have."""
    found = settled(store, tenant, lines, [identity(tenant, line, rates) for line in lines])
    return [
        replace(line, confirmed_code=known.code, confirmed_by=known.evidence,
                basis=known.evidence if isinstance(known, Ruling) else "") if known else line
        for line, known in zip(lines, found, strict=True)
    ]  # fmt: skip


def settled(
    store: Store, tenant: str, lines: Sequence[InvoiceLine], asked: Sequence[Identity]
) -> list[Ruling | Confirmed | None]:
    """What people have settled on for each line, where they have. asked: what each line asks.

    A ruling of the panel goes before the tenant's own decision, and that before what was promoted.
    """
    ruled = rulings.binding(store, tenant, lines)
    return [a or b for a, b in zip(ruled, _decided(store, asked), strict=True)]


def _decided(store: Store, asked: Sequence[Identity]) -> list[Confirmed | None]:
    """What was decided about each question, by its tenant or for all; the tenant's word first."""
    found = store.rows(
        """select id as asked, code, decided_at as at, 'tenant' as scope
           from review_items where id in (select value from json_each(:items))
           and state = 'decided'
           union all select question, code, at, 'all'
           from promoted where question in (select value from json_each(:questions))""",
        {
            "items": json.dumps([one.item for one in asked]),
            "questions": json.dumps([one.question for one in asked]),
        },
    )
    known = {row.pop("asked"): Confirmed(**row) for row in found}
    return [known.get(one.item) or known.get(one.question) for one in asked]


def promote(store: Store, question: str, code: str, rules: ReviewRules, by: Principal) -> None:
    """Let a decision hold for all once enough tenants agree and none differs, or an expert said
    so; inside the transaction of the decision."""
    rows = store.rows(
        "select distinct tenant, code from review_items where question = ? and state = 'decided'",
        [question],
    )
    tenants, codes = {row["tenant"] for row in rows}, {row["code"] for row in rows}
    if by.role.includes(Role.EXPERT):
        _promote(store, question, code, by, 1, f"专家 {by.name}")
    elif len(codes) > 1:
        # What an expert said stays until an expert says otherwise.
        store.db.execute("delete from promoted where question = ? and not by_expert", [question])
    elif len(tenants) >= rules.agreeing_tenants:
        _promote(store, question, code, by, 0, f"{len(tenants)} 家一致")


def _promote(
    store: Store, question: str, code: str, by: Principal, by_expert: int, why: str
) -> None:
    store.db.execute(
        "insert into promoted values (:question, :code, :at, :actor, :by_expert, :why)"
        " on conflict (question) do update set code = excluded.code, at = excluded.at,"
        " actor = excluded.actor, by_expert = excluded.by_expert, why = excluded.why"
        " where excluded.by_expert >= promoted.by_expert",
        {"question": question, "code": code, "at": utc_text(), "actor": by.id,
         "by_expert": by_expert, "why": why},
    )  # fmt: skip


def holds_for_all(store: Store, question: str) -> bool:
    """Whether the answer to a question was promoted."""
    return store.row("select 1 from promoted where question = ?", [question]) is not None
