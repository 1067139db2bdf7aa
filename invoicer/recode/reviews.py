"""Uncertain lines to the review queue, and what people decided back into a finished output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import orjson

from invoicer.assistant import Assistant
from invoicer.line import InvoiceLine
from invoicer.recode.work import Work
from invoicer.review.inbox import add
from invoicer.review.items import ReviewItem, identity, item_of
from invoicer.settings import Settings
from invoicer.store import Store


def enqueue(
    assistant: Assistant,
    work: Work,
    tenant: str,
    run: str,
    progress: Callable[[str, int, int | None], None],
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
                    "insert or replace into recode_handovers (run, pages) values (?, ?)",
                    [run, number],
                )
        done += len(page)
        progress("送审", done, total)
    return total


def _items(
    assistant: Assistant, tenant: str, page: Sequence[tuple[str, str, int, int]]
) -> Iterator[ReviewItem]:
    lines = [InvoiceLine.from_fields(orjson.loads(text)) for _, text, _, _ in page]
    for line, suggestion, (_, _, times, fen) in zip(
        lines, assistant.suggest(lines), page, strict=True
    ):
        who = identity(tenant, line, assistant.rate_table)
        yield replace(item_of(tenant, line, suggestion, who, times), amount=fen)
