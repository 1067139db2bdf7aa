"""The process of one job: `python -m invoicer.jobs.run ID ATTEMPT SECONDS MEMORY DISK ROWS`."""

from __future__ import annotations

import errno
import sys
import traceback
from collections import Counter
from pathlib import Path

from invoicer.assistant import Assistant
from invoicer.batch import CHUNK, answer_rows
from invoicer.columns import recognise
from invoicer.errors import InputError, InvoicerError
from invoicer.jobs import files, queue
from invoicer.jobs.job import Job
from invoicer.jobs.limits import Limits
from invoicer.jobs.queue import StoppedError
from invoicer.readers import Table, read_table
from invoicer.review.items import ReviewItem, identity, item_of, needs_review
from invoicer.review.memory import Memory
from invoicer.review.rules import ReviewRules
from invoicer.review.tally import Tally
from invoicer.settings import Settings
from invoicer.store import Store
from invoicer.suggestion import OUTPUT_COLUMNS, RATES_COLUMN
from invoicer.writers import open_writer

REJECT_COLUMNS = ("row", "field", "reason")


def work(store: Store, job: Job, most_rows: int) -> None:
    """Classify the rows of a job's file; raises StoppedError where the job was taken away."""
    options = job.options
    path = files.input_file(files.folder(job.id), job.suffix)
    table = read_table(path)
    places = recognise(table.header)
    total = _size(table, path, most_rows)
    queue.progress(store, job, total, 0, 0)
    assistant = Assistant.load()
    columns = (*OUTPUT_COLUMNS, RATES_COLUMN) if options.rates else OUTPUT_COLUMNS
    rules = ReviewRules(random_slice=options.random_slice)
    place = files.scratch(job.id, job.attempts)
    done = failed = 0
    items: list[ReviewItem] = []
    tiers: Counter[str] = Counter()
    with (
        open_writer(
            files.result_file(place, options.form), options.form, table.header, columns
        ) as write,
        open_writer(place / files.REJECTS, "csv", REJECT_COLUMNS, ()) as reject,
    ):
        for done, row in enumerate(
            answer_rows(
                assistant,
                table.rows,
                places,
                options.defaults(),
                1,
                memory=Memory(store.path, job.tenant),
                with_source=options.review,
            ),
            1,
        ):
            write(row.cells, row.answer)
            tiers["failed" if row.error else row.answer["tier"]] += 1
            if row.error:
                failed += 1
                field, _, reason = row.error.partition(": ")
                reject([str(table.first_row + done - 1), field, reason], {})
            # An earlier attempt may have got further: its questions count once.
            if row.source and done > job.rows_reviewed:
                line, suggestion = row.source
                who = identity(job.tenant, line, assistant.rate_table)
                if needs_review(suggestion, who.item, rules):
                    items.append(item_of(job.tenant, line, suggestion, who))
            if done % CHUNK == 0:
                queue.progress(store, job, total, done, failed, items)
                items = []
    queue.progress(store, job, done, done, failed, items)
    files.publish(job.id, job.attempts)
    queue.finish(store, job)
    tally = Tally(store)
    tally.add(job.tenant, tiers)
    tally.flush()


def _size(table: Table, path: Path, most: int) -> int:
    """Number of rows; raises InputError where they are none or too many."""
    size = table.size
    if size is None:
        size = sum(1 for _ in read_table(path).rows)
    if not size:
        raise InputError("文件只有表头,没有数据行")
    if size > most:
        raise InputError(f"文件有 {size} 行,超过 {most} 行,请拆分后分别提交", rows=size)
    return size


def reason_of(error: Exception) -> InvoicerError:
    """What the caller is told of a failure: no paths, no insides."""
    if isinstance(error, InvoicerError):
        error.context.pop("file", None)
        return error
    if isinstance(error, MemoryError):
        return InputError("文件展开后占用内存过多,请拆分后分别提交")
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return InputError("结果文件过大,请拆分后分别提交")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return JobError("服务器磁盘空间不足,请联系管理员")
    return JobError("内部错误,请凭任务编号联系管理员")


class JobError(InvoicerError):
    """A failure that is not the file's."""

    code = "internal"


def main(arguments: list[str]) -> None:
    ident, attempt = arguments[0], int(arguments[1])
    limits = Limits.from_arguments(arguments[2:])
    limits.apply()
    store = Store(Settings().database)
    try:
        job = queue.taken(store, ident, attempt)
        try:
            work(store, job, limits.rows)
        except StoppedError:
            raise
        except Exception as error:
            reason = reason_of(error)
            if isinstance(reason, JobError):
                # Beside the data it may quote, not in the log of the service.
                trace = files.folder(ident) / files.TRACEBACK
                trace.write_text(traceback.format_exc(), encoding="utf-8")
            queue.fail(store, job, reason)
    except StoppedError:
        pass


if __name__ == "__main__":
    main(sys.argv[1:])
