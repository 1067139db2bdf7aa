"""The service trains by itself once enough decisions wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from api import follow
from api.service import Service
from invoicer import InvoiceLine
from invoicer.access import keys, tenants
from invoicer.access.principals import Role
from invoicer.review import inbox
from invoicer.review.decided import waiting
from invoicer.review.items import identity, item_of
from invoicer.review.states import Versions

PARKING = "3040502020200000000"
ENOUGH = 2
LOOKS = 3  # looks at the number of decisions after which one more would change nothing
UNTIL_SECONDS = 300


@pytest.fixture
def decide(service: Service) -> Callable[[str], str]:
    """A reviewer's slip: something to eat decided to be parking; returns the item."""
    tenants.create(service.store, "acme")
    anna, _ = keys.create(service.store, "acme", "anna", Role.REVIEWER)

    def make(name: str) -> str:
        line, assistant = InvoiceLine(name), service.assistant
        who = identity("acme", line, assistant.rate_table)
        inbox.add(service.store, [item_of("acme", line, assistant.suggest(line), who)])
        service.decisions.decide(anna, who.item, PARKING, "", Versions("m", "k"))
        return who.item

    return make


class Looks:
    """How many decisions wait, and how often that was asked."""

    def __init__(self, service: Service):
        self._service = service
        self.count = 0

    async def __call__(self) -> int:
        self.count += 1
        return await self._service.in_thread(waiting, self._service.store)

    async def more(self) -> None:
        """Until some more have been had."""
        await until(lambda goal=self.count + LOOKS: self.count >= goal)


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(UNTIL_SECONDS):
        while not done():
            await asyncio.sleep(0.02)


def test_a_training_begins_with_enough_decisions_and_only_then(
    service: Service, decide: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The training is `invoicer retrain` in a process of its own, on this very database.
    monkeypatch.setenv("INVOICER_SECOND_SHARE", "0")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    monkeypatch.setattr(follow, "LEARN_SECONDS", 0.05)
    looks = Looks(service)

    def trainings() -> list[tuple[int, int, str]]:
        rows = service.store.rows("select * from trainings")
        return [(row["decisions"], row["held"], row["version"]) for row in rows]

    async def play() -> list[str]:
        learning = asyncio.create_task(follow.learn(ENOUGH, looks))
        items = [await asyncio.to_thread(decide, "黑椒味鱼排")]
        await looks.more()
        assert trainings() == []
        items.append(await asyncio.to_thread(decide, "柚子味鱼排"))
        await until(lambda: bool(trainings()))
        await looks.more()
        learning.cancel()
        return items

    items = asyncio.run(play())
    # Both slips wait for a second person now, nothing was left to learn from: trained once.
    assert trainings() == [(0, ENOUGH, "")]
    states = {item: service.queue.find("acme", item)["state"] for item in items}
    assert states == dict.fromkeys(items, "open")
    assert waiting(service.store) == 0
