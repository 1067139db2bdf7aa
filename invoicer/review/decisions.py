"""What people decide about an item, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from invoicer.access.principals import ForbiddenError, Principal, Role
from invoicer.errors import InputError
from invoicer.review import cases, memory, webhooks
from invoicer.review.queue import Queue
from invoicer.review.states import UNKNOWN, ReviewConflictError, State, Versions, record
from invoicer.store import utc_text

MAX_WHY = 1_000
# What the caller is told by webhook.
TOLD = (State.DECIDED, State.SENT_BACK, State.UNCODABLE)


class Decisions:
    """Acts of reviewers on the items of a queue. Each is one transaction.

    is_usable: whether a code may be printed on an invoice of the item's date.
    """

    def __init__(self, queue: Queue, is_usable: Callable[[str, str], bool]):
        self.queue = queue
        self.store = queue.store
        self._is_usable = is_usable

    def decide(
        self, me: Principal, ident: str, code: str, why: str, versions: Versions
    ) -> dict[str, Any]:
        """My vote for a code; returns the item as it stands then.

        An item that needs a second vote stays open for somebody else; two votes that differ make
        it disputed. Deciding the same again changes nothing.
        """
        with self.store.transaction() as db:
            item = self.queue.find(me.tenant, ident)
            if item["decided_by"] == me.id and item["code"] == code and item["state"] == "decided":
                return item
            item = self.queue.mine(me, ident)
            self.check(code, item["line"].get("date", ""))
            votes = self._votes(ident)
            if any(vote["principal"] == me.id for vote in votes):
                raise ReviewConflictError("您已对该项投票,请等待第二人", item=ident)
            db.execute(
                "insert into review_votes values (?, ?, ?, ?, ?, ?)",
                [ident, me.tenant, me.id, utc_text(), code, why[:MAX_WHY]],
            )
            codes = {code, *(vote["code"] for vote in votes)}
            if not votes and self.queue.rules.needs_second(ident, item["amount"]):
                self._move(item, me, "vote", State.OPEN, "", why, versions, voted=code)
            elif len(codes) > 1:
                self._move(item, me, "vote", State.DISPUTED, "", why, versions, voted=code)
            else:
                self._move(item, me, "decide", State.DECIDED, code, why, versions)
                memory.promote(self.store, item["question"], code, self.queue.rules, me)
            return self.queue.find(me.tenant, ident)

    def decide_alike(
        self, me: Principal, idents: Sequence[str], code: str, why: str, versions: Versions
    ) -> list[dict[str, Any]]:
        """The same code for several items, all or none."""
        with self.store.transaction():
            return [self.decide(me, ident, code, why, versions) for ident in idents]

    def settle(
        self, me: Principal, ident: str, code: str, why: str, versions: Versions
    ) -> dict[str, Any]:
        """An expert's last word on a disputed item."""
        if not me.role.includes(Role.EXPERT):
            raise ForbiddenError("有争议的项由专家裁定")
        with self.store.transaction():
            item = self.queue.find(me.tenant, ident)
            if item["state"] != State.DISPUTED:
                raise ReviewConflictError("该项没有争议", item=ident)
            if case := cases.of_item(self.store, ident):
                raise ReviewConflictError("该项正由编审委员会审理", item=ident, case=case)
            self.check(code, item["line"].get("date", ""))
            self._move(item, me, "settle", State.DECIDED, code, why, versions)
            memory.promote(self.store, item["question"], code, self.queue.rules, me)
            return self.queue.find(me.tenant, ident)

    def refer(self, me: Principal, ident: str, why: str) -> None:
        """Hand an item to the panel: until its ruling nobody else decides it. What was decided
        stays so meanwhile."""
        with self.store.transaction():
            item = self.queue.find(me.tenant, ident)
            if item["state"] == State.OPEN:
                item = self.queue.mine(me, ident)
            to = State.DECIDED if item["state"] == State.DECIDED else State.DISPUTED
            record(self.store, item, me.id, "refer", to.value, code=item["code"] or "", why=why)
            self.store.db.execute(
                "update review_items set state = ?, leased_by = null, leased_until = null"
                " where id = ?",
                [to.value, ident],
            )

    def conclude(
        self, me: Principal, ident: str, code: str, why: str, versions: Versions
    ) -> dict[str, Any]:
        """What the panel or the answer to an appeal makes of an item, wherever it stands; an empty
        code: none fits."""
        with self.store.transaction():
            item = self.queue.find(me.tenant, ident)
            if case := cases.of_item(self.store, ident):
                raise ReviewConflictError("该项正由编审委员会审理", item=ident, case=case)
            if code:
                self.check(code, item["line"].get("date", ""))
            to = State.DECIDED if code else State.UNCODABLE
            self._move(item, me, "conclude", to, code, why, versions)
            return self.queue.find(me.tenant, ident)

    def send_back(
        self, me: Principal, ident: str, question: str, versions: Versions = UNKNOWN
    ) -> dict[str, Any]:
        """Ask the caller for what is missing."""
        if not question.strip():
            raise InputError("请写明需要补充的信息", field="question")
        return self._leave(me, ident, "send_back", State.SENT_BACK, question, versions)

    def uncodable(
        self, me: Principal, ident: str, why: str, versions: Versions = UNKNOWN
    ) -> dict[str, Any]:
        """Say that no code fits, and why."""
        if not why.strip():
            raise InputError("请写明为什么无法赋码", field="why")
        return self._leave(me, ident, "uncodable", State.UNCODABLE, why, versions)

    def reply(self, caller: Principal, ident: str, text: str) -> dict[str, Any]:
        """The caller's reply to an item that was sent back: it is open again."""
        if not text.strip():
            raise InputError("请写明补充的信息", field="reply")
        with self.store.transaction():
            item = self.queue.find(caller.tenant, ident)
            if item["state"] != State.SENT_BACK:
                raise ReviewConflictError("该项没有等待补充信息", item=ident)
            self._move(item, caller, "reply", State.OPEN, "", text, UNKNOWN)
            return self.queue.find(caller.tenant, ident)

    def undo(self, me: Principal, versions: Versions = UNKNOWN) -> dict[str, Any]:
        """Take back my last act while nothing depends on it; the item is mine again.

        Raises ReviewConflictError where there is none, somebody acted on the item after me, or
        the decision already holds for all tenants or has been learned from.
        """
        with self.store.transaction() as db:
            last = self.store.row(
                """select * from review_events e where tenant = ? and actor = ?
                   and action in ('decide', 'vote', 'send_back', 'uncodable', 'settle')
                   and not exists (select 1 from review_events u where u.item = e.item
                                   and u.action = 'undo' and u.id > e.id)
                   order by id desc limit 1""",
                [me.tenant, me.id],
            )
            if last is None:
                raise ReviewConflictError("没有可以撤销的操作")
            item = self.queue.find(me.tenant, last["item"])
            later = self.store.row(
                "select 1 from review_events where item = ? and id > ?", [item["id"], last["id"]]
            )
            if later is not None:
                raise ReviewConflictError("之后已有他人处理该项,不能撤销", item=item["id"])
            if memory.holds_for_all(self.store, item["question"]) or item["learned_in"]:
                raise ReviewConflictError("该决定已推广或已用于训练,不能撤销", item=item["id"])
            db.execute(
                "delete from review_votes where item = ? and principal = ?", [item["id"], me.id]
            )
            back = State.DISPUTED if last["action"] == "settle" else State.OPEN
            self._move(item, me, "undo", back, "", "", versions)
            if back is State.OPEN:
                self.queue.renew(me, [item["id"]])
            return self.queue.find(me.tenant, item["id"])

    def _leave(
        self, me: Principal, ident: str, action: str, to: State, why: str, versions: Versions
    ) -> dict[str, Any]:
        with self.store.transaction():
            item = self.queue.mine(me, ident)
            self._move(item, me, action, to, "", why, versions)
            return self.queue.find(me.tenant, ident)

    def check(self, code: str, day: str) -> None:
        """Raises InputError for a code that may not be printed on an invoice of a day."""
        if not self._is_usable(code, day):
            raise InputError(f"编码“{code[:40]}”在开票日期不能用于开票", field="code")

    def _votes(self, ident: str) -> list[dict[str, Any]]:
        return self.store.rows("select * from review_votes where item = ?", [ident])

    def _move(
        self,
        item: dict[str, Any],
        me: Principal,
        action: str,
        to: State,
        code: str,
        why: str,
        versions: Versions,
        voted: str = "",
    ) -> None:
        """Bring an item into a state, free of its lease, and write that down. Once decided again,
        it is no longer held for a second look."""
        decided = to is State.DECIDED
        # A vote's reason is nobody's business before the second vote: it stands in the history.
        shown = item["why"] if action == "vote" else why[:MAX_WHY]
        self.store.db.execute(
            "update review_items set state = ?, code = ?, decided_by = ?, decided_at = ?, why = ?,"
            " held = ?, leased_by = null, leased_until = null where id = ?",
            [to.value, code or None, me.id if decided else None,
             utc_text() if decided else None, shown,
             None if decided else item["held"], item["id"]],
        )  # fmt: skip
        record(self.store, item, me.id, action, to.value, code=code or voted,
               why=why[:MAX_WHY], versions=versions)  # fmt: skip
        if to in TOLD:
            webhooks.enqueue(self.store, item, f"review.{to.value}", code, why[:MAX_WHY])
