"""`/v1/desk`: the words of the knowledge base, proposals to change them, and the tax lead's
figures."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from api.answers import example, json_response, refusals
from api.desk import accepted, begin_preview, effect_of, lead_of, notes_of
from api.downloads import described, made
from api.routes.codes import CodePath, On
from api.schemas import PageNumber
from api.schemas_desk import (
    CodeNotesOut,
    DiffOut,
    EffectOut,
    ProposalIn,
    ProposalOut,
    ProposalsOut,
    RollbackIn,
    VersionsOut,
    WordsOut,
)
from api.schemas_review import WhyIn
from api.security import Caller, TheService, allow
from api.service import Service
from invoicer.access.principals import Principal, Role
from invoicer.desk import history
from invoicer.desk.export import export
from invoicer.desk.proposals import ProposalState
from invoicer.errors import NotFoundError
from invoicer.line import today
from invoicer.spreadsheet import safe_csv
from knowledge_base.official.manifest import VersionInfo
from knowledge_base.word_tables import WordTable

router = APIRouter(prefix="/v1/desk", tags=["知识库"])
Ident = Annotated[str, Path(max_length=60, examples=["pp_0123456789abcdef"])]
VersionName = Annotated[str, Query(max_length=60)]


@router.get(
    "/codes/{code}",
    summary="一个编码的全部:名称、样例、裁定、决定、混淆、各时期税率",
    response_model=CodeNotesOut,
    responses={**example("desk_code"), **refusals(404, 422)},
)
@allow(Role.EXPERT)
async def show_code(
    caller: Caller, service: TheService, code: CodePath, on: On = None, number: PageNumber = 1
) -> Response:
    return json_response(notes_of(service, caller, code, on or today(), number))


@router.get(
    "/words/{table}",
    summary="一个词表的行,可按其中的文字查找",
    response_model=WordsOut,
    responses={**example("desk_words"), **refusals(422)},
)
@allow(Role.EXPERT)
async def show_words(
    service: TheService,
    table: WordTable,
    q: Annotated[str, Query(max_length=100)] = "",
    number: PageNumber = 1,
) -> Response:
    total, rows = service.words.search(table, q, number)
    return json_response({"total": total, "rows": rows})


@router.post(
    "/proposals",
    summary="提议修改词表:先核对,再由另一位专家预览后采纳",
    response_model=ProposalOut,
    responses={**example("desk_proposal"), **refusals(400, 413, 422)},
)
@allow(Role.REVIEWER)
async def propose(caller: Caller, service: TheService, body: ProposalIn) -> Response:
    made = await service.change(
        service.proposals.propose, caller, service.words,
        [edit.to_edit() for edit in body.edits], body.why, provisional=body.provisional,
        item=body.item, ruling=body.ruling,
    )  # fmt: skip
    return json_response(made.to_json())


@router.get(
    "/proposals",
    summary="提案,新的在前",
    response_model=ProposalsOut,
    responses={**example("desk_proposals"), **refusals(422)},
)
@allow(Role.REVIEWER)
async def list_proposals(
    caller: Caller,
    service: TheService,
    state: ProposalState = ProposalState.OPEN,
    provisional: bool = False,
    number: PageNumber = 1,
) -> Response:
    total, found = service.proposals.page(caller.tenant, state, number, provisional)
    return json_response({"total": total, "proposals": [one.to_json() for one in found]})


@router.get(
    "/proposals/{proposal_id}",
    summary="一个提案",
    response_model=ProposalOut,
    responses={**example("desk_proposal"), **refusals(404)},
)
@allow(Role.REVIEWER)
async def show_proposal(caller: Caller, service: TheService, proposal_id: Ident) -> Response:
    return json_response(service.proposals.find(caller.tenant, proposal_id).to_json())


@router.get(
    "/proposals/{proposal_id}/effect",
    summary="预览的结果:哪些答复会变,能否通过检验",
    response_model=EffectOut,
    responses={**example("desk_effect"), **refusals(404)},
)
@allow(Role.REVIEWER)
async def show_effect(caller: Caller, service: TheService, proposal_id: Ident) -> Response:
    found = service.proposals.find(caller.tenant, proposal_id)
    return json_response(effect_of(service, caller, found))


@router.post(
    "/proposals/{proposal_id}/preview",
    summary="开始预览:在后台编译修改后的知识库并比较,约需一分钟",
    status_code=202,
    response_model=EffectOut,
    responses={**example("desk_preview", 202), **refusals(404)},
)
@allow(Role.EXPERT)
async def start_preview(caller: Caller, service: TheService, proposal_id: Ident) -> Response:
    found = service.proposals.find(caller.tenant, proposal_id)
    await begin_preview(service, found)
    return json_response(effect_of(service, caller, found), 202)


@router.post(
    "/proposals/{proposal_id}/accept",
    summary="采纳:成为新版本并立即启用;不能是自己的提案,须预览且通过检验",
    response_model=ProposalOut,
    responses={**example("desk_proposal"), **refusals(400, 404, 409, 413, 422)},
)
@allow(Role.EXPERT)
async def accept(caller: Caller, service: TheService, proposal_id: Ident, body: WhyIn) -> Response:
    return json_response((await accepted(service, caller, proposal_id, body.why)).to_json())


@router.post(
    "/proposals/{proposal_id}/reject",
    summary="不采纳,写明理由",
    response_model=ProposalOut,
    responses={**example("desk_proposal"), **refusals(400, 404, 409, 413, 422)},
)
@allow(Role.EXPERT)
async def reject(caller: Caller, service: TheService, proposal_id: Ident, body: WhyIn) -> Response:
    done = await service.change(service.proposals.reject, caller, proposal_id, body.why)
    return json_response(done.to_json())


@router.get("/versions", summary="知识库的各版本,新的在前", response_model=VersionsOut,
            responses={**example("desk_versions"), **refusals()})  # fmt: skip
@allow(Role.EXPERT)
async def show_versions(caller: Caller, service: TheService) -> Response:
    return json_response(_versions(service, caller))


@router.get(
    "/diff",
    summary="两个版本的差别",
    response_model=DiffOut,
    responses={**example("desk_diff"), **refusals(422)},
)
@allow(Role.EXPERT)
async def show_diff(service: TheService, old: VersionName, new: VersionName) -> Response:
    codes, words = await asyncio.to_thread(
        history.differences, service.proposals.settings, old, new
    )
    return json_response({"codes": codes.summary(), "words": [edit.to_json() for edit in words]})


@router.post(
    "/rollback",
    summary="退回以前的版本;运行中的服务随即跟随",
    response_model=VersionsOut,
    responses={**example("desk_versions"), **refusals(400, 413, 422)},
)
@allow(Role.ADMIN)
async def roll_back(caller: Caller, service: TheService, body: RollbackIn) -> Response:
    settings = service.proposals.settings
    await service.change(history.roll_back, settings, service.store, caller, body.to)
    return json_response(_versions(service, caller))


@router.post(
    "/rebase",
    summary="程序更新后,把已有的导入与修改放到新随附的表上;运行中的服务随即跟随",
    response_model=VersionsOut,
    responses={**example("desk_versions"), **refusals(422)},
)
@allow(Role.ADMIN)
async def rebase(caller: Caller, service: TheService) -> Response:
    settings = service.proposals.settings
    await service.change(history.rebase, settings, service.store, caller)
    return json_response(_versions(service, caller))


@router.get(
    "/export",
    summary="词表:与随附的 CSV 同样的格式",
    responses={**described("application/zip", text="ZIP 文件"), **refusals()},
    response_class=Response,
)
@allow(Role.EXPERT)
async def export_words(caller: Caller, service: TheService) -> Response:
    own = history.own_versions(service.store, caller.tenant)
    data = await asyncio.to_thread(export, service.proposals.settings.version_store(), own=own)
    return made(data, "words.zip", "application/zip")


@router.get(
    "/figures/{name}.csv",
    summary="税务负责人的一张图表:chapters、industries、months、drift、disputes、rulings、"
    "agreement、confusions、missing",
    responses={**described("text/csv", text="CSV 文件"), **refusals(404)},
    response_class=Response,
)
@allow(Role.EXPERT)
async def show_figures(
    caller: Caller, service: TheService, name: Annotated[str, Path(max_length=20)]
) -> Response:
    found = lead_of(service, caller).sheet(name)
    if found is None:
        raise NotFoundError("没有这张图表")
    return made(safe_csv(*found.flat()), f"{found.name}.csv", "text/csv")


def _versions(service: Service, caller: Principal) -> dict[str, Any]:
    settings = service.proposals.settings
    found = history.versions(settings, service.store, caller.tenant)
    return {
        "outdated": bool(settings.outdated()),
        "versions": [
            {**_version(one), "left_out": [e.to_json() for e in history.left_out(settings, one)]}
            for one in found
        ],
    }


def _version(info: VersionInfo) -> dict[str, Any]:
    shown = ("id", "effective", "imported_at", "edits", "reason", "proposed_by", "accepted_by",
             "ruling", "is_current")  # fmt: skip
    row = asdict(info)
    return {"title": info.title, **{name: row[name] for name in shown}}
