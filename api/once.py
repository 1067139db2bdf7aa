"""`Idempotency-Key`: a repeated request gets the first answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Header, Request, Response

from api.service import Service
from invoicer.access import idempotency
from invoicer.access.idempotency import MAX_KEY, FirstAnswer
from invoicer.access.principals import Principal

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=MAX_KEY,
        description="同一密钥、同一内容的重复请求得到第一次的答复,24 小时内有效",
    ),
]  # fmt: skip


async def once(
    request: Request,
    service: Service,
    caller: Principal,
    key: str | None,
    work: Callable[[], Awaitable[Response]],
    content: bytes | None = None,
) -> Response:
    """The first answer to the key, or the work's, which is then kept.

    content: what stands for a body that is too large to be looked at as a whole.
    Raises ConflictError where the key stands for another request.
    """
    if key is None:
        return await work()
    body = await request.body() if content is None else content
    address = f"{request.method} {request.url.path}?{request.url.query}\n"
    asked = address.encode() + body
    first = await service.change(idempotency.claim, service.store, caller, key, asked)
    if first is not None:
        headers = {"Idempotency-Replayed": "true"}
        if first.location:
            headers["Location"] = first.location
        return Response(first.body, first.status, headers, "application/json")
    try:
        if _is_over():
            raise asyncio.CancelledError
        response = await work()
    except BaseException:
        await asyncio.shield(service.change(idempotency.release, service.store, caller, key))
        raise
    location = response.headers.get("location", "")
    first = FirstAnswer(response.status_code, bytes(response.body), location)
    # Shielded: what was done is remembered, though the request's time end while it waits.
    await asyncio.shield(service.change(idempotency.keep, service.store, caller, key, first))
    return response


def _is_over() -> bool:
    """Whether the request's time ended while its claim waited: nothing is begun then."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
