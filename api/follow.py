"""Following switches of model and code table while requests run, and learning in the background.

What is heavy happens in processes of their own: a compilation forks and takes many seconds, a
training minutes. The worker itself only loads what is ready.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable

from invoicer import Assistant
from invoicer.settings import Settings

FOLLOW_SECONDS = 2.0
RETRY_SECONDS = 60.0
LEARN_SECONDS = 60.0
AFTER_FAILURE_SECONDS = 3600.0
PREPARE = ("-c", "from invoicer import Assistant; Assistant.load()")
log = logging.getLogger("invoicer.service")


async def follow(
    seen: tuple[str, ...], load: Callable[[], Assistant], use: Callable[[Assistant], None]
) -> None:
    """Load what the pointers name whenever they change, and hand it to `use`; what cannot be
    loaded is logged, the old one goes on answering, and it is tried again after a while.

    seen: the pointers as they were when the present assistant was loaded.
    """
    tried, again = seen, 0.0
    while True:
        await asyncio.sleep(FOLLOW_SECONDS)
        try:
            named = await asyncio.to_thread(Settings().in_use)
            if named == seen or (named == tried and time.monotonic() < again):
                continue
            log.info("switch begins")
            tried, again = named, time.monotonic() + RETRY_SECONDS
            if not await asyncio.to_thread(Assistant.is_compiled):
                await run(*PREPARE)
            loaded = await asyncio.to_thread(load)
            use(loaded)
            seen = named
            versions = {"model_version": loaded.model_version, "kb_version": loaded.kb_version}
            log.info("switch done", extra=versions)
        except Exception:
            log.exception("switch failed, the previous model goes on answering")


async def learn(after: int, waiting: Callable[[], Awaitable[int]]) -> None:
    """Train whenever `after` decisions wait; which worker does so is settled by a lock."""
    while True:
        await asyncio.sleep(LEARN_SECONDS)
        try:
            if await waiting() < after:
                continue
            log.info("training begins")
            command = ("-m", "invoicer.cli", "retrain", "--background", "--json")
            report = await run(*command, "--if-waiting", str(after))
            log.info("training done", extra={"report": report})
        except Exception:
            log.exception("training failed")
            await asyncio.sleep(AFTER_FAILURE_SECONDS)


async def run(*arguments: str) -> str:
    """What a Python process printed; raises RuntimeError with its last words where it failed.

    Ends with the worker that started it.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        said, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if process.returncode:
        raise RuntimeError(complaint.decode(errors="replace").strip()[-500:])
    return said.decode(errors="replace").strip()
