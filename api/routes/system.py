"""Versions, health and figures."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.answers import example, json_response, refusals
from api.metrics import exposition
from api.schemas import ErrorOut, ModelOut, StatusOut
from api.security import TheService, allow, allow_anybody
from invoicer.access.principals import Role

router = APIRouter(tags=["运行"])
WITHOUT_KEY: dict[str, Any] = {"security": [{}]}  # OpenAPI: a key may be given, none is needed


@router.get(
    "/v1/models/current",
    summary="正在使用的模型与知识库",
    response_model=ModelOut,
    description="每个答复也带这两个版本;card 是训练时的数据、日期和强档的准确率。",
    responses={**example("model"), **refusals()},
)
@allow(Role.CLIENT)
async def current_model(service: TheService) -> Response:
    assistant = service.assistant
    return json_response(
        {
            "model_version": assistant.model_version,
            "kb_version": assistant.kb_version,
            "card": assistant.learned.card,
        }
    )


@router.get(
    "/healthz",
    summary="进程是否活着",
    response_model=StatusOut,
    responses=example("status"),
    openapi_extra=WITHOUT_KEY,
)
@allow_anybody
async def healthy() -> Response:
    return json_response({"status": "ok"})


@router.get(
    "/readyz",
    summary="能否答复:模型已加载,数据库可读",
    response_model=StatusOut,
    responses={
        **example("status"),
        503: {"model": ErrorOut, "description": "暂时不能答复"},
    },
    openapi_extra=WITHOUT_KEY,
)
@allow_anybody
async def ready(service: TheService) -> Response:
    service.check()
    return json_response({"status": "ok"})


async def metrics() -> Response:
    """Prometheus figures; who may read them is a setting, so the app adds the route."""
    text, kind = exposition()
    return Response(text, media_type=kind)
