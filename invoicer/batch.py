"""Classifying many lines: in order, in parallel, bad rows kept in place with their error."""

from __future__ import annotations

import datetime as dt
import gc
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

from invoicer.assistant import Assistant
from invoicer.columns import fields_of
from invoicer.errors import LineError
from invoicer.line import InvoiceLine
from invoicer.suggestion import Suggestion, failed_row
from knowledge_base.rate_advice import TaxpayerType
from knowledge_base.rates import RateTable

# Lines with what people have settled for them; called in every worker process.
Memory = Callable[[Sequence[InvoiceLine], RateTable], list[InvoiceLine]]
CHUNK = 256
PARALLEL_FROM = 2048


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for rows that do not say."""

    date: dt.date | None = None
    taxpayer: TaxpayerType | None = None
    seller_industry: str = ""
    answer: str = ""

    def complete(self, line: InvoiceLine) -> InvoiceLine:
        """The line with its gaps filled."""
        if self is NO_DEFAULTS or self == NO_DEFAULTS:
            return line
        return replace(
            line,
            date=line.date or self.date,
            taxpayer=line.taxpayer or self.taxpayer,
            seller_industry=line.seller_industry or self.seller_industry,
            answer=line.answer or self.answer,
        )


NO_DEFAULTS = Defaults()


@dataclass(frozen=True, slots=True)
class Answered:
    """One row: its cells, the answer's columns, the error or warnings worth telling.

    source: the line and its suggestion, where they were asked for.
    """

    cells: list[str]
    answer: dict[str, Any]
    error: str = ""
    warnings: tuple[str, ...] = ()
    source: tuple[InvoiceLine, Suggestion] | None = None


def answer_rows(
    assistant: Assistant,
    rows: Iterable[list[str]],
    places: Mapping[str, int],
    defaults: Defaults,
    workers: int | None = None,
    *,
    memory: Memory | None = None,
    with_source: bool = False,
) -> Iterator[Answered]:
    """An answer a row, in order. Long inputs are shared out to worker processes.

    memory: adds what people have settled.
    """
    source = iter(rows)
    head = list(islice(source, PARALLEL_FROM))
    workers = workers or min(os.cpu_count() or 1, 8)
    if len(head) < PARALLEL_FROM or workers == 1:
        for chunk in _chunks(iter(head)):
            yield from _answer(assistant, chunk, places, defaults, memory, with_source)
        for chunk in _chunks(source):
            yield from _answer(assistant, chunk, places, defaults, memory, with_source)
        return
    with _pool(workers, assistant) as pool:
        waiting: deque[Future[list[Answered]]] = deque()
        for chunk in _chunks(chain(head, source)):
            given = (chunk, dict(places), defaults, memory, with_source)
            waiting.append(pool.submit(_work, *given))
            if len(waiting) > workers * 2:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _pool(workers: int, assistant: Assistant) -> ProcessPoolExecutor:
    """Workers that inherit the loaded assistant where the platform can fork, or load their own."""
    global _worker
    if "fork" in multiprocessing.get_all_start_methods():
        _worker = assistant
        assistant.suggest("苹果")  # what is read on first use is read once, before the fork
        gc.freeze()  # what is loaded stays: collections need not look at it again
        return ProcessPoolExecutor(workers, multiprocessing.get_context("fork"))
    return ProcessPoolExecutor(workers, initializer=_start_worker)


def _chunks(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _answer(
    assistant: Assistant,
    chunk: list[list[str]],
    places: Mapping[str, int],
    defaults: Defaults,
    memory: Memory | None,
    with_source: bool,
) -> list[Answered]:
    answers: list[Answered | None] = [None] * len(chunk)
    lines: list[InvoiceLine] = []
    at: list[int] = []
    for i, cells in enumerate(chunk):
        try:
            line = InvoiceLine.from_fields(fields_of(cells, places))
        except LineError as error:
            message = f"{error.context.get('field', '')}: {error.message}"
            row = failed_row(message, assistant.model_version, assistant.kb_version)
            answers[i] = Answered(cells, row, error=message)
            continue
        lines.append(defaults.complete(line))
        at.append(i)
    if memory is not None:
        lines = memory(lines, assistant.rate_table)
    for i, line, suggestion in zip(at, lines, assistant.suggest(lines), strict=True):
        source = (line, suggestion) if with_source else None
        answers[i] = Answered(chunk[i], suggestion.to_row(), "", suggestion.warnings, source)
    return [a for a in answers if a is not None]


_worker: Assistant | None = None


def _start_worker() -> None:
    global _worker
    _worker = Assistant.load()


def _work(
    chunk: list[list[str]],
    places: Mapping[str, int],
    defaults: Defaults,
    memory: Memory | None,
    with_source: bool,
) -> list[Answered]:
    if _worker is None:
        raise RuntimeError("worker process was not started")
    return _answer(_worker, chunk, places, defaults, memory, with_source)
