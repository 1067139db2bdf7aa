"""Signed-in people: the session cookie, and that a request with it comes from our own pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request, Response

from invoicer.access import users
from invoicer.access.principals import ForbiddenError, Principal
from invoicer.access.users import SESSION_HOURS
from invoicer.store import Store

SAFE = ("GET", "HEAD", "OPTIONS")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _name(request: Request) -> str:
    """A `__Host-` cookie is only taken from, and only sent to, this very host over https."""
    return "__Host-invoicer" if request.url.scheme == "https" else "invoicer"


def token_of(request: Request) -> str:
    """The session token the request carries, or ""."""
    return request.cookies.get(_name(request), "")


def principal_of_cookie(request: Request, store: Store) -> Principal | None:
    """Who is signed in; raises ForbiddenError where another site sent the request."""
    token = token_of(request)
    if not token:
        return None
    principal = users.session(store, token)
    if principal is not None:
        refuse_foreign(request)
    return principal


def refuse_foreign(request: Request) -> None:
    """Raise ForbiddenError for an unsafe request that does not come from a page of this host."""
    if request.method in SAFE:
        return
    site = request.headers.get("sec-fetch-site")
    if site is None:
        origin = urlsplit(request.headers.get("origin", ""))
        same = origin.netloc != "" and origin.netloc == request.headers.get("host")
    else:
        same = site == "same-origin"
    if not same:
        raise ForbiddenError("请求不是从本站页面发出的,已拒绝")


def is_private(request: Request) -> bool:
    """Whether a password may be sent this way: encrypted, or within this machine."""
    return request.url.scheme == "https" or request.url.hostname in LOOPBACK


def start(request: Request, response: Response, token: str) -> None:
    """Give the browser its session."""
    secure = request.url.scheme == "https"
    response.set_cookie(
        _name(request), token, max_age=SESSION_HOURS * 3600, path="/", secure=secure,
        httponly=True, samesite="lax",
    )  # fmt: skip


def end(request: Request, response: Response) -> None:
    """Take the session from the browser."""
    secure = request.url.scheme == "https"
    response.delete_cookie(_name(request), path="/", secure=secure, httponly=True, samesite="lax")
