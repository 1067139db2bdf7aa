"""The queue: one question is one item, two people never have the same one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from invoicer.access.principals import Principal
from invoicer.errors import NotFoundError
from invoicer.review.queue import Filter, Queue
from invoicer.review.states import ReviewConflictError, history
from invoicer.store import Store

People = dict[str, Principal]
AddLine = Callable[..., str]


def test_the_same_question_is_one_item_that_counts_up(queue: Queue, add_line: AddLine) -> None:
    first = add_line("薯片", amount="100.50")
    assert add_line(" 薯片 ", amount="-20") == first
    item = queue.find("acme", first)
    assert (item["times"], item["amount"]) == (2, 8050)


@pytest.mark.parametrize(
    "other",
    [{"spec": "70g"}, {"unit": "箱"}, {"seller_industry": "某某超市"}, {"taxpayer": "small"},
     {"barcode": "6901234567892"}, {"date": "2019-03-31"}],
)  # fmt: skip
def test_another_fact_is_another_question(add_line: AddLine, other: dict[str, str]) -> None:
    assert add_line("薯片", **other) != add_line("薯片", date="2026-11-01")


def test_a_day_in_the_same_rate_period_is_the_same_question(add_line: AddLine) -> None:
    assert add_line("薯片", date="2019-04-01") == add_line("薯片", date="2020-12-31")


def test_money_and_frequency_come_first(queue: Queue, add_line: AddLine, people: People) -> None:
    add_line("薯片", amount="10")
    dear = add_line("鱼排", amount="90000")
    assert queue.lease(people["anna"])[0]["id"] == dear


def test_two_people_get_different_items(queue: Queue, add_line: AddLine, people: People) -> None:
    ids = {add_line("薯片"), add_line("鱼排")}
    got = [queue.lease(people[who])[0]["id"] for who in ("anna", "ben")]
    assert set(got) == ids
    assert queue.lease(people["ben"], 1, without=[got[1]]) == []


def test_many_at_once_never_share_an_item(
    queue: Queue, add_line: AddLine, people: People, store: Store
) -> None:
    for number in range(40):
        add_line(f"薯片 {number}号")

    def work(who: str) -> list[str]:
        mine: list[str] = []
        for _ in range(20):
            mine += [i["id"] for i in queue.lease(people[who], 1, without=mine)]
        store.close()
        return mine

    with ThreadPoolExecutor(2) as pool:
        anna, ben = pool.map(work, ("anna", "ben"))
    assert len(set(anna) | set(ben)) == len(anna) + len(ben) == 40


def test_a_lease_comes_back_to_its_holder_and_expires_for_others(
    queue: Queue, add_line: AddLine, people: People, store: Store
) -> None:
    item = add_line("薯片")
    queue.lease(people["anna"])
    assert queue.lease(people["anna"])[0]["id"] == item
    assert queue.lease(people["ben"]) == []
    store.db.execute("update review_items set leased_until = '2020-01-01T00:00:00Z'")
    assert queue.lease(people["ben"])[0]["id"] == item
    with pytest.raises(ReviewConflictError, match="他人"):
        queue.renew(people["anna"], [item])


def test_what_was_skipped_is_offered_to_others_only(
    queue: Queue, add_line: AddLine, people: People
) -> None:
    item = add_line("薯片")
    queue.lease(people["anna"])
    queue.release(people["anna"], [item], skip=True)
    assert queue.lease(people["anna"]) == []
    assert queue.lease(people["ben"])[0]["id"] == item


def test_another_tenants_items_are_not_there(
    queue: Queue, add_line: AddLine, people: People
) -> None:
    item = add_line("薯片")
    assert queue.lease(people["otto"]) == []
    with pytest.raises(NotFoundError):
        queue.mine(people["otto"], item)
    assert history(queue.store, "other", item) == []


def test_filters_narrow_the_queue(queue: Queue, add_line: AddLine, people: People) -> None:
    chips, fish = add_line("薯片"), add_line("鱼排")
    assert [i["id"] for i in queue.search("acme", Filter(text="鱼"))[1]] == [fish]
    found = queue.lease(people["anna"], 5, Filter(text="薯"))
    assert [i["id"] for i in found] == [chips]
    assert queue.search("acme", Filter(chapter="4"))[0] == 0


def test_alike_items_have_the_same_core_and_first_candidate(
    queue: Queue, add_line: AddLine, people: People
) -> None:
    first = add_line("薯片", spec="70g")
    second = add_line("薯片", spec="90g")
    add_line("鱼排")
    assert [i["id"] for i in queue.alike(people["anna"], first)] == [second]
