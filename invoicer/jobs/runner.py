"""Running queued jobs beside the answers of a worker process, each in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Concatenate, ParamSpec, TypeVar

from invoicer.errors import InputError
from invoicer.jobs import files, queue
from invoicer.jobs.job import Job
from invoicer.jobs.limits import Limits
from invoicer.jobs.queue import StoppedError
from invoicer.store import Store

LOOK_SECONDS = 1.0
BEAT_SECONDS = 2.0
KILL_SECONDS = 5.0
log = logging.getLogger("invoicer.jobs")
P = ParamSpec("P")
T = TypeVar("T")


class JobRunner:
    """Looks for jobs until closed. Any number of runners may share a store."""

    def __init__(
        self, store: Store, most: int, limits: Limits, ended: Callable[[Job], None] = lambda _: None
    ):
        """most: jobs at the same time over all runners; ended: told each job that has ended."""
        self._store = store
        self._most = most
        self._limits = limits
        self._ended = ended
        self._running: set[asyncio.Task[None]] = set()
        self._thread: ThreadPoolExecutor | None = None

    async def run(self) -> None:
        """Take up one job after the other; when cancelled, give back what is not done."""
        # Made here, after any fork: one thread, one connection.
        self._thread = ThreadPoolExecutor(1, "jobs")
        try:
            while True:
                try:
                    await self._look()
                except Exception:
                    log.exception("jobs could not be looked for, trying again")
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            self._thread.submit(self._store.close)
            self._thread.shutdown()

    async def _look(self) -> None:
        if await self._ask(queue.is_idle):
            return
        await self._ask(queue.recover)
        while job := await self._ask(queue.claim, self._most):
            task = asyncio.create_task(self._supervise(job))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _ask(
        self, call: Callable[Concatenate[Store, P], T], *args: P.args, **given: P.kwargs
    ) -> T:
        """Something of the store, off the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: call(self._store, *args, **given))

    async def _supervise(self, job: Job) -> None:
        """One attempt at a job, from the start of its process to what became of it."""
        try:
            with contextlib.suppress(StoppedError):
                try:
                    await self._attempt(job)
                except asyncio.CancelledError:
                    await self._ask(queue.give_back, job)
                    raise
        except Exception:
            # Its heartbeat stops: it will be taken up again.
            log.exception("job could not be run", extra={"job": job.id})
        finally:
            place = files.scratch(job.id, job.attempts)
            await self._ask(lambda _: shutil.rmtree(place, ignore_errors=True))
        after = await self._ask(queue.find, job.tenant, job.id)
        after = after or replace(job, state="deleted")
        log.info("job", extra={"job": job.id, "tenant": job.tenant, "state": after.state})
        if after.has_ended:
            await self._ask(lambda _: files.remove_work(job.id))
            self._ended(after)

    async def _attempt(self, job: Job) -> None:
        files.scratch(job.id, job.attempts).mkdir(mode=0o700)
        process = await _start(job, self._limits)
        ending = asyncio.create_task(process.wait())
        until = time.monotonic() + self._limits.seconds
        try:
            while not ending.done():
                await asyncio.wait({ending}, timeout=BEAT_SECONDS)
                if ending.done():
                    break
                await self._ask(queue.beat, job)
                if time.monotonic() > until:
                    await self._ask(queue.fail, job, InputError(
                        f"处理超过 {self._limits.seconds} 秒,请拆分后分别提交"
                    ))  # fmt: skip
                    return
        finally:
            await _end(process, ending)
        log.info("job process ended", extra={"job": job.id, "status": process.returncode})
        # Finds nothing to change where the process has said itself what became of the job.
        await self._ask(queue.died, job)


async def _start(job: Job, limits: Limits) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "invoicer.jobs.run", job.id, str(job.attempts),
        *limits.to_arguments(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        # A group of its own: what ends the service at the terminal does not end it half way.
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
             "TMPDIR": str(files.scratch(job.id, job.attempts))},
    )  # fmt: skip


async def _end(process: asyncio.subprocess.Process, ending: asyncio.Task[int]) -> None:
    """End a process that is still running, gently first."""
    if ending.done():
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        await asyncio.wait({ending}, timeout=KILL_SECONDS)
        if not ending.done():
            os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    await ending
