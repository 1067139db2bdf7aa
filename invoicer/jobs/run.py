"""The process of one job: `python -m invoicer.jobs.run ID ATTEMPT SECONDS MEMORY DISK ROWS`."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Callable, Mapping

from invoicer.errors import InputError, InvoicerError
from invoicer.jobs import files, queue
from invoicer.jobs.classify import classify
from invoicer.jobs.job import Job, Kind
from invoicer.jobs.limits import Limits
from invoicer.jobs.queue import StoppedError
from invoicer.jobs.recode import recode
from invoicer.settings import Settings
from invoicer.store import Store

_WORK: Mapping[Kind, Callable[[Store, Job, int], None]] = {
    Kind.CLASSIFY: classify,
    Kind.RECODE: recode,
}


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
            _WORK[job.options.kind](store, job, limits.rows)
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
