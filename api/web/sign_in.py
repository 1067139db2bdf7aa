"""Signing in and out."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response

from api import sessions
from api.security import TheService, allow, allow_anybody
from api.service import Service
from api.web.pages import NAVIGATION, page, redirect, render
from invoicer.access import users
from invoicer.access.limits import TooManyError
from invoicer.access.principals import AuthenticationError, Principal, Role

router = APIRouter(include_in_schema=False)
# Where somebody may be sent after signing in: our own pages, nothing that a browser could take
# for another host.
_NEXT = re.compile(rf"(?:{'|'.join(path for path, _, _ in NAVIGATION)})(?:[/?][\w/?=&%.+-]*)?")
Next = Annotated[str, Query(alias="next", max_length=500)]
UNENCRYPTED = (
    "为保护密码,只能通过 HTTPS 登录(本机除外)。若已由反向代理提供 HTTPS,"
    "请把代理的地址写入 INVOICER_TRUSTED_PROXIES。"
)


@router.get("/")
@allow(Role.CLIENT)
@page
async def home(request: Request, service: TheService) -> Response:
    caller: Principal = request.scope["principal"]
    return redirect(request, "/review" if caller.role.includes(Role.REVIEWER) else "/jobs")


@router.get("/sign-in")
@allow_anybody
@page
async def ask(request: Request, then: Next = "/") -> Response:
    problem = "" if sessions.is_private(request) else UNENCRYPTED
    return render(request, "sign_in.html", then=_safe(then), login="", problem=problem)


@router.post("/sign-in")
@allow_anybody
@page
async def sign_in(
    request: Request,
    service: TheService,
    login: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    then: Next = "/",
) -> Response:
    sessions.refuse_foreign(request)
    try:
        if not sessions.is_private(request):
            raise AuthenticationError(UNENCRYPTED)
        _limit(request, service, login)
        _, token = await service.in_thread(users.sign_in, service.store, login.strip(), password)
    except (AuthenticationError, TooManyError) as error:
        status = 429 if isinstance(error, TooManyError) else 401
        return render(request, "sign_in.html", status=status, then=_safe(then), login=login,
                      problem=error.message)  # fmt: skip
    response = redirect(request, _safe(then))
    sessions.start(request, response, token)
    return response


def _limit(request: Request, service: Service, login: str) -> None:
    """Count an attempt against its address and its login; raises TooManyError."""
    address = request.client.host if request.client else ""
    service.sign_ins.take(f"sign-in from {address}")
    digest = hashlib.sha256(login.strip().encode("utf-8", "replace")).hexdigest()
    service.sign_ins.take(f"sign-in of {digest}")


def _safe(target: str) -> str:
    return target if _NEXT.fullmatch(target) else "/"


@router.post("/sign-out")
@allow_anybody
@page
async def sign_out(request: Request, service: TheService) -> Response:
    sessions.refuse_foreign(request)
    await service.change(users.sign_out, service.store, sessions.token_of(request))
    response = redirect(request, "/sign-in")
    sessions.end(request, response)
    return response
