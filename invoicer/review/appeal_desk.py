"""Answering appeals: by a reviewer, or by the panel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from invoicer.access.principals import ForbiddenError, Principal, Role
from invoicer.assistant import Assistant
from invoicer.errors import InputError
from invoicer.line import InvoiceLine, day_of
from invoicer.review import appeals, cases, inbox, rulings
from invoicer.review.appeals import AppealState
from invoicer.review.decisions import MAX_WHY
from invoicer.review.items import identity, item_of
from invoicer.review.panel import Panel
from invoicer.review.states import ReviewConflictError, Versions


class AppealDesk:
    """Acts of reviewers on the appeals of their tenant. Each is one transaction."""

    def __init__(self, panel: Panel, assistant: Callable[[], Assistant]):
        """assistant: whatever answers at the time."""
        self.panel = panel
        self.store = panel.store
        self._assistant = assistant

    def uphold(self, me: Principal, ident: str, code: str, answer: str) -> dict[str, Any]:
        """The enterprise is right: the line's code is this one from now on.

        The same code as the contested one says that it was right about the rate.
        """
        with self.store.transaction():
            appeal = self._received(me, ident, answer)
            line = InvoiceLine.from_fields(appeal["line"])
            self._not_mine(me, line)
            if code == appeal["contested_code"] and not appeal["contested_rate"]:
                raise InputError("异议成立时须改定为另一个编码", field="code")
            (ruling,) = rulings.binding(self.store, me.tenant, [line])
            if ruling is not None and code != ruling.code:
                raise ReviewConflictError(
                    f"{ruling.number} 对该行有约束力,请提交编审委员会", number=ruling.number
                )
            assistant = self._assistant()
            versions = Versions(assistant.model_version, assistant.kb_version)
            item = self._item(me.tenant, line)
            self.panel.decisions.conclude(me, item, code, answer.strip(), versions)
            appeals.close(self.store, me, appeal, AppealState.UPHELD, code, answer.strip())
            return appeals.find(self.store, me.tenant, ident)

    def reject(self, me: Principal, ident: str, answer: str) -> dict[str, Any]:
        """The contested code or rate stands, with the reason."""
        with self.store.transaction():
            appeal = self._received(me, ident, answer)
            self._not_mine(me, InvoiceLine.from_fields(appeal["line"]))
            appeals.close(self.store, me, appeal, AppealState.REJECTED, appeal["contested_code"],
                          answer.strip())  # fmt: skip
            return appeals.find(self.store, me.tenant, ident)

    def refer(self, me: Principal, ident: str, why: str) -> dict[str, Any]:
        """Bring an appeal before the panel: to the case that is open about its line, or a new one.

        The panel's deadline becomes the appeal's.
        """
        with self.store.transaction() as db:
            appeal = self._received(me, ident, why)
            line = InvoiceLine.from_fields(appeal["line"])
            item = self._find_item(me.tenant, line)
            case = cases.of_item(self.store, item) if item else ""
            if case:
                opened = cases.find(self.store, me.tenant, case)
            elif item:
                opened = self.panel.refer_item(me, item, why)
            else:
                suggestion = self._assistant().suggest(line).to_dict()
                opened = self.panel.open_line(me, line, suggestion, why)
            db.execute(
                "update appeals set state = 'referred', panel_case = ?, due_on = ? where id = ?",
                [opened["id"], day_of(opened["deadline"]).isoformat(), ident],
            )
            return appeals.find(self.store, me.tenant, ident)

    def _received(self, me: Principal, ident: str, why: str) -> dict[str, Any]:
        """An appeal that waits for an answer and may be answered by me."""
        if not me.role.includes(Role.REVIEWER):
            raise ForbiddenError("申诉由审核员答复")
        if not why.strip() or len(why) > MAX_WHY:
            raise InputError(f"请写明理由,最多 {MAX_WHY} 个字符", field="answer")
        appeal = appeals.find(self.store, me.tenant, ident)
        if appeal["state"] != AppealState.RECEIVED:
            raise ReviewConflictError(f"该申诉{AppealState(appeal['state']).label}", appeal=ident)
        if appeal["principal"] == me.id:
            raise ForbiddenError("不能答复自己提出的申诉")
        return appeal

    def _not_mine(self, me: Principal, line: InvoiceLine) -> None:
        """Raises ForbiddenError where the appeal is against my own decision."""
        item = self._find_item(me.tenant, line)
        if item and self.panel.decisions.queue.find(me.tenant, item)["decided_by"] == me.id:
            raise ForbiddenError("该行由您决定,请由他人答复或提交编审委员会")

    def _find_item(self, tenant: str, line: InvoiceLine) -> str:
        """Id of the review item that asks what the line asks, or ""."""
        item = identity(tenant, line, self._assistant().rate_table).item
        found = self.store.row("select id from review_items where id = ?", [item])
        return item if found else ""

    def _item(self, tenant: str, line: InvoiceLine) -> str:
        """The review item of a line, made where there is none; it was not drawn for measuring."""
        if found := self._find_item(tenant, line):
            return found
        assistant = self._assistant()
        who = identity(tenant, line, assistant.rate_table)
        item = item_of(tenant, line, assistant.suggest(line), who, times=0)
        inbox.add(self.store, [replace(item, sampled=False)])
        return who.item
