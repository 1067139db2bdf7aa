"""The queue of jobs in the store: every change is one statement or one transaction, so that
any number of worker processes agree on it.

A running job belongs to its attempt: whoever changes it names the attempt, and finds nothing to
change once the job was cancelled, deleted or taken up again by another process.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from invoicer.access import tenants
from invoicer.access.limits import TooManyError
from invoicer.access.principals import Principal
from invoicer.errors import InvoicerError
from invoicer.jobs import files
from invoicer.jobs.job import Job, Options, StageProgress, job_of
from invoicer.review import inbox
from invoicer.review.items import ReviewItem
from invoicer.store import Store, utc_text

MAX_DEATHS = 3
STALE_SECONDS = 60.0
RETRY_AFTER = 30

# The tenant whose last job began longest ago comes first: a long queue of one does not keep the
# others waiting.
_CLAIM = """
update jobs set state = 'running', attempts = attempts + 1, started_at = :now, heartbeat = :now,
  rows_total = null, rows_done = 0, rows_failed = 0, stage = null, rows_with_findings = null
where id = (
    select id from jobs where state = 'queued'
    order by (select max(started_at) from jobs other where other.tenant = jobs.tenant) nulls first,
      created_at, id
    limit 1
  )
  and (select count(*) from jobs where state = 'running') < :most
returning *
"""


class TooManyJobsError(TooManyError):
    """The tenant has as many jobs waiting as it may."""

    code = "too_many_jobs"


class JobDiedError(InvoicerError):
    """The process of a job ended by itself, every time."""

    code = "job_died"


class StoppedError(Exception):
    """The job is no longer this attempt's."""


def require_room(store: Store, tenant: str, most: int) -> None:
    """Raises TooManyJobsError where the tenant has as many jobs waiting as it may."""
    row = store.row(
        "select count(*) as n from jobs where tenant = ? and state in ('queued', 'running')",
        [tenant],
    )
    if row and row["n"] >= most:
        raise TooManyJobsError(
            f"已有 {row['n']} 个任务在等待或运行,请等其中一些完成后再提交",
            retry_after=RETRY_AFTER, limit=most,
        )  # fmt: skip


def add(
    store: Store, principal: Principal, place: Path, suffix: str, options: Options, most: int
) -> Job:
    """Queue what was received at `place`; raises TooManyJobsError."""
    ident = files.new_id()
    with store.transaction() as db:
        tenants.require(store, principal.tenant)
        require_room(store, principal.tenant, most)
        db.execute(
            "insert into jobs (id, tenant, principal, suffix, options, created_at)"
            " values (?, ?, ?, ?, ?, ?)",
            [ident, principal.tenant, principal.id, suffix, options.to_json(), utc_text()],
        )
        files.adopt(place, ident)
        job = find(store, principal.tenant, ident)
    assert job is not None
    return job


def find(store: Store, tenant: str, ident: str) -> Job | None:
    """A job of this tenant; None where there is none, or it is another's."""
    row = store.row("select * from jobs where id = ? and tenant = ?", [ident, tenant])
    return job_of(row) if row else None


def page(store: Store, tenant: str, limit: int, before: str = "") -> tuple[list[Job], str]:
    """(jobs of a tenant, newest first; mark of the page that follows, empty on the last one)."""
    created, _, ident = before.partition("_")
    rows = store.rows(
        """select * from jobs where tenant = :tenant
             and (:created = '' or (created_at, id) < (:created, :id))
           order by created_at desc, id desc limit :limit""",
        {"tenant": tenant, "created": created, "id": ident, "limit": limit + 1},
    )
    jobs = [job_of(row) for row in rows[:limit]]
    return jobs, f"{jobs[-1].created_at}_{jobs[-1].id}" if len(rows) > limit else ""


def cancel(store: Store, tenant: str, ident: str) -> Job | None:
    """Stop a waiting or running job; None where it has ended or is not this tenant's."""
    return _changed(
        store,
        """update jobs set state = 'cancelled', ended_at = ?
           where id = ? and tenant = ? and state in ('queued', 'running') returning *""",
        [utc_text(), ident, tenant],
    )


def delete(store: Store, tenant: str, ident: str) -> None:
    """Delete an ended job and its files."""
    with store.transaction() as db:
        gone = db.execute(
            "delete from jobs where id = ? and tenant = ?"
            " and state not in ('queued', 'running')",
            [ident, tenant],
        ).rowcount  # fmt: skip
        if gone:
            files.remove(ident)


def forget_old(store: Store, days: int) -> None:
    """Delete jobs that ended longer ago, with their files."""
    before = utc_text(dt.datetime.now(dt.UTC) - dt.timedelta(days=days))
    for row in store.rows("select id, tenant from jobs where ended_at < ?", [before]):
        delete(store, row["tenant"], row["id"])


# -- for those who run them ---------------------------------------------------------------------


def is_idle(store: Store) -> bool:
    """Whether nothing waits or runs; asks without the write lock."""
    return store.row("select 1 from jobs where state in ('queued', 'running')") is None


def claim(store: Store, most: int) -> Job | None:
    """Take the next job, if fewer than `most` are running; exactly one caller gets it."""
    return _changed(store, _CLAIM, {"now": utc_text(), "most": most})


def taken(store: Store, ident: str, attempt: int) -> Job:
    """The job, while it is this attempt's; raises StoppedError."""
    row = store.row(
        "select * from jobs where id = ? and attempts = ? and state = 'running'", [ident, attempt]
    )
    if row is None:
        raise StoppedError
    return job_of(row)


def beat(store: Store, job: Job) -> None:
    """Say that the job is still being worked on; raises StoppedError where it is not to be."""
    _set(store, job, heartbeat=utc_text())


def progress(
    store: Store, job: Job, total: int, done: int, failed: int, items: Sequence[ReviewItem] = ()
) -> None:
    """Note how far the job is and hand its questions over, both or neither.

    Raises StoppedError where the job is to end.
    """
    with store.transaction():
        _set(store, job, heartbeat=utc_text(), rows_total=total, rows_done=done,
             rows_failed=failed, rows_reviewed=max(done, job.rows_reviewed))  # fmt: skip
        if items:
            inbox.add(store, items)


def enter(store: Store, job: Job, stage: StageProgress, **rows: int | None) -> None:
    """Note how far a re-coding is in its stage; raises StoppedError where it is to end."""
    _set(store, job, heartbeat=utc_text(), stage=stage.to_json(), **rows)


def finish(
    store: Store, job: Job, tiers: Mapping[str, int], notes: Sequence[str] = (), **rows: int
) -> None:
    """The job is done; raises StoppedError where it had to end before."""
    now = utc_text()
    _set(store, job, state="done", heartbeat=now, ended_at=now, stage=None,
         tiers=json.dumps(tiers), notes=json.dumps(notes, ensure_ascii=False), **rows)  # fmt: skip


def fail(store: Store, job: Job, error: InvoicerError) -> None:
    """The job cannot be done, and trying again would not help."""
    text = json.dumps(error.to_dict()["error"], ensure_ascii=False, default=str)
    _set(store, job, state="failed", ended_at=utc_text(), error=text)


def give_back(store: Store, job: Job) -> None:
    """Queue the job again: the service is being stopped."""
    _set(store, job, state="queued")


def died(store: Store, job: Job) -> None:
    """The job's process has ended by itself: once more, or never again."""
    deaths = job.deaths + 1
    if deaths < MAX_DEATHS:
        _set(store, job, state="queued", deaths=deaths)
        return
    message = f"处理进程 {deaths} 次意外结束,文件可能已损坏或内容过大,请拆分或另存后重新提交"
    fail(store, job, JobDiedError(message, attempts=job.attempts))


def recover(store: Store, now: dt.datetime | None = None) -> None:
    """Take care of jobs that nobody has been working on for a while."""
    before = utc_text((now or dt.datetime.now(dt.UTC)) - dt.timedelta(seconds=STALE_SECONDS))
    with store.transaction():
        for row in store.rows(
            "select * from jobs where state = 'running' and heartbeat < ?", [before]
        ):
            died(store, job_of(row))


def _set(store: Store, job: Job, **values: object) -> None:
    """Change a job that is this attempt's; raises StoppedError where it is not."""
    columns = ", ".join(f"{column} = :{column}" for column in values)
    with store.transaction() as db:
        changed = db.execute(
            f"update jobs set {columns}"
            " where id = :ident and attempts = :attempt and state = 'running'",
            {**values, "ident": job.id, "attempt": job.attempts},
        ).rowcount
        if not changed:
            raise StoppedError


def _changed(store: Store, sql: str, parameters: Any) -> Job | None:
    """The job that one statement changed."""
    with store.transaction():
        row = store.row(sql, parameters)
    return job_of(row) if row else None
