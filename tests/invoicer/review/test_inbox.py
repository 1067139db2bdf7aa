"""The inbox: everything that was put in is in the database after the stop."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from queue import Queue

import pytest

from invoicer.access import tenants
from invoicer.errors import UnavailableError
from invoicer.review import inbox
from invoicer.review.inbox import Inbox
from invoicer.review.items import ReviewItem
from invoicer.store import Store, database
from invoicer.suggestion import Tier

ITEM = ReviewItem(
    "rv_1",
    "acme",
    "question",
    "alike",
    False,
    {"name": "鱼排"},
    {"code": ""},
    Tier.WEAK,
    0.25,
    1200,
)  # fmt: skip


def items(store: Store) -> list[dict[str, object]]:
    return store.rows("select * from review_items order by id")


def test_a_repeated_question_counts_up_and_keeps_its_first_suggestion(store: Store) -> None:
    box = Inbox(store)
    box.put(ITEM)
    box.put(replace(ITEM, amount=300, suggestion={"code": "later"}))
    box.close()
    box.put(replace(ITEM, amount=-500, times=2))  # a closed inbox opens again
    box.close()
    (row,) = items(store)
    assert (row["times"], row["amount"]) == (4, 1000)
    assert (row["suggestion"], row["state"]) == ('{"code": ""}', "open")
    assert row["first_seen"] <= row["last_seen"]


def test_a_stop_writes_everything_that_was_put_in_from_many_threads(store: Store) -> None:
    box = Inbox(store)

    def put(number: int) -> None:
        for i in range(700):
            box.put(replace(ITEM, id=f"rv_{number}_{i}"))

    threads = [threading.Thread(target=put, args=[n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    box.close()
    assert len(items(store)) == 2800


def test_a_locked_database_is_tried_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    monkeypatch.setattr(inbox, "RETRY_SECONDS", 0.01)
    tried = threading.Event()
    monkeypatch.setattr(inbox.log, "exception", lambda *_: tried.set())
    box = Inbox(store)
    with closing(sqlite3.connect(store.path)) as other:
        other.execute("begin immediate")
        box.put(ITEM)
        assert tried.wait(30)
        assert items(store) == []
    box.close()
    assert len(items(store)) == 1


def test_an_item_that_cannot_be_written_takes_no_other_along(store: Store) -> None:
    box = Inbox(store)
    for number in range(5):
        box.put(replace(ITEM, id=f"rv_{number}", line={"name": "\ud800" if number == 2 else "鱼"}))
    box.close()
    assert [row["id"] for row in items(store)] == ["rv_0", "rv_1", "rv_3", "rv_4"]


def test_a_full_inbox_refuses_instead_of_standing_still(store: Store) -> None:
    box = Inbox(store)
    box._queue = Queue(1)
    with closing(sqlite3.connect(store.path)) as other:
        other.execute("begin immediate")
        with pytest.raises(UnavailableError, match="审核队列"):
            for number in range(inbox.A_COMMIT + 2):
                box.put(replace(ITEM, id=f"rv_{number}"))
    box.close()
    assert items(store)


def test_items_of_a_tenant_that_was_erased_meanwhile_are_dropped(store: Store) -> None:
    tenants.create(store, "other")
    tenants.erase(store, "other")
    inbox.add(store, [replace(ITEM, id="rv_2", tenant="other"), ITEM])
    assert [row["id"] for row in items(store)] == ["rv_1"]
