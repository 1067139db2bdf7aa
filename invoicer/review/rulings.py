"""Rulings of the expert panel (编审委员会裁定): numbered, dated, in force until superseded."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from invoicer.errors import InputError
from invoicer.line import FIRST_DAY, InvoiceLine, today
from invoicer.review.states import NoSuchItemError
from invoicer.review.subjects import Subject, subject_key
from invoicer.store import Store
from knowledge_base.industries import industries_of

MAX_TEXT = 4_000
MAX_NOTE = 200
PAGE = 50
SECTIONS = "ABCDEFGHIJKLMNOPQRST"  # GB/T 4754
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
class Draft:
    """What the chair writes when a case is closed.

    industry: section letter of GB/T 4754, only with that scope; with_spec, with_unit: whether it
    holds only for the case's specification and unit; supersedes: number of the ruling it ends.
    """

    text: str
    scope: Scope = Scope.TENANT
    effective_on: dt.date = field(default_factory=today)
    industry: str = ""
    with_spec: bool = False
    with_unit: bool = False
    rate_note: str = ""
    supersedes: str = ""

    def check(self) -> None:
        """Raises InputError for the field that is wrong."""
        if not self.text.strip() or len(self.text) > MAX_TEXT:
            raise InputError(f"请写裁定正文,最多 {MAX_TEXT} 个字符", field="text")
        if len(self.rate_note) > MAX_NOTE:
            raise InputError(f"税率说明最多 {MAX_NOTE} 个字符", field="rate_note")
        if self.effective_on < FIRST_DAY:
            raise InputError(f"生效日期不能早于 {FIRST_DAY}", field="effective_on")
        if (self.scope is Scope.INDUSTRY) != bool(self.industry):
            raise InputError("适用范围为行业时,且仅此时,填写行业门类", field="industry")
        if self.industry and (len(self.industry) > 1 or self.industry not in SECTIONS):
            raise InputError("行业门类请写 GB/T 4754 的一个字母 A–T", field="industry")


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


def issue(
    store: Store, tenant: str, subject: Subject, code: str, draft: Draft, panel_case: str
) -> Ruling:
    """A new ruling under the next number of the year, inside the transaction that closes its case.

    Raises InputError where another one of the same reach decides the subject and is not named as
    superseded, or where the named one cannot be.
    """
    draft.check()
    bound = tenant if draft.scope is Scope.TENANT else None
    with store.transaction() as db:
        if draft.supersedes:
            _check_superseded(store, tenant, bound, draft)
        standing = [
            one
            for one in _of_subjects(store, tenant, [subject.key])
            if (one.scope, one.industry) == (draft.scope, draft.industry)
            and not one.superseded_by
            and one.number != draft.supersedes
            and _same(one.subject, subject)
        ]
        if standing:
            raise InputError(
                f"{standing[0].number} 已就同一名称和范围作出裁定,请注明由本裁定取代它",
                field="supersedes", number=standing[0].number,
            )  # fmt: skip
        day = today()
        number = _next_number(store, day.year)
        db.execute(
            "insert into rulings (number, tenant, scope, industry, ruled_on, effective_on, subject,"
            " name, spec, unit, code, rate_note, text, panel_case, supersedes)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [number, bound, draft.scope.value, draft.industry, day.isoformat(),
             draft.effective_on.isoformat(), subject.key, subject.name, subject.spec, subject.unit,
             code, draft.rate_note.strip(), draft.text.strip(), panel_case,
             draft.supersedes or None],
        )  # fmt: skip
        return find(store, tenant, number)


def find(store: Store, tenant: str | None, number: str) -> Ruling:
    """A ruling that a tenant may see, any for None; raises NoSuchItemError where there is none."""
    row = store.row(
        f"{_SELECT} where r.number = :number and {_VISIBLE}", {"number": number, "tenant": tenant}
    )
    if row is None:
        raise NoSuchItemError("没有这个裁定", number=number[:40])
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
    for ruling in _of_subjects(store, tenant, keys):
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


def _of_subjects(store: Store, tenant: str, keys: Sequence[str]) -> list[Ruling]:
    rows = store.rows(
        f"{_SELECT} where r.subject in (select value from json_each(:keys))"
        " and (r.tenant is null or r.tenant = :tenant)",
        {"keys": json.dumps(keys), "tenant": tenant},
    )
    return [_ruling(row) for row in rows]


def _check_superseded(store: Store, tenant: str, bound: str | None, draft: Draft) -> None:
    old = find(store, tenant, draft.supersedes)
    if old.superseded_by:
        raise InputError(f"{old.number} 已由 {old.superseded_by} 取代", field="supersedes")
    if (old.tenant, old.scope, old.industry) != (bound or "", draft.scope, draft.industry):
        raise InputError(f"{old.number} 的适用范围是{old.reach},须以相同范围取代",
                         field="supersedes")  # fmt: skip
    if draft.effective_on < old.effective_on:
        raise InputError(f"生效日期不能早于 {old.number} 的 {old.effective_on}",
                         field="effective_on")  # fmt: skip


def _next_number(store: Store, year: int) -> str:
    """Counted where a rolled back transaction gives its number back: no gap, none twice."""
    row = store.row(
        "insert into ruling_numbers values (?, 1) on conflict (year) do update set last = last + 1"
        " returning last",
        [year],
    )
    assert row is not None
    return f"裁定{year}-{row['last']:04d}"


def _same(one: Subject, other: Subject) -> bool:
    return one.fits(InvoiceLine(other.name, other.spec, other.unit)) and (
        one.detail == other.detail
    )


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
