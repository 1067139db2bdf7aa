"""The pages of proposals: making one, what it would change, and the answer to it."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request, Response

from api.desk import accepted, begin_preview, effect_of
from api.errors import status_of
from api.routes.desk import Ident
from api.schemas import PageNumber
from api.security import Caller, TheService, allow
from api.service import Service
from api.web.pages import last_page, page, redirect, render
from invoicer.access.principals import Principal, Role
from invoicer.desk.proposals import MAX_WHY, PAGE, ProposalState
from invoicer.desk.rules import KINDS
from invoicer.desk.words import edit_of
from invoicer.errors import InputError, InvoicerError
from knowledge_base.scenarios import Place, Premise
from knowledge_base.word_tables import Action, WordTable

router = APIRouter(prefix="/desk/proposals", include_in_schema=False)
Kind = Literal["add", "remove", "change"]
KIND_LABELS = {"add": "新增", "remove": "删除", "change": "修改"}
CHOICES = {
    (WordTable.DESCRIPTORS, "kind"): KINDS,
    (WordTable.SCENARIOS, "place"): ("", *Place),
    (WordTable.SCENARIOS, "premise"): tuple(Premise),
}
Text = Annotated[str, Query(max_length=100)]
RowText = Annotated[str, Query(max_length=20_000)]
Why = Annotated[str, Form(max_length=MAX_WHY)]


@router.get("")
@allow(Role.REVIEWER)
@page
async def proposals(
    request: Request,
    caller: Caller,
    service: TheService,
    state: ProposalState = ProposalState.OPEN,
    provisional: bool = False,
    number: PageNumber = 1,
) -> Response:
    total, found = service.proposals.page(caller.tenant, state, number, provisional)
    return render(
        request, "proposals.html", caller, state=state, states=list(ProposalState), found=found,
        total=total, number=number, pages=last_page(total, PAGE), provisional=provisional,
        tables=list(WordTable),
    )  # fmt: skip


@router.get("/new")
@allow(Role.REVIEWER)
@page
async def new(
    request: Request,
    caller: Caller,
    table: WordTable = WordTable.EVERYDAY_NAMES,
    kind: Kind = "add",
    old: RowText = "",
    term: Text = "",
    code: Text = "",
    item: Text = "",
    provisional: bool = False,
) -> Response:
    given = _row(old) if old else {table.word: term, **({"code": code} if code else {})}
    form = {"provisional": "1"} if provisional else {}
    return _form(request, caller, table, kind, given, old, item=item, form=form)


@router.post("/new")
@allow(Role.REVIEWER)
@page
async def propose(request: Request, caller: Caller, service: TheService) -> Response:
    form = {name: str(value) for name, value in (await request.form()).items()}
    try:
        table = WordTable(form.get("table", ""))
    except ValueError:
        raise InputError("没有这个词表", field="table") from None
    kind = form.get("kind", "add")
    row = {column: form.get(f"cell-{column}", "").strip() for column in table.columns}
    old = form.get("old", "")
    edits = []
    try:
        if kind in ("remove", "change"):
            edits.append(edit_of({"table": table, "action": Action.REMOVE, "row": _row(old)}))
        if kind in ("add", "change"):
            edits.append(edit_of({"table": table, "action": Action.ADD, "row": row}))
        made = await service.change(
            service.proposals.propose, caller, service.words, edits, form.get("why", ""),
            provisional=form.get("provisional") == "1", item=form.get("item", ""),
            ruling=form.get("ruling", ""),
        )  # fmt: skip
    except InputError as error:
        shown = _row(old) if kind == "remove" else row
        return _form(request, caller, table, kind, shown, old, problem=error.message,
                     item=form.get("item", ""), form=form, status=422)  # fmt: skip
    return redirect(request, f"/desk/proposals/{made.id}")


def _row(text: str) -> dict[str, str]:
    """A row of a table in a page's address or form."""
    try:
        row = json.loads(text)
    except ValueError:
        row = None
    if not isinstance(row, dict) or not all(isinstance(cell, str) for cell in row.values()):
        raise InputError("要修改的行不完整,请从词表页面重新打开")
    return row


def _form(
    request: Request, caller: Principal, table: WordTable, kind: str, row: dict[str, str],
    old: str, *, item: str = "", problem: str = "", form: dict[str, str] | None = None,
    status: int = 200,
) -> Response:  # fmt: skip
    return render(
        request, "proposal_new.html", caller, status, table=table, tables=list(WordTable),
        kind=kind, kind_label=KIND_LABELS.get(kind, ""), row=row, old=old, item=item,
        problem=problem, form=form or {}, choices=CHOICES,
    )  # fmt: skip


@router.get("/{proposal}")
@allow(Role.REVIEWER)
@page
async def show(request: Request, caller: Caller, service: TheService, proposal: Ident) -> Response:
    return _shown(request, caller, service, proposal)


def _shown(
    request: Request, caller: Principal, service: Service, proposal: str, problem: str = "",
    status: int = 200,
) -> Response:  # fmt: skip
    found = service.proposals.find(caller.tenant, proposal)
    is_open = found.state is ProposalState.OPEN
    names = {code.code: code.name for code in service.assistant.kb.taxonomy}
    return render(
        request, "proposal.html", caller, status, proposal=found, problem=problem, names=names,
        effect=effect_of(service, caller, found) if is_open else None,
        may_answer=is_open and caller.role.includes(Role.EXPERT),
        is_own=found.proposed_by == caller.id,
    )  # fmt: skip


@router.post("/{proposal}/preview")
@allow(Role.EXPERT)
@page
async def preview(
    request: Request, caller: Caller, service: TheService, proposal: Ident
) -> Response:
    await begin_preview(service, service.proposals.find(caller.tenant, proposal))
    return redirect(request, f"/desk/proposals/{proposal}")


@router.post("/{proposal}/answer")
@allow(Role.EXPERT)
@page
async def answer(
    request: Request,
    caller: Caller,
    service: TheService,
    proposal: Ident,
    say: Annotated[Literal["accept", "reject"], Form()],
    why: Why = "",
) -> Response:
    try:
        if say == "accept":
            await accepted(service, caller, proposal, why)
        else:
            await service.change(service.proposals.reject, caller, proposal, why)
    except InvoicerError as error:
        if (status := status_of(error)) >= 500:
            raise
        return _shown(request, caller, service, proposal, error.message, status)
    return redirect(request, f"/desk/proposals/{proposal}")
