"""Rulings of the expert panel (编审委员会裁定): numbered, dated, in force until superseded."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from invoicer.errors import NotFoundError
from invoicer.line import InvoiceLine, today
from invoicer.review.subjects import Subject, subject_key
from invoicer.store import Store
from knowledge_base.industries import industries_of

PAGE = 50
_SELECT = """
select r.*, s.number as superseded_by, s.effective_on as ends_on
from rulings r left join rulings s on s.supersedes = r.number
"""
_VISIBLE = "(r.tenant is null or :tenant is null or r.tenant = :tenant)"


class Scope(StrEnum):
    """Whom a ruling binds: one tenant; sellers of an industry; everybody."""

    TENANT = "tenant"
    INDUSTRY = "industry"
    ALL = "all"

    @property
    def label(self) -> str:
        return {"tenant": "本单位", "industry": "行业", "all": "全部"}[self]


# The nearer the ruling, the more it weighs.
_NEARNESS = (Scope.ALL, Scope.INDUSTRY, Scope.TENANT)


@dataclass(frozen=True, slots=True)
class Ruling:
    """tenant: whom it binds, "" unless of that scope; ends_on: first day on which its successor
    is in force."""

    number: str
    scope: Scope
    tenant: str
    industry: str
    ruled_on: dt.date
    effective_on: dt.date
    ends_on: dt.date | None
    subject: Subject
    code: str
    rate_note: str
    text: str
    panel_case: str
    supersedes: str
    superseded_by: str

    @property
    def evidence(self) -> str:
        return f"依据 {self.number}({self.subject.title},{self.effective_on} 起,{self.reach})"

    @property
    def reach(self) -> str:
        """Whom it binds, in Chinese."""
        return f"{self.scope.label} {self.industry}".strip()

    def is_in_force(self, day: dt.date) -> bool:
        """From its effective date until its successor's."""
        return self.effective_on <= day and (self.ends_on is None or day < self.ends_on)

    def binds(self, line: InvoiceLine, day: dt.date) -> bool:
        """Whether it decides a line of its name and tenant."""
        return (
            self.is_in_force(day)
            and self.subject.fits(line)
            and self.industry in ("", industries_of(line.seller_industry).section)
        )

    @property
    def weight(self) -> tuple[int, int]:
        """Which of several comes first: the nearer one, of those the more detailed."""
        return _NEARNESS.index(self.scope), self.subject.detail

    def to_dict(self) -> dict[str, Any]:
        """All that is published of it."""
        return {
            "number": self.number,
            "ruled_on": self.ruled_on.isoformat(),
            "effective_on": self.effective_on.isoformat(),
            "ends_on": self.ends_on.isoformat() if self.ends_on else "",
            "scope": self.scope.value,
            "industry": self.industry,
            "name": self.subject.name,
            "spec": self.subject.spec,
            "unit": self.subject.unit,
            "code": self.code,
            "rate_note": self.rate_note,
            "text": self.text,
            "supersedes": self.supersedes,
            "superseded_by": self.superseded_by,
        }


def find(store: Store, tenant: str | None, number: str) -> Ruling:
    """A ruling that a tenant may see, any for None; raises NotFoundError where there is none."""
    row = store.row(
        f"{_SELECT} where r.number = :number and {_VISIBLE}", {"number": number, "tenant": tenant}
    )
    if row is None:
        raise NotFoundError("没有这个裁定", number=number[:40])
    return _ruling(row)


def search(
    store: Store,
    tenant: str | None,
    text: str = "",
    *,
    code: str = "",
    on: dt.date | None = None,
    page: int = 1,
) -> tuple[int, list[Ruling]]:
    """(how many, one page of them, the newest first) of the rulings a tenant may see.

    text: part of the name, the text or the number; code: its first digits; on: in force that day.
    """
    where = f"""{_VISIBLE}
      and (:text = '' or instr(r.name, :text) or instr(r.text, :text) or instr(r.number, :text)
           or instr(r.subject, :key))
      and (:code = '' or instr(r.code, :code) = 1)
      and (:day = '' or (r.effective_on <= :day and coalesce(s.effective_on, '9999') > :day))"""
    values = {
        "tenant": tenant, "text": text.strip(), "key": subject_key(text) or text, "code": code,
        "day": on.isoformat() if on else "", "limit": PAGE, "offset": PAGE * (page - 1),
    }  # fmt: skip
    total = store.row(
        "select count(*) as n from rulings r left join rulings s on s.supersedes = r.number"
        f" where {where}",
        values,
    )
    rows = store.rows(
        f"{_SELECT} where {where} order by r.ruled_on desc, r.number desc"
        " limit :limit offset :offset",
        values,
    )
    return (total or {"n": 0})["n"], [_ruling(row) for row in rows]


def similar(store: Store, tenant: str, name: str, limit: int = 5) -> list[Ruling]:
    """Rulings about names most like this one."""
    # Loaded when a case is looked at.
    from rapidfuzz import fuzz, process

    rows = store.rows(f"select number, subject from rulings r where {_VISIBLE}", {"tenant": tenant})
    hits = process.extract(
        subject_key(name), {row["number"]: row["subject"] for row in rows},
        scorer=fuzz.ratio, score_cutoff=50, limit=limit,
    )  # fmt: skip
    return [find(store, tenant, number) for _, _, number in hits]


def binding(store: Store, tenant: str, lines: Sequence[InvoiceLine]) -> list[Ruling | None]:
    """The ruling that decides each line on its date, or None. One query for all of them."""
    keys = [subject_key(line.name) for line in lines]
    by_key: dict[str, list[Ruling]] = defaultdict(list)
    for ruling in of_subjects(store, tenant, keys):
        by_key[ruling.subject.key].append(ruling)
    if not by_key:
        return [None] * len(lines)
    now = today()
    return [
        max(
            (r for r in by_key.get(key, ()) if r.binds(line, line.date or now)),
            key=lambda ruling: ruling.weight,
            default=None,
        )
        for key, line in zip(keys, lines, strict=True)
    ]


def of_subjects(store: Store, tenant: str, keys: Sequence[str]) -> list[Ruling]:
    """Rulings about names, given by their keys, that may bind a tenant."""
    rows = store.rows(
        f"{_SELECT} where r.subject in (select value from json_each(:keys))"
        " and (r.tenant is null or r.tenant = :tenant)",
        {"keys": json.dumps(keys), "tenant": tenant},
    )
    return [_ruling(row) for row in rows]


def _ruling(row: dict[str, Any]) -> Ruling:
    return Ruling(
        number=row["number"],
        scope=Scope(row["scope"]),
        tenant=row["tenant"] or "",
        industry=row["industry"],
        ruled_on=dt.date.fromisoformat(row["ruled_on"]),
        effective_on=dt.date.fromisoformat(row["effective_on"]),
        ends_on=dt.date.fromisoformat(row["ends_on"]) if row["ends_on"] else None,
        subject=Subject(row["name"], row["spec"], row["unit"]),
        code=row["code"],
        rate_note=row["rate_note"],
        text=row["text"],
        panel_case=row["panel_case"],
        supersedes=row["supersedes"] or "",
        superseded_by=row["superseded_by"] or "",
    )
