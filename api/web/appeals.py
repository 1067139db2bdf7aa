"""The pages of appeals: the list, one appeal with its files, filing and answering."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response

from api.routes.appeals import as_download, receive
from api.routes.panel import Due
from api.schemas import Code, PageNumber
from api.schemas_panel import AnyCode
from api.security import Caller, TheService, allow
from api.web.pages import last_page, page, redirect, render
from api.web.review import names_of
from invoicer.access.principals import Role
from invoicer.line import InvoiceLine
from invoicer.review import appeals, attachments
from invoicer.review.appeals import CLOSED, MAX_REASON, AppealState, Contested
from invoicer.review.deadlines import SOON_DAYS, days_left
from invoicer.review.decisions import MAX_WHY

router = APIRouter(prefix="/appeals", include_in_schema=False)
Rate = Annotated[str, Form(max_length=40)]


@router.get("")
@allow(Role.CLIENT)
@page
async def list_appeals(
    request: Request,
    caller: Caller,
    service: TheService,
    state: Literal["", "received", "referred", "upheld", "rejected"] = "",
    number: PageNumber = 1,
    due: Due = None,
) -> Response:
    total, found = appeals.search(service.store, caller.tenant, state, number, due)
    soon, _ = appeals.search(service.store, caller.tenant, due=SOON_DAYS)
    coded = [{"code": one["contested_code"]} for one in found]
    return render(
        request, "appeals.html", caller, appeals=found, total=total, state=state, number=number,
        pages=last_page(total, appeals.PAGE), names=names_of(service, coded),
        AppealState=AppealState, CLOSED=CLOSED, most=MAX_REASON, due=due, soon=soon,
        soon_days=SOON_DAYS, days_left=days_left,
    )  # fmt: skip


@router.post("")
@allow(Role.CLIENT)
@page
async def file_appeal(
    request: Request,
    caller: Caller,
    service: TheService,
    name: Annotated[str, Form(max_length=1000)],
    contested_code: Annotated[Code, Form()],
    reason: Annotated[str, Form(max_length=MAX_REASON)],
    spec: Annotated[str, Form(max_length=1000)] = "",
    unit: Annotated[str, Form(max_length=1000)] = "",
    contested_rate: Rate = "",
    wanted_code: Annotated[AnyCode, Form()] = "",
    wanted_rate: Rate = "",
) -> Response:
    line = InvoiceLine.from_fields({"name": name, "spec": spec, "unit": unit})
    contested = Contested(contested_code, contested_rate, wanted_code, wanted_rate)
    days = service.settings.appeal_days
    appeal = await service.change(
        appeals.insert, service.store, caller, line, contested, reason, days
    )
    return redirect(request, f"/appeals/{appeal['id']}")


@router.get("/{appeal}")
@allow(Role.CLIENT)
@page
async def show_appeal(
    request: Request, caller: Caller, service: TheService, appeal: str
) -> Response:
    found = appeals.find(service.store, caller.tenant, appeal)
    codes = [{"code": found[name]} for name in ("contested_code", "wanted_code", "code")]
    return render(
        request, "appeal.html", caller, appeal=found, names=names_of(service, codes),
        files=attachments.of_appeal(service.store, found), AppealState=AppealState, CLOSED=CLOSED,
        days_left=days_left,
        kinds=attachments.KINDS, may_answer=caller.role.includes(Role.REVIEWER),
        may_see_case=caller.role.includes(Role.EXPERT), most=MAX_WHY,
    )  # fmt: skip


@router.post("/{appeal}/attachments")
@allow(Role.CLIENT)
@page
async def attach(request: Request, caller: Caller, service: TheService, appeal: str) -> Response:
    await receive(request, service, caller, appeal)
    return redirect(request, f"/appeals/{appeal}")


@router.get("/{appeal}/attachments/{file}")
@allow(Role.CLIENT)
@page
async def download(caller: Caller, service: TheService, appeal: str, file: str) -> Response:
    found = appeals.find(service.store, caller.tenant, appeal)
    return as_download(attachments.find(service.store, found, file))


@router.post("/{appeal}/answer")
@allow(Role.REVIEWER)
@page
async def answer(
    request: Request,
    caller: Caller,
    service: TheService,
    appeal: str,
    act: Annotated[Literal["uphold", "reject", "refer"], Form()],
    answer: Annotated[str, Form(max_length=MAX_WHY)],
    code: Annotated[AnyCode, Form()] = "",
) -> Response:
    if act == "uphold":
        await service.change(service.appeals.uphold, caller, appeal, code, answer)
    elif act == "reject":
        await service.change(service.appeals.reject, caller, appeal, answer)
    else:
        await service.change(service.appeals.refer, caller, appeal, answer)
    return redirect(request, f"/appeals/{appeal}")
