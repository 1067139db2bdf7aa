"""Sharing one model between requests: what fails for one line fails for its request alone."""

from __future__ import annotations

import asyncio
from typing import Any

from api.dispatch import Dispatcher
from invoicer import Assistant, InvoiceLine

BAD = "坏"


class Picky:
    """The assistant, but that it cannot stand one name."""

    def __init__(self, assistant: Assistant):
        self._assistant = assistant

    def suggest(self, lines: list[InvoiceLine]) -> Any:
        if any(line.name == BAD for line in lines):
            raise ValueError(BAD)
        return self._assistant.suggest(lines)


def answers(assistant: Assistant, *requests: list[str]) -> list[Any]:
    """What comes of requests that wait at the same moment: codes, or the error."""
    dispatcher, picky = Dispatcher(), Picky(assistant)

    async def ask() -> list[Any]:
        asked = (dispatcher.suggest(picky, [*map(InvoiceLine, names)]) for names in requests)
        return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(ask())


def test_a_line_that_fails_takes_no_other_request_with_it(assistant: Assistant) -> None:
    first, bad, last = answers(assistant, ["停车费"], [BAD], ["弹簧床垫"])
    assert isinstance(bad, ValueError)
    expected = assistant.suggest(["停车费", "弹簧床垫"])
    assert [found.code for (found,) in (first, last)] == [one.code for one in expected]


def test_a_batch_that_fails_does_not_stop_the_next(assistant: Assistant) -> None:
    bad, good = answers(assistant, ["停车费", BAD], ["停车费", "弹簧床垫"])
    assert isinstance(bad, ValueError)
    assert len(good) == 2
