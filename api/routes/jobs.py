"""`/v1/jobs`: whole files in, result files out, classified in the background."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path, PurePath
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile

from api.answers import example, json_response, refusals
from api.errors import NotDoneError, NotFoundError
from api.once import IdempotencyKey, once
from api.schemas_job import JobIn, JobOut, JobsOut
from api.security import Caller, TheService, allow
from api.service import Service
from invoicer.access.principals import Principal, Role
from invoicer.errors import InputError
from invoicer.jobs import files, queue
from invoicer.jobs.job import Job, Options
from invoicer.readers import SUFFIXES

router = APIRouter(prefix="/v1/jobs", tags=["批量任务"])
ABOUT = """文件中商品名称列的表头可用各系统常用写法(商品名称、项目名称、spmc……),其他列也是。
立即答复任务编号;完成后下载结果:原有各列在前,答复各列在后,一行对一行。文件内容在后台的独立
进程中读取,读不懂的文件使任务失败,并在 `error` 中说明原因。同一租户等待和运行中的任务过多时
答复 429。
"""
MAX_FORM_FIELDS = 20
MAX_PAGE = 100
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_FORM = JobIn.model_json_schema()
# The form is read by the route itself, once it is known that the caller may send one.
UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": f"{' '.join(SUFFIXES)} 文件,须有商品名称列",
                        },
                        **_FORM["properties"],
                    },
                },
                "example": {"format": "xlsx", "on": "2026-11-27", "taxpayer": "small"},
            }
        },
    }
}
DOWNLOAD: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "文件",
        "content": {
            kind.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
            for kind in MEDIA_TYPES.values()
        },
    }
}


@router.post(
    "",
    summary="提交一个文件,在后台逐行赋码",
    status_code=202,
    response_model=JobOut,
    description=ABOUT,
    responses={**example("job_queued", 202), **refusals(409, 413, 422)},
    openapi_extra=UPLOAD,
)
@allow(Role.CLIENT)
async def submit(
    request: Request,
    caller: Caller,
    service: TheService,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    most = service.settings.jobs_waiting
    queue.require_room(service.store, caller.tenant, most)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InputError("请用 multipart/form-data 上传文件", field="file")
    async with request.form(max_files=1, max_fields=MAX_FORM_FIELDS) as form:
        upload, options = _file(form), _options(form, service, caller)
        suffix = PurePath(upload.filename or "").suffix.lower()
        if suffix not in SUFFIXES:
            raise InputError(f"不支持的文件类型,请使用 {' '.join(SUFFIXES)}", field="file")
        if not upload.size:
            raise InputError("文件是空的", field="file")
        place, digest = await asyncio.to_thread(files.receive, upload.file, suffix)

    async def work() -> Response:
        job = queue.add(service.store, caller, place, suffix, options, most)
        location = {"Location": f"{request.scope.get('root_path', '')}/v1/jobs/{job.id}"}
        response = json_response(_out(job), 202)
        response.headers.update(location)
        return response

    asked = f"{suffix}\n{options.to_json()}\n{digest}".encode()
    try:
        return await once(request, service, caller, idempotency_key, work, asked)
    finally:
        # Still there where no job came of it.
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)


def _file(form: FormData) -> UploadFile:
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        raise InputError("缺少文件字段 file", field="file")
    return upload


def _options(form: FormData, service: Service, caller: Principal) -> Options:
    """What the form asks for; an empty field is none. Raises RequestValidationError."""
    try:
        given = JobIn.model_validate({k: v for k, v in form.items() if k != "file" and v != ""})
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
    return Options(
        form=given.format,
        on=given.on,
        taxpayer=given.taxpayer,
        seller_industry=given.seller_industry,
        review=(given.review or caller.review) == "auto",
        random_slice=service.settings.random_slice,
        rates=given.rates,
    )


@router.get(
    "",
    summary="本租户的任务,新的在前",
    description="把上一页的 next 作为 before 取下一页;最后一页的 next 为空。",
    response_model=JobsOut,
    responses={**example("jobs"), **refusals(422)},
)
@allow(Role.CLIENT)
async def list_jobs(
    caller: Caller,
    service: TheService,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 20,
    before: Annotated[str, Query(max_length=100, description="上一页的 next")] = "",
) -> Response:
    jobs, mark = queue.page(service.store, caller.tenant, limit, before)
    return json_response({"results": [_out(job) for job in jobs], "next": mark})


@router.get(
    "/{job_id}",
    summary="一个任务的状态与进度",
    description="queued 等待,running 处理中,done 完成,failed 失败(原因见 error),cancelled 已取消。",
    response_model=JobOut,
    responses={**example("job"), **refusals(404)},
)
@allow(Role.CLIENT)
async def show_job(caller: Caller, service: TheService, job_id: str) -> Response:
    return json_response(_out(_job(service, caller, job_id)))


@router.get(
    "/{job_id}/result",
    summary="下载结果:输入各列在前,答复各列在后",
    response_class=FileResponse,
    responses={**DOWNLOAD, **refusals(404, 409)},
)
@allow(Role.CLIENT)
async def download_result(caller: Caller, service: TheService, job_id: str) -> Response:
    job = _done(service, caller, job_id)
    form = job.options.form
    return _download(files.result_file(files.folder(job.id), form), MEDIA_TYPES[form], job)


@router.get(
    "/{job_id}/rejects",
    summary="下载未能赋码的行:行号、字段、原因(CSV)",
    response_class=FileResponse,
    responses={200: {"description": "CSV", "content": {"text/csv": {}}}, **refusals(404, 409)},
)
@allow(Role.CLIENT)
async def download_rejects(caller: Caller, service: TheService, job_id: str) -> Response:
    job = _done(service, caller, job_id)
    return _download(files.folder(job.id) / files.REJECTS, MEDIA_TYPES["csv"], job)


@router.delete(
    "/{job_id}",
    summary="取消等待或运行中的任务(200);删除已结束的任务及其文件(204)",
    response_model=JobOut,
    responses={**example("job"), 204: {"description": "已删除"}, **refusals(404)},
)
@allow(Role.CLIENT)
async def delete_job(caller: Caller, service: TheService, job_id: str) -> Response:
    job = queue.cancel(service.store, caller.tenant, job_id)
    if job is not None:
        return json_response(_out(job))
    job = _job(service, caller, job_id)
    queue.delete(service.store, caller.tenant, job.id)
    return Response(status_code=204)


def _job(service: Service, caller: Principal, ident: str) -> Job:
    """A job of the caller's tenant; whose it is otherwise is nobody's business."""
    job = queue.find(service.store, caller.tenant, ident)
    if job is None:
        raise NotFoundError("没有这个任务")
    return job


def _done(service: Service, caller: Principal, ident: str) -> Job:
    job = _job(service, caller, ident)
    if job.state != "done":
        raise NotDoneError("任务没有结果:尚未完成、已失败或已取消", state=job.state)
    return job


def _download(path: Path, media_type: str, job: Job) -> Response:
    if not path.is_file():
        raise NotFoundError("没有这个文件")
    name = f"{job.id}-{path.name}"
    return FileResponse(path, media_type=media_type, filename=name)


def _out(job: Job) -> dict[str, Any]:
    rate, left = job.rows_per_second, job.seconds_left
    return {
        "id": job.id,
        "state": job.state,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "attempts": job.attempts,
        "rows_total": job.rows_total,
        "rows_done": job.rows_done,
        "rows_failed": job.rows_failed,
        "rows_per_second": None if rate is None else round(rate, 1),
        "seconds_left": None if left is None else round(left, 1),
        "error": job.error,
        "format": job.options.form,
        "on": job.options.on,
        "taxpayer": job.options.taxpayer,
        "seller_industry": job.options.seller_industry,
        "review": "auto" if job.options.review else "none",
        "rates": job.options.rates,
    }
