"""`/v1/rulings`: what the expert panel has ruled, for everybody whom it binds."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.answers import example, json_response, refusals
from api.routes.panel import Page
from api.schemas_panel import AffectedOut, RulingOut, RulingsOut
from api.security import Caller, TheService, allow
from invoicer.access.principals import Role
from invoicer.line import FIRST_DAY
from invoicer.review import rulings
from invoicer.review.affected import seen_by

router = APIRouter(prefix="/v1/rulings", tags=["裁定"])
Number = Annotated[str, Path(max_length=40, examples=["裁定2026-0001"])]


@router.get(
    "",
    summary="查裁定:名称、正文、编号或编码,新的在前",
    response_model=RulingsOut,
    responses={**example("rulings"), **refusals(422)},
)
@allow(Role.CLIENT)
async def find_rulings(
    caller: Caller,
    service: TheService,
    q: Annotated[str, Query(max_length=100, description="名称、正文或编号中包含")] = "",
    code: Annotated[str, Query(pattern=r"^[0-9]{0,19}$", description="编码的开头")] = "",
    on: Annotated[dt.date | None, Query(description="只看该日适用的", ge=FIRST_DAY)] = None,
    page: Page = 1,
) -> Response:
    total, found = rulings.search(service.store, caller.tenant, q, code=code, on=on, page=page)
    return json_response({"total": total, "rulings": [one.to_dict() for one in found]})


@router.get(
    "/{number}",
    summary="一项裁定",
    response_model=RulingOut,
    responses={**example("ruling"), **refusals(404, 422)},
)
@allow(Role.CLIENT)
async def show_ruling(caller: Caller, service: TheService, number: Number) -> Response:
    return json_response(rulings.find(service.store, caller.tenant, number).to_dict())


@router.get(
    "/{number}/affected",
    summary="裁定影响的以往各行:同一名称、另一编码",
    response_model=AffectedOut,
    responses={**example("affected"), **refusals(404, 422)},
)
@allow(Role.REVIEWER)
async def show_affected(caller: Caller, service: TheService, number: Number) -> Response:
    ruling = rulings.find(service.store, caller.tenant, number)
    own, others = seen_by(service.store, ruling, caller)
    lines = [{name: row[name] for name in row if name not in ("tenant", "at")} for row in own]
    return json_response({"number": ruling.number, "lines": lines, "elsewhere": others})
