"""The expert panel (编审委员会): opening a case, voting blind, counting, ruling."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from invoicer.access import audit
from invoicer.access.principals import ForbiddenError, Principal, Role
from invoicer.errors import InputError
from invoicer.line import InvoiceLine
from invoicer.review import appeals, cases
from invoicer.review.cases import UNCODABLE, CaseState, Outcome
from invoicer.review.decisions import MAX_WHY, Decisions
from invoicer.review.issuing import Draft, issue
from invoicer.review.rulings import Ruling
from invoicer.review.states import ReviewConflictError, State, Versions
from invoicer.review.subjects import Subject
from invoicer.store import utc_text


class Panel:
    """Acts of experts and their chair on the cases of their tenant. Each is one transaction."""

    def __init__(self, decisions: Decisions):
        self.decisions = decisions
        self.store = decisions.store
        self.rules = decisions.queue.rules

    def open_item(self, me: Principal, ident: str, why: str) -> dict[str, Any]:
        """A case about a review item: reviewers bring what is disputed, experts anything."""
        with self.store.transaction():
            item = self.decisions.queue.find(me.tenant, ident)
            if item["state"] != State.DISPUTED and not me.role.includes(Role.EXPERT):
                raise ForbiddenError("没有争议的项由专家提交编审委员会")
            return self.refer_item(me, ident, why)

    def refer_item(self, me: Principal, ident: str, why: str) -> dict[str, Any]:
        """A case about a review item that an appeal or a dispute brings here."""
        with self.store.transaction():
            item = self.decisions.queue.find(me.tenant, ident)
            if case := cases.of_item(self.store, ident):
                raise ReviewConflictError("该项已提交编审委员会", item=ident, case=case)
            self.decisions.refer(me, ident, why[:MAX_WHY])
            line = InvoiceLine.from_fields(item["line"])
            return self._open(me, line, item["suggestion"], why, ident)

    def open_line(
        self, me: Principal, line: InvoiceLine, suggestion: dict[str, Any], why: str
    ) -> dict[str, Any]:
        """A case about a line that no review item stands for."""
        return self._open(me, line, suggestion, why, None)

    def vote(self, me: Principal, ident: str, code: str, why: str) -> dict[str, Any]:
        """My vote, or another one in its place; UNCODABLE says that no code fits.

        With quorum and majority reached the vote is closed.
        """
        if not me.role.includes(Role.EXPERT):
            raise ForbiddenError("由专家表决")
        if not why.strip() or len(why) > MAX_WHY:
            raise InputError(f"请写明理由,最多 {MAX_WHY} 个字符", field="why")
        with self.store.transaction() as db:
            case = self._in(me, ident, CaseState.VOTING)
            if code != UNCODABLE:
                self._check(code, case["line"].get("date", ""))
            db.execute(
                "insert into panel_votes values (?, ?, ?, ?, ?, ?)"
                " on conflict (panel_case, principal) do update set"
                " at = excluded.at, code = excluded.code, why = excluded.why",
                [ident, me.tenant, me.id, utc_text(), code, why.strip()],
            )
            cases.note(self.store, case, me.id, "vote")
            self._count(me, case)
            return cases.find(self.store, me.tenant, ident)

    def count(self, me: Principal, ident: str, why: str = "") -> dict[str, Any]:
        """The chair's count at the deadline. Without quorum or majority the case stays open, with
        the reason and a new deadline, and its votes stay secret."""
        self._chair(me)
        with self.store.transaction() as db:
            case = self._in(me, ident, CaseState.VOTING)
            if case["deadline"] > utc_text():
                raise ReviewConflictError("表决期限未到", deadline=case["deadline"])
            if not self._count(me, case):
                short = case["votes"] < self.rules.panel_quorum
                note = "未达法定人数" if short else "未形成多数意见"
                note += f":{why.strip()[:MAX_WHY]}" if why.strip() else ""
                db.execute("update panel_cases set note = ?, deadline = ? where id = ?",
                           [note, self._deadline(), ident])  # fmt: skip
                cases.note(self.store, case, me.id, "no_majority", note)
            return cases.find(self.store, me.tenant, ident)

    def rule(
        self,
        me: Principal,
        ident: str,
        draft: Draft,
        versions: Versions,
        upholds: bool | None = None,
    ) -> Ruling:
        """The chair writes the ruling that the majority has voted for; it binds at once.

        upholds: whether the appeals behind the case were right, where the code does not say it.
        """
        self._chair(me)
        with self.store.transaction():
            case = self._in(me, ident, CaseState.COUNTED)
            self._check(case["code"], draft.effective_on.isoformat())
            line = case["line"]
            subject = Subject(
                line["name"],
                line.get("spec", "") if draft.with_spec else "",
                line.get("unit", "") if draft.with_unit else "",
            )
            ruling = issue(self.store, me.tenant, subject, case["code"], draft, ident)
            audit.record(self.store, me.tenant, me.id, "ruling.issue", ruling.number, case=ident,
                         scope=ruling.reach)  # fmt: skip
            why = f"{ruling.evidence}:{ruling.text}"
            self._close(me, case, Outcome.RULING, ruling.number, why, versions, upholds)
            return ruling

    def _open(
        self,
        me: Principal,
        line: InvoiceLine,
        suggestion: dict[str, Any],
        why: str,
        item: str | None,
    ) -> dict[str, Any]:
        if not why.strip() or len(why) > MAX_WHY:
            raise InputError(f"请写明提交的理由,最多 {MAX_WHY} 个字符", field="why")
        ident = cases.insert(self.store, me, line, suggestion, why.strip(), self._deadline(), item)
        return cases.find(self.store, me.tenant, ident)

    def _count(self, me: Principal, case: dict[str, Any]) -> bool:
        """Close the vote where enough have voted and more than the majority agrees."""
        votes = self.store.rows("select code from panel_votes where panel_case = ?", [case["id"]])
        if len(votes) < self.rules.panel_quorum:
            return False
        ((code, most),) = Counter(vote["code"] for vote in votes).most_common(1)
        if most <= self.rules.panel_majority * len(votes):
            return False
        self.store.db.execute("update panel_cases set state = ?, code = ?, note = '' where id = ?",
                              [CaseState.COUNTED.value, code, case["id"]])  # fmt: skip
        cases.note(self.store, case, me.id, "counted", f"{len(votes)} 票中 {most} 票一致")
        if code == UNCODABLE:
            why = "编审委员会认为编码表中没有适合的编码"
            self._close(me, case, Outcome.UNCODABLE, "", why, Versions())
        return True

    def _close(
        self,
        me: Principal,
        case: dict[str, Any],
        outcome: Outcome,
        number: str,
        why: str,
        versions: Versions,
        upholds: bool | None = None,
    ) -> None:
        """End a case, and with it the item and the appeals that wait for it."""
        self.store.db.execute(
            "update panel_cases set state = 'closed', outcome = ?, ruling = ?, closed_at = ?"
            " where id = ?",
            [outcome.value, number, utc_text(), case["id"]],
        )
        cases.note(self.store, case, me.id, "close", number or outcome.label)
        code = case["code"] if outcome is Outcome.RULING else UNCODABLE
        if case["item"]:
            self.decisions.conclude(me, case["item"], code, why, versions)
        appeals.close_with_case(self.store, me, case["id"], code, number, why, upholds)

    def _in(self, me: Principal, ident: str, state: CaseState) -> dict[str, Any]:
        case = cases.find(self.store, me.tenant, ident)
        if case["state"] != state:
            raise ReviewConflictError(f"该案件{CaseState(case['state']).label}", case=ident)
        return case

    def _chair(self, me: Principal) -> None:
        if not me.role.includes(Role.ADMIN):
            raise ForbiddenError("由主任委员(管理员)结案")

    def _check(self, code: str, day: str) -> None:
        self.decisions.check(code, day)

    def _deadline(self) -> str:
        return utc_text(dt.datetime.now(dt.UTC) + dt.timedelta(days=self.rules.panel_days))
