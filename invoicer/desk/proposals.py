"""Proposals (提案): edits of the word tables that one person proposes and another accepts."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from invoicer.access import audit
from invoicer.access.principals import ForbiddenError, Principal, Role
from invoicer.desk.effect import Effect, previewed
from invoicer.desk.words import WordIndex
from invoicer.errors import InputError, InvoicerError, NotFoundError
from invoicer.line import today
from invoicer.review import rulings
from invoicer.review.states import ReviewConflictError
from invoicer.settings import Settings
from invoicer.store import Store, utc_text
from knowledge_base.official.manifest import VersionInfo
from knowledge_base.official.raw import OfficialTableError
from knowledge_base.word_tables import Edit, NoSuchRowError

MAX_EDITS, MAX_WHY, PAGE = 200, 1_000, 50


class ProposalState(StrEnum):
    """open: waits for an expert; accepted: in effect, by the version it names; rejected."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"

    @property
    def label(self) -> str:
        return {"open": "待定", "accepted": "已采纳", "rejected": "未采纳"}[self]


class RefusedByGateError(InvoicerError):
    """The edits would make answers worse by more than may be."""

    code = "refused_by_gate"


class NotPreviewedError(InvoicerError):
    """What the edits would change is not known for the version in use."""

    code = "not_previewed"


@dataclass(frozen=True, slots=True)
class Proposal:
    """provisional: a mapping for want of a fitting code, to be looked at again with every new
    table; item: the review item it came from; ruling: number of the ruling it follows;
    answer: what the expert said; version: the version of the knowledge base that it made."""

    id: str
    state: ProposalState
    edits: tuple[Edit, ...]
    why: str
    provisional: bool
    item: str
    ruling: str
    proposed_by: str
    proposer: str
    proposed_at: str
    answered_by: str
    answered_at: str
    answer: str
    version: str

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id, "state": self.state.value, "why": self.why,
            "edits": [edit.to_json() for edit in self.edits],
            "provisional": self.provisional, "item": self.item, "ruling": self.ruling,
            "proposed_by": self.proposer, "proposed_at": self.proposed_at,
            "answered_by": self.answered_by, "answered_at": self.answered_at,
            "answer": self.answer, "version": self.version,
        }  # fmt: skip


_SELECT = """
select p.*, coalesce(a.name, p.proposed_by) as proposer,
       coalesce(b.name, p.answered_by, '') as answerer
from proposals p left join principals a on a.principal = p.proposed_by
left join principals b on b.principal = p.answered_by
"""


class Proposals:
    """The proposals of the principals' tenants, and what becomes of them."""

    def __init__(self, store: Store, settings: Settings):
        self.store = store
        self.settings = settings

    def propose(
        self,
        me: Principal,
        words: WordIndex,
        edits: Sequence[Edit],
        why: str,
        *,
        provisional: bool = False,
        item: str = "",
        ruling: str = "",
    ) -> Proposal:
        """Put edits up for acceptance; raises InputError where the tables could not take them."""
        if not me.role.includes(Role.REVIEWER):
            raise ForbiddenError("提案由审核员或专家提出")
        if not why.strip():
            raise InputError("请写明理由", field="why")
        if len(edits) > MAX_EDITS:
            raise InputError(f"一次最多修改 {MAX_EDITS} 行,请分次提出", field="edits")
        edits = words.completed(edits, provisional)
        words.check(edits, today())
        ident = "pp_" + secrets.token_hex(8)
        text = json.dumps([edit.to_json() for edit in edits], ensure_ascii=False)
        with self.store.transaction() as db:
            ruling = self._ruling(me.tenant, ruling)
            if item and self.store.row(
                "select 1 from review_items where id = ? and tenant = ?", [item, me.tenant]
            ) is None:  # fmt: skip
                raise InputError("没有这个审核项", field="item")
            db.execute(
                "insert into proposals (id, tenant, edits, why, provisional, item, ruling,"
                " proposed_by, proposed_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [ident, me.tenant, text, why.strip()[:MAX_WHY], int(provisional), item,
                 ruling, me.id, utc_text()],
            )  # fmt: skip
        return self.find(me.tenant, ident)

    def _ruling(self, tenant: str, number: str) -> str:
        """The number of a ruling that the tenant can see; "" where none is named."""
        if not (number := number.strip()):
            return ""
        try:
            return rulings.find(self.store, tenant, number).number
        except NotFoundError:
            raise InputError(
                f"没有编号为“{number[:40]}”的裁定,请照裁定页上的编号填写,如 裁定2026-0001,或留空",
                field="ruling",
            ) from None

    def find(self, tenant: str, ident: str) -> Proposal:
        """A proposal of this tenant; raises NotFoundError."""
        row = self.store.row(f"{_SELECT} where p.id = ? and p.tenant = ?", [ident, tenant])
        if row is None:
            raise NotFoundError("没有这个提案", proposal=ident[:40])
        return _proposal(row)

    def anywhere(self, ident: str) -> tuple[str, Proposal]:
        """(tenant, proposal), for whoever runs the installation; raises NotFoundError."""
        row = self.store.row("select tenant from proposals where id = ?", [ident])
        tenant = row["tenant"] if row else ""
        return tenant, self.find(tenant, ident)

    def page(
        self, tenant: str, state: ProposalState, number: int = 1, provisional: bool = False
    ) -> tuple[int, list[Proposal]]:
        """(how many there are, those of a page), newest first. provisional: only such mappings."""
        where = "p.tenant = :tenant and p.state = :state and p.provisional >= :provisional"
        values = {"tenant": tenant, "state": state.value, "provisional": int(provisional),
                  "limit": PAGE, "offset": (number - 1) * PAGE}  # fmt: skip
        count = self.store.row(f"select count(*) as n from proposals p where {where}", values)
        rows = self.store.rows(
            f"{_SELECT} where {where} order by p.proposed_at desc, p.id"
            " limit :limit offset :offset",
            values,
        )
        return int(count["n"]) if count else 0, [_proposal(row) for row in rows]

    def effect(self, proposal: Proposal) -> Effect | None:
        """What is known of a proposal's effect on the version and the model in use."""
        return previewed(self.store, self.settings, proposal.edits)

    def reject(self, me: Principal, ident: str, why: str) -> Proposal:
        """Say no, and why."""
        if not why.strip():
            raise InputError("请写明不采纳的理由", field="why")
        with self.store.transaction():
            self._open(me, ident)
            self._answer(me, ident, ProposalState.REJECTED, why)
            return self.find(me.tenant, ident)

    def accept(self, me: Principal, words: WordIndex, ident: str, why: str = "") -> Proposal:
        """Let the edits take effect as a new version of the knowledge base.

        Never the proposer's; only once their effect was previewed on the version in use, and the
        gate found no set falling. Raises ForbiddenError, ReviewConflictError, NotPreviewedError,
        RefusedByGateError or InputError.
        """
        with self.store.transaction():
            proposal = self._open(me, ident)
            if proposal.proposed_by == me.id:
                raise ForbiddenError("自己的提案须由另一位专家采纳")
            words.check(proposal.edits, today())
            effect = self.effect(proposal)
            if effect is None or not effect.is_done:
                raise NotPreviewedError("请先预览该提案对现用版本的影响", proposal=ident)
            if not effect.accepted:
                raise RefusedByGateError(f"检验未通过:{effect.verdict}", proposal=ident)
            note = VersionInfo(
                id="", effective=dt.date.min, table_days=(), reason=proposal.why,
                proposed_by=proposal.proposer, accepted_by=me.name, ruling=proposal.ruling,
            )  # fmt: skip
            versions = self.settings.version_store()
            # Two stores: cut off before the commit, the version is in use and listed, the proposal
            # still open. Going back to the version before lets it be accepted again.
            try:
                made = versions.edit(proposal.edits, versions.current_id(), note)
            except (OfficialTableError, NoSuchRowError) as error:
                raise ReviewConflictError(str(error), proposal=ident) from error
            self._answer(me, ident, ProposalState.ACCEPTED, why, made.id)
            audit.record(self.store, me.tenant, me.id, "words.accept", ident, version=made.id)
            return self.find(me.tenant, ident)

    def _open(self, me: Principal, ident: str) -> Proposal:
        """A proposal that I may answer, inside a transaction."""
        if not me.role.includes(Role.EXPERT):
            raise ForbiddenError("提案由专家采纳或否决")
        proposal = self.find(me.tenant, ident)
        if proposal.state is not ProposalState.OPEN:
            raise ReviewConflictError(f"该提案{proposal.state.label}", proposal=ident)
        return proposal

    def _answer(
        self, me: Principal, ident: str, state: ProposalState, why: str, version: str = ""
    ) -> None:
        self.store.db.execute(
            "update proposals set state = ?, answered_by = ?, answered_at = ?, answer = ?,"
            " version = ? where id = ?",
            [state.value, me.id, utc_text(), why.strip()[:MAX_WHY], version, ident],
        )


def _proposal(row: dict[str, Any]) -> Proposal:
    return Proposal(
        id=row["id"],
        state=ProposalState(row["state"]),
        edits=tuple(Edit.from_json(edit) for edit in json.loads(row["edits"])),
        why=row["why"],
        provisional=bool(row["provisional"]),
        item=row["item"],
        ruling=row["ruling"],
        proposed_by=row["proposed_by"],
        proposer=row["proposer"],
        proposed_at=row["proposed_at"],
        answered_by=row["answerer"],
        answered_at=row["answered_at"] or "",
        answer=row["answer"],
        version=row["version"],
    )
