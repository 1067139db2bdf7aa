"""`/v1/jobs`: whole files in, result files out, classified or re-coded in the background."""

from __future__ import annotations

import asyncio
import shutil
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse

from api.answers import example, json_response, refusals
from api.downloads import described, to_be_saved
from api.errors import NotDoneError
from api.job_form import MAX_FORM_FIELDS, UPLOAD, read_form
from api.once import IdempotencyKey, once
from api.schemas_job import JobOut, JobsOut
from api.security import Caller, TheService, allow
from api.service import Service, job_account
from api.uploads import form_of
from invoicer.access.principals import Principal, Role
from invoicer.errors import NotFoundError
from invoicer.jobs import files, queue
from invoicer.jobs.job import Job

router = APIRouter(prefix="/v1/jobs", tags=["批量任务"])
ABOUT = """文件中商品名称列的表头可用各系统常用写法(商品名称、项目名称、spmc……),其他列也是。
`kind` 为 `classify` 时给每行赋码;为 `recode` 时复核历史发票:应有的编码和税率、错在哪里、涉及
多少税款,另有 HTML 报告,并可填写官方批量开票模板。立即答复任务编号;完成后下载结果:原有各列在前,
答复各列在后,一行对一行。文件内容在后台的独立进程中读取,读不懂的文件使任务失败,并在 `error` 中
说明原因。同一租户等待和运行中的任务过多,或此前任务的行数尚未按密钥的限额抵完时,答复 429。
"""
MAX_PAGE = 100
CSV, HTML, ZIP = "text/csv; charset=utf-8", "text/html; charset=utf-8", "application/zip"
MEDIA_TYPES = {
    "csv": CSV,
    "jsonl": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}


@router.post(
    "",
    summary="提交一个文件,在后台逐行赋码,或复核历史发票",
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
    service.limit.take(job_account(caller.id), 1, caller.lines_per_second)
    queue.require_room(service.store, caller.tenant, most)
    async with form_of(request, 2, MAX_FORM_FIELDS) as form:
        asked = read_form(form, caller, service.settings.random_slice)
        place, digest = await asyncio.to_thread(
            files.receive, asked.file, asked.suffix, asked.template
        )

    async def work() -> Response:
        job = await service.change(
            queue.add, service.store, caller, place, asked.suffix, asked.options, most
        )
        location = {"Location": f"{request.scope.get('root_path', '')}/v1/jobs/{job.id}"}
        response = json_response(_out(job), 202)
        response.headers.update(location)
        return response

    content = f"{asked.suffix}\n{asked.options.to_json()}\n{digest}".encode()
    try:
        return await once(request, service, caller, idempotency_key, work, content)
    finally:
        # Still there where no job came of it.
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)


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
    responses={**described(*MEDIA_TYPES.values()), **refusals(404, 409)},
)
@allow(Role.CLIENT)
async def download_result(caller: Caller, service: TheService, job_id: str) -> Response:
    job = _done(service, caller, job_id)
    return _file(job, "result", MEDIA_TYPES[job.options.form])


@router.get(
    "/{job_id}/rejects",
    summary="下载未能赋码或判断的行:行号、字段、原因(CSV)",
    response_class=FileResponse,
    responses={**described(CSV), **refusals(404, 409)},
)
@allow(Role.CLIENT)
async def download_rejects(caller: Caller, service: TheService, job_id: str) -> Response:
    return _file(_done(service, caller, job_id), "rejects", CSV)


@router.get(
    "/{job_id}/report",
    summary="下载复核报告:一个不引用外部内容的 HTML 文件",
    response_class=FileResponse,
    responses={**described(HTML), **refusals(404, 409)},
)
@allow(Role.CLIENT)
async def download_report(caller: Caller, service: TheService, job_id: str) -> Response:
    return _file(_done(service, caller, job_id), "report", HTML)


@router.get(
    "/{job_id}/template",
    summary="下载填好的官方批量开票模板:每个文件最多 2000 行(ZIP)",
    response_class=FileResponse,
    responses={**described(ZIP), **refusals(404, 409)},
)
@allow(Role.CLIENT)
async def download_template(caller: Caller, service: TheService, job_id: str) -> Response:
    return _file(_done(service, caller, job_id), "template", ZIP)


@router.delete(
    "/{job_id}",
    summary="取消等待或运行中的任务(200);删除已结束的任务及其文件(204)",
    response_model=JobOut,
    responses={**example("job"), 204: {"description": "已删除"}, **refusals(404)},
)
@allow(Role.CLIENT)
async def delete_job(caller: Caller, service: TheService, job_id: str) -> Response:
    job = await service.change(queue.cancel, service.store, caller.tenant, job_id)
    if job is not None:
        return json_response(_out(job))
    job = _job(service, caller, job_id)
    await service.change(queue.delete, service.store, caller.tenant, job.id)
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


def _file(job: Job, what: str, media_type: str) -> Response:
    path = files.outcome(files.folder(job.id), job.options.form)[what]
    return to_be_saved(path, f"{job.id}-{path.name}", media_type)


def _out(job: Job) -> dict[str, Any]:
    rate, left = job.rows_per_second, job.seconds_left
    asked, stage = job.options, job.stage
    return {
        "id": job.id,
        "kind": asked.kind,
        "state": job.state,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "attempts": job.attempts,
        "stage": stage and {"name": stage.stage, "done": stage.done, "total": stage.total},
        "rows_total": job.rows_total,
        "rows_done": job.rows_done,
        "rows_failed": job.rows_failed,
        "rows_with_findings": job.rows_with_findings,
        "rows_per_second": None if rate is None else round(rate, 1),
        "seconds_left": None if left is None else round(left, 1),
        "downloads": files.downloads(job.id, asked.form) if job.state == "done" else [],
        "notes": job.notes,
        "error": job.error,
        "format": asked.form,
        "on": asked.on,
        "taxpayer": asked.taxpayer,
        "seller_industry": asked.seller_industry,
        "review": "auto" if asked.review else "none",
        "map": [f"{title}={field}" for title, field in asked.mapping.items()],
        "rates": asked.rates,
        "report": asked.report,
        "template": asked.template,
    }
