"""`/v1/appeals`: enterprises contest a code or a rate; reviewers or the panel answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response

from api.answers import example, json_response, refusals
from api.downloads import described, to_be_saved
from api.once import IdempotencyKey, once
from api.routes.panel import Due, Page
from api.schemas_panel import AnswerIn, AppealIn, AppealOut, AppealsOut, AttachmentOut, UpholdIn
from api.security import Caller, TheService, allow
from api.service import Service
from api.uploads import file_of, form_of, multipart
from invoicer.access.principals import Principal, Role
from invoicer.review import appeals, attachments
from invoicer.review.appeals import Contested

router = APIRouter(prefix="/v1/appeals", tags=["异议申诉"])
AppealId = Annotated[str, Path(max_length=60)]
FileId = Annotated[str, Path(max_length=60)]
_FILE = ("id", "name", "kind", "size", "sha256", "at")
UPLOAD = multipart({"file": f"{'、'.join(attachments.KINDS)} 文件"})


def shown(service: Service, appeal: dict[str, Any]) -> dict[str, Any]:
    """An appeal as the enterprise sees it."""
    names = ("id", "state", "line", "contested_code", "contested_rate", "wanted_code",
             "wanted_rate", "reason", "created_at", "due_on", "code", "answer",
             "ruling")  # fmt: skip
    files = attachments.of_appeal(service.store, appeal)
    return {
        **{name: appeal[name] for name in names},
        "panel_case": appeal["panel_case"] or "",
        "closed_at": appeal["closed_at"] or "",
        "attachments": [{name: file[name] for name in _FILE} for file in files],
    }


@router.post(
    "",
    summary="提出异议",
    status_code=201,
    response_model=AppealOut,
    responses={**example("appeal", 201), **refusals(409, 413, 422)},
)
@allow(Role.CLIENT)
async def file_appeal(
    request: Request,
    caller: Caller,
    service: TheService,
    body: AppealIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    async def work() -> Response:
        contested = Contested(
            body.contested_code, body.contested_rate, body.wanted_code, body.wanted_rate
        )
        appeal = await service.change(
            appeals.insert, service.store, caller, body.line.to_line(), contested, body.reason,
            service.settings.appeal_days,
        )  # fmt: skip
        return json_response(shown(service, appeal), 201)

    return await once(request, service, caller, idempotency_key, work)


@router.get(
    "",
    summary="本租户的申诉:在办的按期限在前",
    response_model=AppealsOut,
    responses={**example("appeals"), **refusals(422)},
)
@allow(Role.CLIENT)
async def list_appeals(
    caller: Caller,
    service: TheService,
    state: Literal["", "received", "referred", "upheld", "rejected"] = "",
    page: Page = 1,
    due: Due = None,
) -> Response:
    total, found = appeals.search(service.store, caller.tenant, state, page, due)
    return json_response({"total": total, "appeals": [shown(service, one) for one in found]})


@router.get(
    "/{appeal}", summary="一项申诉:进展、期限和答复", response_model=AppealOut,
    responses={**example("appeal"), **refusals(404)},
)  # fmt: skip
@allow(Role.CLIENT)
async def show_appeal(caller: Caller, service: TheService, appeal: AppealId) -> Response:
    return json_response(shown(service, appeals.find(service.store, caller.tenant, appeal)))


@router.post(
    "/{appeal}/attachments",
    summary="补充附件:一次一个文件",
    status_code=201,
    response_model=AttachmentOut,
    responses={**example("attachment", 201), **refusals(404, 409, 413, 422)},
    openapi_extra=UPLOAD,
)
@allow(Role.CLIENT)
async def attach(
    request: Request, caller: Caller, service: TheService, appeal: AppealId
) -> Response:
    file = await receive(request, service, caller, appeal)
    return json_response({name: file[name] for name in _FILE}, 201)


async def receive(
    request: Request, service: Service, caller: Principal, appeal: str
) -> dict[str, Any]:
    """Keep the file of a form with an appeal that is open."""
    found = appeals.open_for_files(service.store, caller.tenant, appeal)
    async with form_of(request) as form:
        upload = file_of(form)
        return await service.in_thread(
            attachments.add, service.store, found, upload.filename or "", upload.file,
            service.settings.attachment_bytes,
        )  # fmt: skip


@router.get(
    "/{appeal}/attachments/{file}",
    summary="下载附件",
    response_class=Response,
    responses={**described(), **refusals(404)},
)
@allow(Role.CLIENT)
async def download(caller: Caller, service: TheService, appeal: AppealId, file: FileId) -> Response:
    found = appeals.find(service.store, caller.tenant, appeal)
    return as_download(attachments.find(service.store, found, file))


def as_download(file: dict[str, Any]) -> Response:
    """A file of an appeal, to be saved."""
    return to_be_saved(attachments.path_of(file["id"]), file["name"])


@router.post(
    "/{appeal}/uphold",
    summary="异议成立:改定编码",
    response_model=AppealOut,
    responses={**example("appeal"), **refusals(404, 409, 413, 422)},
)
@allow(Role.REVIEWER)
async def uphold(caller: Caller, service: TheService, appeal: AppealId, body: UpholdIn) -> Response:
    done = await service.change(service.appeals.uphold, caller, appeal, body.code, body.answer)
    return json_response(shown(service, done))


@router.post(
    "/{appeal}/reject",
    summary="维持原判,写明理由",
    response_model=AppealOut,
    responses={**example("appeal"), **refusals(404, 409, 413, 422)},
)
@allow(Role.REVIEWER)
async def reject(caller: Caller, service: TheService, appeal: AppealId, body: AnswerIn) -> Response:
    done = await service.change(service.appeals.reject, caller, appeal, body.answer)
    return json_response(shown(service, done))


@router.post(
    "/{appeal}/refer",
    summary="提交编审委员会",
    response_model=AppealOut,
    responses={**example("appeal"), **refusals(404, 409, 413, 422)},
)
@allow(Role.REVIEWER)
async def refer(caller: Caller, service: TheService, appeal: AppealId, body: AnswerIn) -> Response:
    done = await service.change(service.appeals.refer, caller, appeal, body.answer)
    return json_response(shown(service, done))
