"""What happens around every request: its id and log line, limits of size and time, headers."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import TookTooLongError, domain_error, internal_error, refusal
from api.metrics import LATENCY, REQUESTS
from api.security import identify
from api.settings import ServiceSettings
from invoicer.errors import InvoicerError

# Others are counted under one name: whoever invents methods must not fill the memory.
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
access_log = logging.getLogger("invoicer.access")
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
ANONYMOUS_BODY = 1 << 16  # bytes that are read before the key is looked at
UPLOADS = ("/v1/jobs", "/attachments")  # where files come in
DOWNLOADS = ("/result", "/rejects", "/report", "/template")  # where they go out
ATTACHMENT = "/attachments/"
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
}
_RAW_HEADERS = [(n.lower().encode(), v.encode()) for n, v in SECURITY_HEADERS.items()]


class RequestRecord:
    """Gives each request an id, its answer the id and the security headers, the log a line.

    root_path: where a reverse proxy publishes the service; it may take the path off or leave it.
    """

    def __init__(self, app: ASGIApp, root_path: str = ""):
        self.app = app
        self.root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        scope["request_id"] = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(12)
        scope["noted"] = {}
        scope["root_path"] = self.root_path
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = message.get("headers", [])
                names = {name for name, _ in given}
                own = (b"x-request-id", scope["request_id"].encode())
                more = (pair for pair in _RAW_HEADERS if pair[0] not in names)
                message["headers"] = [*given, own, *more]
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception as error:
            response = internal_error(Request(scope), error)
            if not status:
                await response(scope, receive, send_with_headers)
        finally:
            _note(scope, status, time.perf_counter() - started)


def _note(scope: Scope, status: int, seconds: float) -> None:
    """The metrics and the log line of a finished request."""
    route = getattr(scope.get("route"), "path", "")
    method = scope["method"] if scope["method"] in METHODS else "OTHER"
    REQUESTS.labels(method, route, status).inc()
    LATENCY.labels(route).observe(seconds)
    principal = scope.get("principal")
    client = scope.get("client")
    access_log.info(
        "request",
        extra={
            "request_id": scope["request_id"],
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 2),
            "client": client[0] if client else "",
            "principal": principal.id if principal else "",
            "tenant": principal.tenant if principal else "",
            **scope["noted"],
        },
    )


class Limits:
    """Refuses bodies that are too large and ends requests that take too long."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings):
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        upload = scope["path"].endswith(UPLOADS)
        most = self.settings.max_upload if upload else self.settings.max_body
        transfer = upload or scope["path"].endswith(DOWNLOADS) or ATTACHMENT in scope["path"]
        seconds = self.settings.transfer_seconds if transfer else self.settings.request_seconds
        read = 0
        began = False

        async def receive_some() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(413)
            return message

        async def send_noting(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        request = Request(scope)
        try:
            refused = self._refused(request, most)
        except InvoicerError as error:
            refused = domain_error(request, error)
        if refused is not None:
            await refused(scope, receive, send)
            return
        try:
            async with asyncio.timeout(seconds):
                await self.app(scope, receive_some, send_noting)
        except TimeoutError:
            if began:
                raise
            late = TookTooLongError("处理超时,请减少行数后重试")
            await domain_error(request, late)(scope, receive, send)

    def _refused(self, request: Request, most: int) -> Response | None:
        """The refusal of a body before it is read; raises AuthenticationError for a large one
        from nobody we know."""
        declared = request.headers.get("content-length", "0")
        size = int(declared) if re.fullmatch("[0-9]{1,18}", declared) else most + 1
        if size > most:
            return refusal(request, HTTPException(413))
        if size > ANONYMOUS_BODY or "transfer-encoding" in request.headers:
            identify(request)
        return None
