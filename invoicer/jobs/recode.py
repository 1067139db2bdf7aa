"""A job that re-codes a history; its work folder outlives an attempt, and the next one goes on."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from pathlib import Path

from filelock import FileLock

from invoicer.assistant import Assistant
from invoicer.jobs import files, queue
from invoicer.jobs.classify import require_rows
from invoicer.jobs.job import Job, StageProgress
from invoicer.recode.manifest import NotResumableError
from invoicer.recode.options import Options
from invoicer.recode.pipeline import Outcome, Run
from invoicer.recode.progress import Stage
from invoicer.recode.report import write_report
from invoicer.recode.tally import LINES
from invoicer.review.memory import Memory
from invoicer.review.tally import Tally
from invoicer.store import Store, utc_text

REJECT_COLUMNS = "input,row,field,reason\r\n"


def recode(store: Store, job: Job, most_rows: int) -> None:
    """Re-code a job's file; raises StoppedError where the job was taken away."""
    place, work = files.folder(job.id), files.work(job.id)
    # An attempt that was taken for dead may still be at it; it ends where it next tells how far
    # it is.
    with FileLock(place / files.LOCK):
        work.mkdir(exist_ok=True, mode=0o700)
        assistant = Assistant.load()
        run = Run(assistant, _options(store, job, place, work))
        run.progress = _Watch(store, job, run, most_rows)
        try:
            outcome = run.run(resume=True, keep=True)
        except NotResumableError:
            outcome = run.run(keep=True)
        _hand_over(job, run, outcome)
        files.publish(job.id, job.attempts)
        tiers = {tier: sums[LINES] for tier, sums in outcome.tally.tiers.items()}
        if run.rejected:
            tiers["failed"] = run.rejected
        queue.finish(
            store, job, tiers, outcome.notes, rows_done=outcome.lines, rows_total=outcome.lines,
            rows_failed=run.rejected, rows_with_findings=run.faulty,
        )  # fmt: skip
        files.remove_work(job.id)
    tally = Tally(store)
    tally.add(job.tenant, tiers)
    tally.add_cuts(job.tenant, _cuts(outcome))
    tally.flush()


def _cuts(outcome: Outcome) -> Counter[tuple[str, str, str]]:
    """Lines by chapter, seller's section and tier."""
    cuts = Counter[tuple[str, str, str]]()
    for key, sums in outcome.tally.answered.items():
        chapter, section, tier = key.split("|")
        cuts[chapter, section, tier] = sums[LINES]
    return cuts


def _options(store: Store, job: Job, place: Path, work: Path) -> Options:
    asked = job.options
    return Options(
        inputs=(str(files.input_file(place, job.suffix)),),
        output=files.result_file(work, asked.form),
        mapping=asked.mapping,
        defaults=asked.defaults(),
        template=place / files.TEMPLATE if asked.template else None,
        review=asked.review,
        tenant=job.tenant,
        workers=1,
        memory=Memory(store.path, job.tenant),
    )


class _Watch:
    """Told how far a run is, it notes that in the queue; so a run whose job was taken away ends."""

    def __init__(self, store: Store, job: Job, run: Run, most_rows: int):
        self._store = store
        self._job = job
        self._run = run
        self._most = most_rows
        self._now: StageProgress | None = None
        self._lines: int | None = None
        self._judged = 0

    def __call__(self, stage: Stage, done: int, total: int | None) -> None:
        if stage is Stage.READ:
            require_rows(max(done, total or 0), self._most)
        if stage in (Stage.READ, Stage.JUDGE) and total is not None:
            self._lines = total
        if stage is Stage.JUDGE:
            self._judged = done
        now = self._now
        if now is None or now.stage is not stage:
            now = StageProgress(stage, done, total, done, utc_text())
        self._now = StageProgress(stage, done, total, now.first, now.at)
        judging = stage not in (Stage.READ, Stage.CLASSIFY)
        queue.enter(
            self._store, self._job, self._now,
            rows_total=self._lines, rows_done=self._judged, rows_failed=self._run.rejected,
            rows_with_findings=self._run.faulty if judging else None,
        )  # fmt: skip


def _hand_over(job: Job, run: Run, outcome: Outcome) -> None:
    """What the job leaves behind, into the folder of the attempt."""
    place, options = files.scratch(job.id, job.attempts), run.options
    os.replace(options.output, files.result_file(place, job.options.form))
    if options.rejects.exists():
        os.replace(options.rejects, place / files.REJECTS)
    else:
        (place / files.REJECTS).write_text(REJECT_COLUMNS, encoding="utf-8-sig", newline="")
    if job.options.report:
        inputs = [source.path for source in run.sources.sources]
        write_report(place / files.REPORT, outcome, run.assistant, inputs)
    if outcome.templates:
        with zipfile.ZipFile(place / files.FILLED, "w") as archive:
            for path in outcome.templates:
                archive.write(path, path.name.removeprefix("result."))
