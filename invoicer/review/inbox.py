"""Items on their way to the queue: written off the answer path, many in one commit."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterable
from queue import Empty, Full, Queue

from invoicer.errors import UnavailableError
from invoicer.review.items import ReviewItem
from invoicer.review.rules import slice_draw
from invoicer.review.subjects import subject_key
from invoicer.store import Store, StoreError, utc_text

WAITING = 50_000
A_COMMIT = 1_000
RETRY_SECONDS = 1.0
log = logging.getLogger("invoicer.review")

_ADD = """
insert into review_items
  (id, tenant, question, subject, alike, sampled, draw, line, suggestion, tier, confidence, times,
   amount, priority, first_seen, last_seen)
select :id, :tenant, :question, :subject, :alike, :sampled, :draw, :line, :suggestion, :tier,
       :confidence, :times, :amount, :uncertainty * (:times + abs(:amount) / 100.0), :now, :now
from tenants where tenant = :tenant and erased_at is null
on conflict (id) do update set
  times = times + excluded.times, amount = amount + excluded.amount, last_seen = excluded.last_seen,
  priority = :uncertainty * (times + excluded.times + abs(amount + excluded.amount) / 100.0)
"""


def add(store: Store, items: Iterable[ReviewItem]) -> None:
    """Write items; one that is there already counts up and keeps its first suggestion.

    Priority is uncertainty × (times asked + net amount in yuan): frequency and money, of which the
    sum over the lines holds both. What was drawn for measuring counts as wholly uncertain. Items
    of a tenant that was erased meanwhile are dropped.
    """
    now = utc_text()
    with store.transaction() as db:
        db.conn.executemany(
            _ADD,
            [
                {
                    "id": item.id,
                    "tenant": item.tenant,
                    "question": item.question,
                    "subject": subject_key(item.line["name"]),
                    "alike": item.alike,
                    "sampled": int(item.sampled),
                    "draw": slice_draw(item.id),
                    "uncertainty": 1.0 if item.sampled else 1.0 - item.confidence,
                    "line": json.dumps(item.line, ensure_ascii=False),
                    "suggestion": json.dumps(item.suggestion, ensure_ascii=False),
                    "tier": item.tier.value,
                    "confidence": item.confidence,
                    "times": item.times,
                    "amount": item.amount,
                    "now": now,
                }
                for item in items
            ],
        )


class Inbox:
    """A thread that writes what is put in. Full, it refuses; closed, it writes all that waits."""

    def __init__(self, store: Store):
        self._store = store
        self._queue: Queue[ReviewItem | None] = Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def put(self, item: ReviewItem) -> None:
        """Hand over an item; starts the writer on first use, after any fork.

        Raises UnavailableError where too many wait: the caller must not stand still with them.
        """
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="inbox", daemon=True)
                self._thread.start()
        try:
            self._queue.put_nowait(item)
        except Full:
            raise UnavailableError("审核队列暂时已满,请稍后重试") from None

    def close(self) -> None:
        """Write what is waiting and end."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def _write(self) -> None:
        ended = False
        while not ended:
            items: list[ReviewItem] = []
            item = self._queue.get()
            while item is not None:
                items.append(item)
                if len(items) == A_COMMIT:
                    break
                try:
                    item = self._queue.get_nowait()
                except Empty:
                    break
            ended = item is None
            self._commit(items)

    def _commit(self, items: list[ReviewItem]) -> None:
        while items:
            try:
                add(self._store, items)
                return
            except StoreError:
                log.exception("review items could not be written, trying again")
                time.sleep(RETRY_SECONDS)
            except Exception:
                # One that cannot be written must neither take the others along nor end the thread.
                log.exception("%d review items could not be written", len(items))
                if len(items) == 1:
                    return
                half = len(items) // 2
                self._commit(items[:half])
                items = items[half:]
