"""A job that classifies the rows of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from invoicer.assistant import Assistant
from invoicer.batch import CHUNK, Answered, answer_rows
from invoicer.columns import recognise
from invoicer.errors import InputError
from invoicer.jobs import files, queue
from invoicer.jobs.job import Job
from invoicer.readers import read_table
from invoicer.review.items import ReviewItem, identity, item_of, needs_review
from invoicer.review.memory import Memory
from invoicer.review.rules import ReviewRules
from invoicer.review.tally import Tally
from invoicer.store import Store
from invoicer.suggestion import OUTPUT_COLUMNS, RATES_COLUMN
from invoicer.table import Table
from invoicer.writers import open_writer

REJECT_COLUMNS = ("row", "field", "reason")


def classify(store: Store, job: Job, most_rows: int) -> None:
    """Classify the rows of a job's file; raises StoppedError where the job was taken away."""
    options = job.options
    path = files.input_file(files.folder(job.id), job.suffix)
    table = read_table(path)
    places = recognise(table.header, options.mapping)
    total = _size(table, path, most_rows)
    queue.progress(store, job, total, 0, 0)
    assistant = Assistant.load()
    columns = (*OUTPUT_COLUMNS, RATES_COLUMN) if options.rates else OUTPUT_COLUMNS
    rules = ReviewRules(random_slice=options.random_slice)
    place = files.scratch(job.id, job.attempts)
    tally, tiers = Tally(store), Counter[str]()
    done = failed = 0
    with (
        open_writer(
            files.result_file(place, options.form), options.form, table.header, columns
        ) as write,
        open_writer(place / files.REJECTS, "csv", REJECT_COLUMNS, ()) as reject,
    ):
        answers = answer_rows(
            assistant, table.rows, places, options.defaults(), 1,
            memory=Memory(store.path, job.tenant), with_source=True,
        )  # fmt: skip
        while some := list(islice(answers, CHUNK)):
            for number, row in enumerate(some, table.first_row + done):
                write(row.cells, row.answer)
                tiers["failed" if row.error else row.answer["tier"]] += 1
                if row.error:
                    failed += 1
                    field, _, reason = row.error.partition(": ")
                    reject([str(number), field, reason], {})
            # An earlier attempt may have got further: its questions count once.
            fresh = some[max(job.rows_reviewed - done, 0) :] if options.review else []
            done += len(some)
            tally.add_answers(job.tenant, (row.source for row in some if row.source))
            items = _items(job.tenant, assistant, fresh, rules)
            queue.progress(store, job, total, done, failed, items)
    files.publish(job.id, job.attempts)
    queue.finish(store, job, tiers, table.notes)
    tally.add(job.tenant, tiers)
    tally.flush()


def _items(
    tenant: str, assistant: Assistant, rows: Iterable[Answered], rules: ReviewRules
) -> list[ReviewItem]:
    """The questions of the rows that a person is to see."""
    items = []
    for row in rows:
        if row.source:
            line, suggestion = row.source
            who = identity(tenant, line, assistant.rate_table)
            if needs_review(suggestion, who.item, rules):
                items.append(item_of(tenant, line, suggestion, who))
    return items


def _size(table: Table, path: Path, most: int) -> int:
    """Number of rows; raises InputError where they are none or too many."""
    size = table.size
    if size is None:
        size = sum(1 for _ in read_table(path).rows)
    if not size:
        raise InputError("文件只有表头,没有数据行")
    require_rows(size, most)
    return size


def require_rows(size: int, most: int) -> None:
    """Raises InputError where a file has too many rows."""
    if size > most:
        raise InputError(f"文件有 {size} 行,超过 {most} 行,请拆分后分别提交", rows=size)
