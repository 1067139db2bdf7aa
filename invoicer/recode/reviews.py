"""Uncertain lines to the review queue, and what people decided back into a finished output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import orjson

from invoicer.assistant import Assistant
from invoicer.line import InvoiceLine
from invoicer.recode.progress import Progress, Stage
from invoicer.recode.work import ReviewRow, Work
from invoicer.review.inbox import add
from invoicer.review.items import Identity, ReviewItem, item_of
from invoicer.settings import Settings
from invoicer.store import Store, utc_text


def enqueue(
    assistant: Assistant,
    work: Work,
    tenant: str,
    run: str,
    progress: Progress,
) -> int:
    """Hand the collected items over, each with how often and for how much it was asked.

    The queue itself keeps how many pages of a run it has: none is counted twice, wherever the run
    is killed.
    """
    store = Store.open(Settings().database)
    total, done = work.count("reviews"), 0
    row = store.row("select pages from recode_handovers where run = ?", [run])
    known = row["pages"] if row else 0
    for number, page in enumerate(work.review_pages(), 1):
        if number > known:
            items = list(_items(assistant, tenant, page))
            with store.transaction() as db:
                add(store, items)
                db.execute(
                    "insert or replace into recode_handovers (run, tenant, pages, at)"
                    " values (?, ?, ?, ?)",
                    [run, tenant, number, utc_text()],
                )
        done += len(page)
        progress(Stage.REVIEW, done, total)
    return total


def _items(
    assistant: Assistant, tenant: str, page: Sequence[ReviewRow]
) -> Iterator[ReviewItem]:
    lines = [InvoiceLine.from_fields(orjson.loads(row[2])) for row in page]
    for line, suggestion, (item, question, _, times, fen) in zip(
        lines, assistant.suggest(lines), page, strict=True
    ):
        who = Identity(question, item)
        yield replace(item_of(tenant, line, suggestion, who, times), amount=fen)
