"""All that a worker process needs to answer requests."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from functools import lru_cache, partial
from typing import ParamSpec, TypeVar

from api import follow
from api.changes import Changes
from api.dispatch import Dispatcher
from api.metrics import JOBS, LINES
from api.previews import Previews
from api.settings import ServiceSettings
from invoicer import Assistant
from invoicer.access import idempotency, keys, tenants
from invoicer.access.limits import RateLimit
from invoicer.desk import effect
from invoicer.desk.proposals import Proposals
from invoicer.desk.words import WordIndex
from invoicer.errors import NotFoundError
from invoicer.jobs import files
from invoicer.jobs import queue as job_queue
from invoicer.jobs.job import Job
from invoicer.jobs.limits import Limits
from invoicer.jobs.runner import JobRunner
from invoicer.review import attachments, deadlines, webhooks
from invoicer.review.appeal_desk import AppealDesk
from invoicer.review.decided import waiting
from invoicer.review.decisions import Decisions
from invoicer.review.inbox import Inbox
from invoicer.review.panel import Panel
from invoicer.review.queue import Queue
from invoicer.review.states import Versions
from invoicer.review.tally import Tally
from invoicer.settings import Settings
from invoicer.store import Store
from invoicer.typeahead import TypeAhead
from knowledge_base.taxonomy import TaxCode

HOUSEKEEPING_SECONDS = 3600.0
TALLY_SECONDS = 10.0
WEBHOOK_SECONDS = 5.0
log = logging.getLogger("invoicer.service")
P = ParamSpec("P")
T = TypeVar("T")


def job_account(principal: str) -> str:
    """Where the lines of a principal's jobs are counted: apart, so that a long history does not
    keep single lines waiting."""
    return f"{principal}/jobs"


class Service:
    """Assistant, store and limits of one installation.

    `assistant` may be replaced while requests run: each request takes it once and keeps it.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        store: Store,
        assistant: Assistant,
        in_use: tuple[str, ...] | None = None,
    ):
        self.settings = settings
        self.store = store
        self.assistant = assistant
        # Read before anything is loaded again: a switch since then is followed.
        self._in_use = in_use if in_use is not None else Settings().in_use()
        self.dispatcher = Dispatcher()
        self.change = Changes(store)
        self.inbox = Inbox(store)
        self.tally = Tally(store)
        self.queue = Queue(store, settings)
        self.decisions = Decisions(
            self.queue, lambda code, day: self.assistant.is_usable(code, day)
        )
        self.panel = Panel(self.decisions)
        self.appeals = AppealDesk(self.panel, lambda: self.assistant)
        self._type_ahead = lru_cache(2)(TypeAhead)  # of the old and the new one
        self._words = lru_cache(2)(WordIndex)
        self.proposals = Proposals(store, Settings())
        self.previews = Previews()
        self.limit = RateLimit(
            settings.database_path.with_name("limits.db"), settings.lines_per_second
        )
        # Ten attempts to sign in at once, then one every six seconds.
        self.sign_ins = RateLimit(self.limit.path, 1 / 6, burst_seconds=60)

    @classmethod
    def load(cls, settings: ServiceSettings) -> Service:
        """Open the store and load the model; raises UnavailableError naming what is broken."""
        store = Store.open(settings.database_path)
        in_use = Settings().in_use()
        assistant = Assistant.load()
        service = cls(settings, store, assistant, in_use)
        _ = service.type_ahead, assistant.rate_table, service.words.prepare()
        service.limit.check()
        if told := Settings().outdated():
            log.warning(told)
        store.close()  # each worker opens its own connection
        return service

    @property
    def type_ahead(self) -> TypeAhead:
        """Search over the names of the assistant in use."""
        return self._type_ahead(self.assistant.kb)

    @property
    def words(self) -> WordIndex:
        """The word tables of the assistant in use."""
        return self._words(self.assistant.kb)

    @property
    def versions(self) -> Versions:
        """What is answering now."""
        return Versions(self.assistant.model_version, self.assistant.kb_version)

    def tax_code(self, code: str) -> TaxCode:
        """A code of the table in use; raises NotFoundError."""
        row = self.assistant.kb.taxonomy.get(code)
        if row is None:
            raise NotFoundError("编码表中没有这个编码", code=code[:40])
        return row

    def check(self) -> None:
        """Raises StoreError where the database cannot be read."""
        self.store.row("select 1 from tenants")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Background work of a worker, from its start to its end."""
        background = [
            asyncio.create_task(self._now_and_then(HOUSEKEEPING_SECONDS, self._forget)),
            asyncio.create_task(self._now_and_then(WEBHOOK_SECONDS, self._tell)),
            asyncio.create_task(self._now_and_then(TALLY_SECONDS, self.tally.flush)),
            asyncio.create_task(follow.follow(self._in_use, self._load, self._use)),
        ]
        if self.settings.retrain_after:
            decisions = partial(self.in_thread, waiting, self.store)
            learning = follow.learn(self.settings.retrain_after, decisions)
            background.append(asyncio.create_task(learning))
        if self.settings.jobs:
            background.append(asyncio.create_task(self._runner().run()))
        try:
            yield
        finally:
            for task in background:
                task.cancel()
            await self.previews.close()
            await asyncio.gather(*background, return_exceptions=True)
            await asyncio.to_thread(self.inbox.close)
            await self.in_thread(self.tally.flush)
            await self.change.close()
            self.store.close()

    async def in_thread(self, work: Callable[P, T], *args: P.args, **given: P.kwargs) -> T:
        """What long work returns, done beside the loop; the thread's connection ends with it."""

        def run() -> T:
            try:
                return work(*args, **given)
            finally:
                self.store.close()

        return await asyncio.to_thread(run)

    def _load(self) -> Assistant:
        """The assistant that the pointers name now, with all that a request would wait for."""
        assistant = Assistant.load()
        _ = assistant.rate_table, self._type_ahead(assistant.kb)
        self._words(assistant.kb).prepare()
        return assistant

    def _use(self, assistant: Assistant) -> None:
        """Answer with another assistant from now on."""
        self.assistant = assistant

    def _runner(self) -> JobRunner:
        given = self.settings
        limits = Limits(given.job_seconds, given.job_memory, given.job_disk, given.job_rows)
        return JobRunner(self.store, given.jobs, limits, self._job_ended)

    def _job_ended(self, job: Job) -> None:
        """Count a job's lines: in the figures, and for its key, whose next job they delay."""
        JOBS.labels(job.options.kind, job.state).inc()
        for tier, lines in job.tiers.items():
            LINES.labels(tier).inc(lines)
        rate = keys.rate_of(self.store, job.principal)
        self.limit.owe(job_account(job.principal), job.rows_done, rate)

    def _forget(self) -> None:
        tenants.retain(self.store)
        idempotency.forget_old(self.store)
        self.limit.forget_paid()  # of attempts to sign in, too: they are in the same file
        self.limit.close()
        job_queue.forget_old(self.store, self.settings.job_days)
        files.sweep()
        attachments.sweep(self.store)
        effect.forget_old(self.store)

    def _tell(self) -> None:
        """Deliver what webhooks are due, and what deadlines come."""
        if hosts := Settings().webhook_hosts:
            deadlines.remind(self.store)
            webhooks.Sender(self.store, hosts).deliver_due()

    async def _now_and_then(self, seconds: float, work: Callable[[], None]) -> None:
        """Do something in a thread again and again; a failure is logged and does not end it."""
        while True:
            try:
                await self.in_thread(work)
            except Exception:
                log.exception("background work failed")
            await asyncio.sleep(seconds)
