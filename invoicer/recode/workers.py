"""The worker processes of a run: collect, classify and judge parts with one shared model."""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

import orjson

from invoicer.assistant import Assistant
from invoicer.files import write_whole
from invoicer.recode.collecting import gather
from invoicer.recode.forms import KEEPERS, OutRow
from invoicer.recode.judge import Judge
from invoicer.recode.judging import JudgedPart, PartJudge
from invoicer.recode.lines import Heads
from invoicer.recode.official import template_row
from invoicer.recode.options import Options
from invoicer.recode.sources import Part, Sources
from invoicer.recode.verdict import RECODE_COLUMNS
from invoicer.recode.work import Gathered, WorkReader
from invoicer.writers import output_header

Task = TypeVar("Task")
Result = TypeVar("Result")
WATCH_SECONDS = 2.0
GC_THRESHOLD = 50_000
RENEWED = 20  # pages of questions after which the processes are new ones


class Worker:
    """What one process does; made once before the processes are, or in each of them."""

    def __init__(self, assistant: Assistant, options: Options, sources: Sources):
        self.options = options
        self.sources = sources
        self.judge = Judge(assistant)
        self.names = output_header(sources.header, RECODE_COLUMNS)
        self._parts: PartJudge | None = None

    def collect(self, part: Part) -> Gathered:
        places = self.sources.sources[part.source].places
        heads = Heads(places, part.head)
        return gather(self.judge, part.rows, places, self.options.defaults, heads)

    def classify(self, page: Sequence[tuple[bytes, str]]) -> list[tuple[bytes, bytes]]:
        answers = self.judge.packed_answers([text for _, text in page])
        return [(key, answer) for (key, _), answer in zip(page, answers, strict=True)]

    def write(self, part: Part) -> int:
        """Judge a part and write its files; the tally comes last and says that all is there."""
        options, source = self.options, self.sources.sources[part.source]
        if self._parts is None:  # its connection belongs to the process that made it
            reader = WorkReader(options.work / "work.db")
            tenant = options.tenant if options.review else ""
            self._parts = PartJudge(self.judge, reader, options.defaults, tenant, options.memory)
        heads = Heads(source.places, part.head)
        judged = self._parts.judge(part.rows, source.places, part.numbers, source.name, heads)
        rows = [
            OutRow(self.sources.cells(source, one.cells), one.answer, one.severity)
            for one in judged.rows
        ]
        stem = options.work / part_name(part.number)
        content = KEEPERS[options.form](rows, self.names, options.raw)
        write_whole(stem.with_suffix(f".{options.form}"), content)
        if options.template:
            filled = [template_row(one) for one in judged.rows]
            write_whole(stem.with_suffix(".template"), _lines(filled))
        if options.review:
            kept = [[key, *values] for key, values in judged.reviews.items()]
            write_whole(stem.with_suffix(".reviews"), _lines(kept))
        write_whole(stem.with_suffix(".json"), _tally(judged, source.name))
        return len(rows)


def part_name(number: int) -> str:
    return f"part-{number:06d}"


def _lines(values: Iterable[object]) -> bytes:
    return b"".join(orjson.dumps(value) + b"\n" for value in values)


def _tally(judged: JudgedPart, source: str) -> bytes:
    rejects = [[source, one.row, one.field, one.reason] for one in judged.rejects]
    return orjson.dumps({"tally": judged.tally.to_dict(), "rejects": rejects})


_worker: Worker | None = None


def _collect(part: Part) -> Gathered:
    return _here().collect(part)


def _classify(page: Sequence[tuple[bytes, str]]) -> list[tuple[bytes, bytes]]:
    return _here().classify(page)


def _write(part: Part) -> int:
    return _here().write(part)


def _here() -> Worker:
    if _worker is None:
        raise RuntimeError("worker process was not started")
    return _worker


def _start(options: Options | None, paths: Sequence[Path]) -> None:
    """Prepare a worker process; it ends when the process that started it does."""
    global _worker
    parent = os.getppid()
    # A part is thousands of small objects that live as long as it does: looked at less often.
    gc.set_threshold(GC_THRESHOLD)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    if options is not None:
        _worker = Worker(Assistant.load(), options, Sources(paths, options.mapping, options.raw))


class Workers:
    """The processes. One process asked for means none beside this one."""

    def __init__(self, worker: Worker):
        global _worker
        self._worker = worker
        self._count = worker.options.processes
        self._pool: ProcessPoolExecutor | None = None
        self._forks = "fork" in multiprocessing.get_all_start_methods()
        if self._count > 1:
            if self._forks:
                _worker = worker
                gc.collect()
                gc.freeze()  # what is loaded stays: collections need not look at it again
            self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        """Processes that inherit what is loaded where the platform can fork, or load their own."""
        if self._forks:
            return ProcessPoolExecutor(
                self._count, multiprocessing.get_context("fork"), _start, (None, ())
            )
        paths = [source.path for source in self._worker.sources.sources]
        given = (self._worker.options, paths)
        return ProcessPoolExecutor(self._count, initializer=_start, initargs=given)

    def _renew(self) -> None:
        """New processes in place of the old ones, which must be idle."""
        if self._pool is not None and self._forks:
            self._pool.shutdown()
            self._pool = self._start()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def collect(self, parts: Iterable[Part]) -> Iterator[tuple[Part, Gathered]]:
        return self._run(_collect, self._worker.collect, parts)

    def classify(
        self, pages: Iterable[list[tuple[bytes, str]]]
    ) -> Iterator[tuple[list[tuple[bytes, str]], list[tuple[bytes, bytes]]]]:
        """Answers to pages of questions. A process that classifies reads far and wide in what it
        shares with this one, and copies it bit by bit; a new one shares all again."""
        return self._run(_classify, self._worker.classify, pages, RENEWED)

    def write(self, parts: Iterable[Part]) -> Iterator[tuple[Part, int]]:
        self._renew()
        return self._run(_write, self._worker.write, parts)

    def _run(
        self, remote: Callable[[Task], Result], local: Callable[[Task], Result],
        tasks: Iterable[Task], renewed: int = 0,
    ) -> Iterator[tuple[Task, Result]]:  # fmt: skip
        """Results in the order of the tasks, a few of them under way at a time. renewed: tasks
        after which the processes are new ones, 0 for never."""
        if self._pool is None:
            for task in tasks:
                yield task, local(task)
            return
        waiting: deque[tuple[Task, Future[Result]]] = deque()
        for number, task in enumerate(tasks, 1):
            waiting.append((task, self._pool.submit(remote, task)))
            renew = renewed > 0 and number % renewed == 0
            while waiting and (renew or len(waiting) > self._count + 1):
                first, future = waiting.popleft()
                yield first, future.result()
            if renew:
                self._renew()
        for first, future in waiting:
            yield first, future.result()
