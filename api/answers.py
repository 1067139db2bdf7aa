"""JSON answers, and what OpenAPI says of the refusals."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import orjson
from fastapi import Response

from api.schemas import ErrorOut

_REFUSALS = {
    400: "请求格式不正确",
    401: "没有密钥,或密钥无效",
    403: "密钥没有权限",
    404: "不存在",
    409: "Idempotency-Key 已用于另一个请求,或任务还没有结果",
    413: "请求体过大",
    415: "请求体不是 application/json",
    422: "字段无效,context.field 指明字段",
    429: "过于频繁,Retry-After 秒后重试",
    503: "超时或服务不可用",
}


# Worked answers by name, as the service gave them.
EXAMPLES: dict[str, Any] = orjson.loads((files("api") / "examples.json").read_bytes())


def json_response(body: Any, status: int = 200) -> Response:
    """A body of plain types as JSON."""
    return Response(orjson.dumps(body), status, media_type="application/json")


def example(name: str, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entry that shows a worked answer."""
    return {status: {"content": {"application/json": {"example": EXAMPLES[name]}}}}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for what a route may refuse, beside what every route with a key may."""
    unread = {400} if 413 in statuses else set()  # a body can be too large, or no JSON at all
    return {
        status: {
            "model": ErrorOut,
            "description": _REFUSALS[status],
            **example("error", status)[status],
        }
        for status in sorted({401, 403, 429, 503, *statuses, *unread})
    }
