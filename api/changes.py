"""Changes to the store, made beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from invoicer.store import Store

P = ParamSpec("P")
T = TypeVar("T")


class Changes:
    """The one thread of a worker in which its requests change the store.

    Whoever holds the write lock keeps this thread waiting, never the loop that answers. One
    thread: one connection that stays open, one that asks for the lock, and changes in the order
    they came in.
    """

    def __init__(self, store: Store):
        self._store = store
        self._thread = ThreadPoolExecutor(1, "changes")  # starts with the first, after any fork

    async def __call__(self, work: Callable[P, T], *args: P.args, **given: P.kwargs) -> T:
        """What the work returns.

        When the request's time is over, what has not begun is dropped. What has begun is waited
        for: it will be done, and an error in its place would have it done twice.
        """
        change = self._thread.submit(work, *args, **given)
        done = asyncio.wrap_future(change)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            if change.cancel():
                raise
            return await done

    async def close(self) -> None:
        """Make what waits, and close the connection."""
        await self(self._store.close)
