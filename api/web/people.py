"""Users and keys of the administrator's tenant."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request, Response

from api.security import Caller, TheService, allow
from api.service import Service
from api.web.pages import page, redirect, render
from invoicer.access import audit, keys, users
from invoicer.access.principals import Principal, Role
from invoicer.errors import InputError

router = APIRouter(prefix="/people", include_in_schema=False)
DONE = {
    "added": "已新建用户",
    "disabled": "已停用用户,其登录立即失效",
    "revoked": "已吊销密钥,立即生效",
}
Short = Annotated[str, Form(max_length=200)]


def _page(
    request: Request, caller: Principal, service: Service, status: int = 200,
    done: str = "", problem: str = "", new_key: str = "",
) -> Response:  # fmt: skip
    people, systems = (find(service.store, caller.tenant) for find in (users.users, keys.keys))
    return render(
        request, "people.html", caller, status, done=done, problem=problem, new_key=new_key,
        users=people, keys=systems, who={one["principal"]: one["name"] for one in people + systems},
        acts=audit.acts(service.store, caller.tenant, 20), roles=list(Role),
    )  # fmt: skip


@router.get("")
@allow(Role.ADMIN)
@page
async def people(
    request: Request,
    caller: Caller,
    service: TheService,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    return _page(request, caller, service, done=DONE.get(done, ""))


@router.post("/users")
@allow(Role.ADMIN)
@page
async def add_user(
    request: Request,
    caller: Caller,
    service: TheService,
    login: Short = "",
    name: Short = "",
    role: Annotated[Role, Form()] = Role.REVIEWER,
    password: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    try:
        await service.in_thread(
            users.add, service.store, caller.tenant, login.strip(), name, role, password, caller.id
        )
    except InputError as error:
        return _page(request, caller, service, 422, problem=error.message)
    return redirect(request, "/people", done="added")


@router.post("/users/disable")
@allow(Role.ADMIN)
@page
async def disable_user(
    request: Request, caller: Caller, service: TheService, login: Short = ""
) -> Response:
    try:
        await service.change(users.disable, service.store, login, caller.id, caller.tenant)
    except InputError as error:
        return _page(request, caller, service, 422, problem=error.message)
    return redirect(request, "/people", done="disabled")


@router.post("/keys")
@allow(Role.ADMIN)
@page
async def add_key(
    request: Request,
    caller: Caller,
    service: TheService,
    name: Short = "",
    role: Annotated[Role, Form()] = Role.CLIENT,
    review: Annotated[Literal["none", "auto"], Form()] = "none",
    days: Annotated[Literal["", "30", "90", "365"], Form()] = "",
) -> Response:
    try:
        _, text = await service.change(
            keys.create, service.store, caller.tenant, name, role, review=review,
            days=int(days) if days else None, actor=caller.id,
        )  # fmt: skip
    except InputError as error:
        return _page(request, caller, service, 422, problem=error.message)
    return _page(request, caller, service, new_key=text)


@router.post("/keys/revoke")
@allow(Role.ADMIN)
@page
async def revoke_key(
    request: Request, caller: Caller, service: TheService, key: Short = ""
) -> Response:
    try:
        await service.change(keys.revoke, service.store, key, caller.id, caller.tenant)
    except InputError as error:
        return _page(request, caller, service, 422, problem=error.message)
    return redirect(request, "/people", done="revoked")
