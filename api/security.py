"""Who is calling and whether they may: a route that does not say who may call it is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from api.service import Service
from api.sessions import principal_of_cookie
from invoicer.access import keys
from invoicer.access.principals import ForbiddenError, Principal, Role

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_ANYBODY = "anybody"

# The two ways to give a key, as OpenAPI names them.
_WAYS: dict[str, dict[str, str]] = {
    "HTTPBearer": {
        "type": "http",
        "description": "API 密钥:Authorization: Bearer ivk_…",
        "scheme": "bearer",
    },
    "APIKeyHeader": {
        "type": "apiKey",
        "description": "API 密钥",
        "in": "header",
        "name": "X-API-Key",
    },
}


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


def with_security(schema: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI description that says how a key is given."""
    schema["components"]["securitySchemes"] = _WAYS
    for operations in schema["paths"].values():
        for operation in operations.values():
            without = operation.get("security", [])
            operation["security"] = [*({way: []} for way in _WAYS), *without]
    return schema


async def service_of(request: Request) -> Service:
    """The service of the app that serves the request."""
    return serving(request)


def serving(request: Request) -> Service:
    """The same without waiting."""
    service: Service = request.app.state.service
    return service


def identify(request: Request) -> Principal:
    """Who is calling, by key or by session; raises AuthenticationError, or ForbiddenError for an
    act in a session that another site sent."""
    if "principal" not in request.scope:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            key = request.headers.get("x-api-key", "")
        store = serving(request).store
        session = None if key else principal_of_cookie(request, store)
        request.scope["principal"] = session or keys.authenticate(store, key.strip())
    found: Principal = request.scope["principal"]
    return found


async def authorise(request: Request) -> Principal | None:
    """The caller, counted against its limit; None on a route open to anybody.

    Raises AuthenticationError, ForbiddenError or TooManyError.
    """
    needed = allowed(request.scope["endpoint"])
    if needed == _ANYBODY:
        return None
    principal = identify(request)
    serving(request).limit.take(principal.id, 1, principal.lines_per_second)
    if not isinstance(needed, Role) or not principal.role.includes(needed):
        raise ForbiddenError("没有权限执行此操作")
    return principal


async def principal_of(request: Request) -> Principal:
    """The caller of a route that is not open to anybody."""
    return identify(request)


Caller = Annotated[Principal, Depends(principal_of)]
TheService = Annotated[Service, Depends(service_of)]
