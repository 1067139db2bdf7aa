"""`/v1/reviews`: the review queue for callers and for reviewers' tools."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.answers import example, json_response, refusals
from api.once import IdempotencyKey, once
from api.schemas_review import (
    CodeNoteOut,
    DecideAlikeIn,
    DecideIn,
    ItemsIn,
    LeaseIn,
    ReplyIn,
    ReviewDetailsOut,
    ReviewItemOut,
    ReviewItemsOut,
    ReviewStatusOut,
    WhyIn,
)
from api.security import Caller, TheService, allow
from invoicer.access.principals import Role
from invoicer.line import InvoiceLine
from invoicer.review.details import details, notes_of

router = APIRouter(prefix="/v1/reviews", tags=["审核"])
ItemId = Annotated[str, Path(max_length=60, examples=["rv_mzxw6ytboi"])]
# What a reviewer sees of an item; votes of others are not among it.
SHOWN = ("id", "state", "line", "suggestion", "tier", "confidence", "sampled", "times", "amount",
         "first_seen", "last_seen", "code", "decided_at", "why", "leased_until")  # fmt: skip


def shown(item: dict[str, Any]) -> dict[str, Any]:
    """The part of an item that a reviewer sees."""
    return {name: item[name] for name in SHOWN}


@router.get(
    "/{item}",
    summary="审核进展:供开票方查询",
    response_model=ReviewStatusOut,
    responses={**example("review"), **refusals(404, 409)},
)
@allow(Role.CLIENT)
async def show_review(caller: Caller, service: TheService, item: ItemId) -> Response:
    found = service.queue.find(caller.tenant, item)
    return json_response(
        {
            "review_id": found["id"],
            "state": found["state"],
            "code": found["code"] or "",
            "question": found["why"] if found["state"] == "sent_back" else "",
            "why": found["why"] if found["state"] != "sent_back" else "",
            "decided_at": found["decided_at"] or "",
        }
    )


@router.post(
    "/{item}/reply",
    summary="补充信息:审核员退回后由开票方答复",
    response_model=ReviewStatusOut,
    responses={**example("review"), **refusals(404, 409, 413, 422)},
)
@allow(Role.CLIENT)
async def reply(
    request: Request,
    caller: Caller,
    service: TheService,
    item: ItemId,
    body: ReplyIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    async def work() -> Response:
        await service.change(service.decisions.reply, caller, item, body.reply)
        return await show_review(caller, service, item)

    return await once(request, service, caller, idempotency_key, work)


@router.post(
    "/lease",
    summary="领取待审项:最紧急的在前,领取后他人看不到",
    response_model=ReviewItemsOut,
    responses={**example("review_leased"), **refusals(413, 422)},
)
@allow(Role.REVIEWER)
async def lease(caller: Caller, service: TheService, body: LeaseIn) -> Response:
    only = body.only.to_filter()
    items = await service.change(service.queue.lease, caller, body.count, only, body.without)
    return json_response({"items": [shown(item) for item in items]})


@router.post(
    "/{item}/decide",
    summary="决定编码",
    response_model=ReviewItemOut,
    responses={**example("review_item"), **refusals(404, 409, 413, 422)},
)
@allow(Role.REVIEWER)
async def decide(caller: Caller, service: TheService, item: ItemId, body: DecideIn) -> Response:
    done = await service.change(
        service.decisions.decide, caller, item, body.code, body.why, service.versions
    )
    return json_response(shown(done))


@router.post(
    "/{item}/settle",
    summary="专家裁定有争议的项",
    response_model=ReviewItemOut,
    responses={**example("review_item"), **refusals(404, 409, 413, 422)},
)
@allow(Role.EXPERT)
async def settle(caller: Caller, service: TheService, item: ItemId, body: DecideIn) -> Response:
    done = await service.change(
        service.decisions.settle, caller, item, body.code, body.why, service.versions
    )
    return json_response(shown(done))


@router.post(
    "/{item}/send-back",
    summary="退回开票方补充信息",
    response_model=ReviewItemOut,
    responses={**example("review_item"), **refusals(404, 409, 413, 422)},
)
@allow(Role.REVIEWER)
async def send_back(caller: Caller, service: TheService, item: ItemId, body: WhyIn) -> Response:
    done = await service.change(
        service.decisions.send_back, caller, item, body.why, service.versions
    )
    return json_response(shown(done))


@router.post(
    "/{item}/uncodable",
    summary="标记为无法赋码",
    response_model=ReviewItemOut,
    responses={**example("review_item"), **refusals(404, 409, 413, 422)},
)
@allow(Role.REVIEWER)
async def uncodable(caller: Caller, service: TheService, item: ItemId, body: WhyIn) -> Response:
    done = await service.change(
        service.decisions.uncodable, caller, item, body.why, service.versions
    )
    return json_response(shown(done))


@router.post(
    "/{item}/skip",
    summary="跳过:放回队列,一小时内不再给我",
    status_code=204,
    responses=refusals(404, 409),
)
@allow(Role.REVIEWER)
async def skip(caller: Caller, service: TheService, item: ItemId) -> Response:
    await service.change(service.queue.release, caller, [item], skip=True)
    return Response(status_code=204)


@router.post(
    "/undo",
    summary="撤销我的上一个操作",
    response_model=ReviewItemOut,
    responses={**example("review_item"), **refusals(409)},
)
@allow(Role.REVIEWER)
async def undo(caller: Caller, service: TheService) -> Response:
    done = await service.change(service.decisions.undo, caller, service.versions)
    return json_response(shown(done))


@router.post(
    "/decide-alike",
    summary="同一编码用于多项:全部成功,或全部不变",
    response_model=ReviewItemsOut,
    responses={**example("review_leased"), **refusals(404, 409, 413, 422)},
)
@allow(Role.REVIEWER)
async def decide_alike(caller: Caller, service: TheService, body: DecideAlikeIn) -> Response:
    items = await service.change(
        service.decisions.decide_alike, caller, body.items, body.code, body.why, service.versions
    )
    return json_response({"items": [shown(item) for item in items]})


@router.post(
    "/renew",
    summary="延长领取时间",
    status_code=204,
    responses=refusals(404, 409, 413, 422),
)
@allow(Role.REVIEWER)
async def renew(caller: Caller, service: TheService, body: ItemsIn) -> Response:
    await service.change(service.queue.renew, caller, body.items)
    return Response(status_code=204)


@router.post(
    "/release",
    summary="放回队列,供他人领取",
    status_code=204,
    responses=refusals(404, 409, 413, 422),
)
@allow(Role.REVIEWER)
async def release(caller: Caller, service: TheService, body: ItemsIn) -> Response:
    await service.change(service.queue.release, caller, body.items)
    return Response(status_code=204)


@router.get(
    "/{item}/details",
    summary="决定一项所需的一切:名称分段、候选的注释与税率、相似的已定项",
    response_model=ReviewDetailsOut,
    responses={**example("review_details"), **refusals(404)},
)
@allow(Role.REVIEWER)
async def show_details(caller: Caller, service: TheService, item: ItemId) -> Response:
    found = service.queue.find(caller.tenant, item)
    return json_response({"item": shown(found), **details(service.assistant, service.queue, found)})


@router.get(
    "/{item}/codes/{code}",
    summary="在该项的开票日期核对一个编码",
    response_model=CodeNoteOut,
    responses={**example("review_code"), **refusals(404)},
)
@allow(Role.REVIEWER)
async def show_code_note(caller: Caller, service: TheService, item: ItemId, code: str) -> Response:
    line = InvoiceLine.from_fields(service.queue.find(caller.tenant, item)["line"])
    return json_response(notes_of(service.assistant, line, [code])[code])


@router.get(
    "/{item}/alike",
    summary="与该项同类、可一并决定的待审项",
    response_model=ReviewItemsOut,
    responses={**example("review_leased"), **refusals(404)},
)
@allow(Role.REVIEWER)
async def show_alike(caller: Caller, service: TheService, item: ItemId) -> Response:
    items = service.queue.alike(caller, item)
    return json_response({"items": [shown(one) for one in items]})
