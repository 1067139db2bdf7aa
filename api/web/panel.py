"""The pages of the expert panel: cases with their blind vote, rulings and their search."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request, Response

from api.routes.panel import Due
from api.schemas import PageNumber
from api.schemas_panel import AnyCode
from api.security import Caller, TheService, allow
from api.web.pages import last_page, page, redirect, render
from api.web.review import names_of
from invoicer.access.principals import Role
from invoicer.line import FIRST_DAY, today
from invoicer.review import cases, rulings
from invoicer.review.affected import seen_by
from invoicer.review.case_evidence import evidence
from invoicer.review.cases import CaseState, Outcome
from invoicer.review.deadlines import SOON_DAYS, days_left
from invoicer.review.decisions import MAX_WHY
from invoicer.review.issuing import MAX_NOTE, MAX_TEXT, SECTIONS, Draft
from invoicer.review.rulings import Scope
from invoicer.store import utc_text

router = APIRouter(include_in_schema=False)
Why = Annotated[str, Form(max_length=MAX_WHY)]


@router.get("/panel")
@allow(Role.EXPERT)
@page
async def list_cases(
    request: Request,
    caller: Caller,
    service: TheService,
    state: Literal["", "voting", "counted", "closed"] = "",
    number: PageNumber = 1,
    due: Due = None,
) -> Response:
    total, found = cases.search(service.store, caller.tenant, state, number, due)
    soon, _ = cases.search(service.store, caller.tenant, due=SOON_DAYS)
    return render(
        request, "cases.html", caller, cases=found, total=total, state=state, number=number,
        due=due, soon=soon, soon_days=SOON_DAYS, days_left=days_left,
        pages=last_page(total, cases.PAGE), names=names_of(service, found), CaseState=CaseState,
        Outcome=Outcome, quorum=service.panel.rules.panel_quorum,
    )  # fmt: skip


@router.post("/panel")
@allow(Role.REVIEWER)
@page
async def open_case(
    request: Request,
    caller: Caller,
    service: TheService,
    item: Annotated[str, Form(max_length=60)],
    why: Why,
) -> Response:
    case = await service.change(service.panel.open_item, caller, item, why)
    may_see = caller.role.includes(Role.EXPERT)
    return redirect(request, f"/panel/{case['id']}" if may_see else f"/review/items/{item}")


@router.get("/panel/{case}")
@allow(Role.EXPERT)
@page
async def show_case(request: Request, caller: Caller, service: TheService, case: str) -> Response:
    known = evidence(service.store, service.assistant, caller, case)
    found = known["case"]
    return render(
        request, "case.html", caller, known=known, case=found, CaseState=CaseState,
        Outcome=Outcome, Scope=Scope, sections=SECTIONS, today=today(), most=MAX_TEXT,
        is_chair=caller.role.includes(Role.ADMIN), is_due=found["deadline"] <= utc_text(),
        days_left=days_left,
        quorum=service.panel.rules.panel_quorum,
        on_rate=any(one["contested_rate"] for one in known["appeals"]),
    )  # fmt: skip


@router.post("/panel/{case}/vote")
@allow(Role.EXPERT)
@page
async def vote(
    request: Request,
    caller: Caller,
    service: TheService,
    case: str,
    why: Why,
    code: Annotated[AnyCode, Form()] = "",
) -> Response:
    await service.change(service.panel.vote, caller, case, code, why)
    return redirect(request, f"/panel/{case}")


@router.post("/panel/{case}/count")
@allow(Role.ADMIN)
@page
async def count(
    request: Request, caller: Caller, service: TheService, case: str, why: Why = ""
) -> Response:
    await service.change(service.panel.count, caller, case, why)
    return redirect(request, f"/panel/{case}")


@router.post("/panel/{case}/ruling")
@allow(Role.ADMIN)
@page
async def rule(
    request: Request,
    caller: Caller,
    service: TheService,
    case: str,
    text: Annotated[str, Form(max_length=MAX_TEXT)],
    scope: Annotated[Scope, Form()],
    effective_on: Annotated[dt.date, Form(ge=FIRST_DAY)],
    industry: Annotated[str, Form(pattern=r"^[A-T]?$")] = "",
    with_spec: Annotated[bool, Form()] = False,
    with_unit: Annotated[bool, Form()] = False,
    rate_note: Annotated[str, Form(max_length=MAX_NOTE)] = "",
    supersedes: Annotated[str, Form(max_length=40)] = "",
    upholds: Annotated[Literal["", "yes", "no"], Form()] = "",
) -> Response:
    draft = Draft(text, scope, effective_on, industry, with_spec, with_unit, rate_note,
                  supersedes.strip())  # fmt: skip
    said = {"yes": True, "no": False}.get(upholds)
    ruling = await service.change(service.panel.rule, caller, case, draft, service.versions, said)
    return redirect(request, f"/rulings/{ruling.number}")


@router.get("/rulings")
@allow(Role.CLIENT)
@page
async def list_rulings(
    request: Request,
    caller: Caller,
    service: TheService,
    q: Annotated[str, Query(max_length=100)] = "",
    number: PageNumber = 1,
) -> Response:
    total, found = rulings.search(service.store, caller.tenant, q, page=number)
    rows = [one.to_dict() for one in found]
    return render(
        request, "rulings.html", caller, rulings=found, q=q, total=total, number=number,
        pages=last_page(total, rulings.PAGE), names=names_of(service, rows),
    )  # fmt: skip


@router.get("/rulings/{number}")
@allow(Role.CLIENT)
@page
async def show_ruling(
    request: Request, caller: Caller, service: TheService, number: str
) -> Response:
    ruling = rulings.find(service.store, caller.tenant, number)
    reviews = caller.role.includes(Role.REVIEWER)
    lines, others = seen_by(service.store, ruling, caller) if reviews else ([], [])
    names = names_of(service, [ruling.to_dict(), *lines, *others])
    return render(request, "ruling.html", caller, ruling=ruling, lines=lines, others=others,
                  names=names, reviews=reviews)  # fmt: skip
