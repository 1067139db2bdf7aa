"""Every failure in one shape: `{"error": {code, message, context, request_id}}`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from invoicer.access.idempotency import ConflictError
from invoicer.access.limits import TooManyError
from invoicer.access.principals import AuthenticationError, ForbiddenError
from invoicer.desk.proposals import NotPreviewedError, RefusedByGateError
from invoicer.errors import InputError, InvoicerError, NotFoundError, UnavailableError
from invoicer.review.states import ReviewConflictError

log = logging.getLogger("invoicer.service")


class NotDoneError(InvoicerError):
    """The job has no result, or not yet."""

    code = "job_not_done"


class TookTooLongError(InvoicerError):
    """Not answered within the time a request may take."""

    code = "timeout"


# The first class that fits decides; the most special ones come first.
STATUS: Mapping[type[InvoicerError], int] = {
    AuthenticationError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ReviewConflictError: 409,
    NotPreviewedError: 409,
    RefusedByGateError: 409,
    ConflictError: 409,
    NotDoneError: 409,
    InputError: 422,
    TooManyError: 429,
    TookTooLongError: 503,
    UnavailableError: 503,
}
# What Starlette itself refuses, by HTTP status.
REFUSALS = {
    400: ("bad_request", "请求体无法读取:不是有效的 JSON,或数字过长、嵌套过深"),
    404: ("not_found", "没有这个地址,请查看 docs/api.md"),
    405: ("method_not_allowed", "这个地址不支持该请求方法"),
    413: ("too_large", "请求体过大,请分批发送"),
    415: ("bad_media_type", "请用 Content-Type: application/json 发送"),
}
# Steps of an error's place that name no field: where it came in, and the forms of a union.
NOT_FIELDS = {"body", "query", "path", "header", "one", "many"}
# Pydantic's kinds of error in Chinese.
PROBLEMS = {
    "missing": "缺少该字段",
    "json_invalid": "请求体不是有效的 JSON",
    "string_too_long": "超过 {max_length} 个字符",
    "string_too_short": "不能为空",
    "too_long": "超过 {max_length} 项",
    "too_short": "至少 {min_length} 项",
    "extra_forbidden": "没有这个字段",
    "string_pattern_mismatch": "格式不正确,应符合 {pattern}",
    "enum": "只能是 {expected}",
    "literal_error": "只能是 {expected}",
    "model_attributes_type": "应为 JSON 对象",
    "model_type": "应为 JSON 对象",
    "list_type": "应为数组",
    "string_type": "应为文本",
    "string_unicode": "含有残缺的字符",
    "bool_parsing": "应为 true 或 false",
    "float_parsing": "应为数字",
    "int_type": "应为整数",
    "int_from_float": "应为整数",
    "date_type": "日期请写成 2026-11-27",
    "date_from_datetime_parsing": "日期请写成 2026-11-27",
    "date_parsing": "日期请写成 2026-11-27",
    "int_parsing": "应为整数",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
}
OTHER_PROBLEM = "内容无效"


def error_response(
    request: Request, status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    """An error body with the request's id added."""
    body["error"]["request_id"] = request.scope.get("request_id", "")
    return Response(orjson.dumps(body), status, headers, "application/json")


def status_of(error: InvoicerError) -> int:
    """HTTP status of a domain error."""
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)


def domain_error(request: Request, error: Exception) -> Response:
    """What the product refuses, or what it needs and has not."""
    assert isinstance(error, InvoicerError)
    headers = {}
    if isinstance(error, AuthenticationError):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyError):
        headers["Retry-After"] = str(error.context["retry_after"])
    status = status_of(error)
    if status >= 500:
        log.error("unavailable", exc_info=error, extra={"request_id": request.scope["request_id"]})
    return error_response(request, status, error.to_dict(), headers)


def refusal(request: Request, error: Exception) -> Response:
    """What the web framework itself refuses."""
    assert isinstance(error, HTTPException)
    code, message = REFUSALS.get(error.status_code, ("bad_request", "请求无法处理"))
    body = {"error": {"code": code, "message": message, "context": {}}}
    return error_response(request, error.status_code, body, error.headers)


def problem_of(detail: Any) -> tuple[str, str]:
    """(field, what is wrong with it in Chinese) of one of pydantic's errors."""
    parts = [str(part) for part in detail["loc"] if part not in NOT_FIELDS]
    field = "" if detail["type"] == "json_invalid" else ".".join(parts)
    problem = PROBLEMS.get(detail["type"], OTHER_PROBLEM).format(**detail.get("ctx", {}))
    return field, problem


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if isinstance(error.body, bytes):  # not announced as JSON, so nobody read it as such
        return refusal(request, HTTPException(415))
    field, problem = problem_of(error.errors()[0])
    message = f"{field}:{problem}" if field else problem
    body = {"error": {"code": "bad_request", "message": message, "context": {"field": field}}}
    return error_response(request, 422, body)


def internal_error(request: Request, error: Exception) -> Response:
    """The answer to a mistake of ours: its details go to the log, not to the caller."""
    log.error("unexpected error", exc_info=error, extra={"request_id": request.scope["request_id"]})
    body = {"error": {"code": "internal", "message": "内部错误,请凭 request_id 联系管理员",
                      "context": {}}}  # fmt: skip
    return error_response(request, 500, body)


def add_handlers(app: FastAPI) -> None:
    """Make every failure of the app take the one shape."""
    app.add_exception_handler(InvoicerError, domain_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, refusal)
