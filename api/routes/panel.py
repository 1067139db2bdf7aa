"""`/v1/panel/cases`: the expert panel: cases, blind votes, rulings."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import example, json_response, refusals
from api.once import IdempotencyKey, once
from api.schemas_panel import (
    CaseIn,
    CaseOut,
    CaseRowOut,
    CasesOut,
    CountIn,
    DraftIn,
    RulingOut,
    VoteIn,
)
from api.security import Caller, TheService, allow
from invoicer.access.principals import Role
from invoicer.errors import InputError
from invoicer.review import cases
from invoicer.review.case_evidence import published, row_of

router = APIRouter(prefix="/v1/panel/cases", tags=["编审委员会"])
CaseId = Annotated[str, Path(max_length=60)]
Page = Annotated[int, Query(ge=1, le=100_000)]
Due = Annotated[
    int | None, Query(ge=0, le=366, description="只看在办且已逾期或几天内到期的;0 为今天")
]


@router.post(
    "",
    summary="提交编审委员会:有争议的项、专家提出的项或一行明细",
    status_code=201,
    response_model=CaseRowOut,
    responses={**example("case_opened", 201), **refusals(404, 409, 413, 422)},
)
@allow(Role.REVIEWER)
async def open_case(
    request: Request,
    caller: Caller,
    service: TheService,
    body: CaseIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    if (body.line is None) == (not body.item):
        raise InputError("请给出审核项 item 或明细 line 之一", field="item")

    async def work() -> Response:
        if body.line is None:
            case = await service.change(service.panel.open_item, caller, body.item, body.why)
        else:
            line = body.line.to_line()
            suggestion = service.assistant.suggest(line).to_dict()
            case = await service.change(service.panel.open_line, caller, line, suggestion, body.why)
        return json_response(row_of(case), 201)

    return await once(request, service, caller, idempotency_key, work)


@router.get(
    "",
    summary="案件:在办的按期限在前",
    response_model=CasesOut,
    responses={**example("cases"), **refusals(422)},
)
@allow(Role.EXPERT)
async def list_cases(
    caller: Caller,
    service: TheService,
    state: Literal["", "voting", "counted", "closed"] = "",
    page: Page = 1,
    due: Due = None,
) -> Response:
    total, found = cases.search(service.store, caller.tenant, state, page, due)
    return json_response({"total": total, "cases": [row_of(case) for case in found]})


@router.get(
    "/{case}",
    summary="一个案件:名称、不署名的意见、涉及编码的官方注释与税率、相近裁定、我的票",
    response_model=CaseOut,
    responses={**example("case"), **refusals(404)},
)
@allow(Role.EXPERT)
async def show_case(caller: Caller, service: TheService, case: CaseId) -> Response:
    return json_response(published(service.store, service.assistant, caller, case))


# The answer to a vote is never kept for repeated requests: a vote may be given again anyway.
@router.post(
    "/{case}/vote",
    summary="表决:一人一票,结束前可改,结束前他人看不到",
    response_model=CaseRowOut,
    responses={**example("case_opened"), **refusals(404, 409, 413, 422)},
)
@allow(Role.EXPERT)
async def vote(caller: Caller, service: TheService, case: CaseId, body: VoteIn) -> Response:
    voted = await service.change(service.panel.vote, caller, case, body.code, body.why)
    return json_response(row_of(voted))


@router.post(
    "/{case}/count",
    summary="期满计票:未达法定人数或多数时说明原因,案件继续",
    response_model=CaseRowOut,
    responses={**example("case_opened"), **refusals(404, 409, 413, 422)},
)
@allow(Role.ADMIN)
async def count(caller: Caller, service: TheService, case: CaseId, body: CountIn) -> Response:
    counted = await service.change(service.panel.count, caller, case, body.why)
    return json_response(row_of(counted))


@router.post(
    "/{case}/ruling",
    summary="出具裁定:即时编号并生效,相关审核项和申诉随之办结",
    status_code=201,
    response_model=RulingOut,
    responses={**example("ruling", 201), **refusals(404, 409, 413, 422)},
)
@allow(Role.ADMIN)
async def rule(
    request: Request,
    caller: Caller,
    service: TheService,
    case: CaseId,
    body: DraftIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    async def work() -> Response:
        ruling = await service.change(
            service.panel.rule, caller, case, body.to_draft(), service.versions, body.upholds
        )
        return json_response(ruling.to_dict(), 201)

    return await once(request, service, caller, idempotency_key, work)
