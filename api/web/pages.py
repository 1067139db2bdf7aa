"""What all pages share: templates, the strict content policy, errors as pages, static files."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.errors import problem_of
from invoicer import labels
from invoicer.access.principals import AuthenticationError, Principal, Role
from invoicer.declared_rate import read_rate
from invoicer.errors import InvoicerError, NotFoundError
from invoicer.line import CHINA, parse_amount
from invoicer.review.states import State
from invoicer.suggestion import Tier
from knowledge_base.taxonomy import subtree_prefix

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
Handler = Callable[[Request, Any], Response | Awaitable[Response]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STATIC = Path(str(files("api.web") / "static"))
# In the address of each static file, so that a browser may keep it for ever.
FINGERPRINT = hashlib.sha256(
    b"".join(path.read_bytes() for path in sorted(STATIC.iterdir()))
).hexdigest()[:12]
NAVIGATION = (
    ("/review", "审核", Role.REVIEWER),
    ("/review/groups", "同类", Role.REVIEWER),
    ("/review/items", "明细", Role.REVIEWER),
    ("/review/disputed", "争议", Role.EXPERT),
    ("/panel", "编审", Role.EXPERT),
    ("/rulings", "裁定", Role.CLIENT),
    ("/appeals", "申诉", Role.CLIENT),
    ("/jobs", "批量任务", Role.CLIENT),
    ("/figures", "概览", Role.REVIEWER),
    ("/desk", "知识库", Role.EXPERT),
    ("/desk/proposals", "提案", Role.REVIEWER),
    ("/people", "人员与密钥", Role.ADMIN),
)


def last_page(total: int, size: int) -> int:
    return max(1, -(-total // size))


def page(endpoint: Endpoint) -> Endpoint:
    """Mark a route as a page: a browser is shown its errors as pages, and asked to sign in."""
    endpoint.__dict__["is_page"] = True
    return endpoint


def yuan(fen: int) -> str:
    """1,234.50 for 123450."""
    return f"{Decimal(fen) / 100:,.2f}"


def amount(text: str) -> str:
    """1,234.50 for 1234.5; what is no number as it stands."""
    return f"{found:,.2f}" if (found := parse_amount(text)[0]) is not None else text


def rate(text: str) -> str:
    """13% for 0.13; what is no rate as it stands."""
    found, _ = read_rate(text)
    return found.label if found is not None else text


def moment(text: str | None) -> str:
    """A stored moment as China's clock shows it: 2026-11-27 11:04."""
    if not text:
        return ""
    return dt.datetime.fromisoformat(text).astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def code_parts(code: str) -> tuple[str, str]:
    """The digits that say something, and the zeros that fill up."""
    start = subtree_prefix(code) if code else ""
    return start, code[len(start) :]


def compact(row: dict[str, str]) -> str:
    """A row of a table as text for an address or a form."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


_environment = Environment(
    loader=PackageLoader("api.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters |= {"yuan": yuan, "amount": amount, "rate": rate, "moment": moment,
                         "code_parts": code_parts, "compact": compact}  # fmt: skip
_environment.globals |= {
    "fingerprint": FINGERPRINT,
    "labels": labels,
    "Role": Role,
    "State": State,
    "Tier": Tier,
}


def render(
    request: Request, template: str, caller: Principal | None = None, status: int = 200,
    **values: Any,
) -> Response:  # fmt: skip
    """A page. caller: who is signed in, and so what the navigation offers."""
    root = request.scope.get("root_path", "")
    links = [
        (path, label)
        for path, label, role in NAVIGATION
        if caller is not None and caller.role.includes(role)
    ]
    here = max((p for p, _ in links if _path(request).startswith(p)), key=len, default="")
    text = _environment.get_template(template).render(
        root=root, static=f"{root}/static/{FINGERPRINT}", links=links, here=here, caller=caller,
        **values,
    )  # fmt: skip
    headers = {"Content-Security-Policy": POLICY}
    return Response(text, status, headers, "text/html; charset=utf-8")


def redirect(request: Request, path: str, **query: str) -> Response:
    """Go on to another page, by GET."""
    target = request.scope.get("root_path", "") + path
    return RedirectResponse(target + (f"?{urlencode(query)}" if query else ""), 303)


def _path(request: Request) -> str:
    """The path below the root path."""
    return request.url.path.removeprefix(request.scope.get("root_path", ""))


def as_page(otherwise: Handler) -> Handler:
    """A handler that shows a browser the errors of pages as pages; others stay as they are."""

    async def handle(request: Request, error: Any) -> Response:
        answer = otherwise(request, error)  # says in the log what is to be said there
        if not isinstance(answer, Response):
            answer = await answer
        is_page = getattr(request.scope.get("endpoint"), "is_page", False)
        if not is_page or "text/html" not in request.headers.get("accept", ""):
            return answer
        if isinstance(error, AuthenticationError):
            query = request.url.query if request.method == "GET" else ""
            path = _path(request) if request.method == "GET" else "/"
            return redirect(request, "/sign-in", next=path + (f"?{query}" if query else ""))
        caller = request.scope.get("principal")
        message = ""
        if isinstance(error, InvoicerError):
            message = error.message
        elif isinstance(error, RequestValidationError):
            message = ":".join(filter(None, problem_of(error.errors()[0])))
        return render(request, "error.html", caller, answer.status_code, message=message)

    return handle


async def static(fingerprint: str, name: str) -> Response:
    """What the pages are made of."""
    path = STATIC / name
    if path.parent != STATIC or not path.is_file():
        raise NotFoundError("没有这个文件")
    kept = "public, max-age=31536000, immutable" if fingerprint == FINGERPRINT else "no-store"
    return FileResponse(path, headers={"Cache-Control": kept})
