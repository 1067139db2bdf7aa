"""Previews of proposals, each in a process of its own that ends with the worker."""

from __future__ import annotations

import asyncio
import logging

from api import follow

log = logging.getLogger("invoicer.service")


class Previews:
    """Those that this worker has started."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, proposal: str) -> None:
        """Begin one; what comes of it stands in the store."""
        task = asyncio.create_task(_preview(proposal))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """End those that still run."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


async def _preview(proposal: str) -> None:
    try:
        await follow.run("-m", "invoicer.cli", "kb", "preview", proposal, "--background")
    except Exception:
        log.exception("preview failed")
