"""Issuing a ruling: what the chair writes, checked, numbered and kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from invoicer.errors import InputError
from invoicer.line import FIRST_DAY, InvoiceLine, today
from invoicer.review.rulings import Ruling, Scope, find, of_subjects
from invoicer.review.subjects import Subject
from invoicer.store import Store

MAX_TEXT = 4_000
MAX_NOTE = 200
SECTIONS = "ABCDEFGHIJKLMNOPQRST"  # GB/T 4754


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
            for one in of_subjects(store, tenant, [subject.key])
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
