"""Uncertain lines to the review queue, and what people decided back into a finished output."""

from __future__ import annotations

from dataclasses import replace

import orjson

from invoicer.assistant import Assistant
from invoicer.line import InvoiceLine
from invoicer.recode.progress import Progress, Stage
from invoicer.recode.work import Work
from invoicer.review.inbox import add
from invoicer.review.items import identity, item_of
from invoicer.settings import Settings
from invoicer.store import Store


def enqueue(
    assistant: Assistant,
    work: Work,
    tenant: str,
    progress: Progress,
) -> int:
    """Hand the collected items over, each with how often and for how much it was asked."""
    store = Store.open(Settings().database)
    total, done = work.count("reviews"), 0
    for page in work.waiting_reviews():
        lines = [InvoiceLine.from_fields(orjson.loads(text)) for _, text, _, _ in page]
        items = []
        for line, suggestion, (_, _, times, fen) in zip(
            lines, assistant.suggest(lines), page, strict=True
        ):
            who = identity(tenant, line, assistant.rate_table)
            items.append(replace(item_of(tenant, line, suggestion, who, times), amount=fen))
        add(store, items)
        done += len(items)
        progress(Stage.REVIEW, done, total)
    return total
