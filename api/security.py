"""Who is calling and whether they may: a route that does not say who may call it is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api.service import Service
from api.sessions import principal_of_cookie
from invoicer.access import keys
from invoicer.access.principals import AuthenticationError, ForbiddenError, Principal, Role

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_ANYBODY = "anybody"

_bearer = HTTPBearer(auto_error=False, description="API 密钥:Authorization: Bearer ivk_…")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="API 密钥")


def allow(role: Role) -> Callable[[Endpoint], Endpoint]:
    """Open a route to a role and those above it."""
    return _marked(role)


def allow_anybody(endpoint: Endpoint) -> Endpoint:
    """Open a route to callers without a key."""
    return _marked(_ANYBODY)(endpoint)


def _marked(mark: Role | str) -> Callable[[Endpoint], Endpoint]:
    def decorate(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__["allowed"] = mark
        return endpoint

    return decorate


def allowed(endpoint: Callable[..., Any]) -> Role | str | None:
    """Who may call an endpoint; None where nobody said."""
    return getattr(endpoint, "allowed", None)


async def service_of(request: Request) -> Service:
    """The service of the app that serves the request."""
    service: Service = request.app.state.service
    return service


async def authorise(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    header: Annotated[str | None, Security(_header)],
) -> Principal | None:
    """The caller, counted against its limit; None on a route open to anybody.

    Raises AuthenticationError, ForbiddenError or TooManyError.
    """
    needed = allowed(request.scope["endpoint"])
    if needed == _ANYBODY:
        return None
    service = await service_of(request)
    key = bearer.credentials if bearer else header or ""
    principal = (None if key else principal_of_cookie(request, service.store)) or (
        keys.authenticate(service.store, key)
    )
    request.scope["principal"] = principal
    if not isinstance(needed, Role) or not principal.role.includes(needed):
        raise ForbiddenError("没有权限执行此操作")
    service.limit.take(principal.id, 1, principal.lines_per_second)
    return principal


async def principal_of(request: Request) -> Principal:
    """The caller of a route that is not open to anybody."""
    principal = request.scope.get("principal")
    if principal is None:
        raise AuthenticationError("请给出 API 密钥")
    found: Principal = principal
    return found


Caller = Annotated[Principal, Depends(principal_of)]
TheService = Annotated[Service, Depends(service_of)]
