"""Following a switch: what cannot be loaded is tried again, and the old model goes on meanwhile."""

from __future__ import annotations

import asyncio
import logging

import pytest

from api import follow
from invoicer import Assistant


def test_a_switch_that_fails_is_told_and_tried_again(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(follow, "FOLLOW_SECONDS", 0.01)
    monkeypatch.setattr(follow, "RETRY_SECONDS", 2.0)
    tries, used = 0, []

    def load() -> Assistant:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise OSError("half a file")
        return assistant

    async def switched() -> None:
        following = asyncio.create_task(follow.follow(("earlier", "pointers"), load, used.append))
        while not used:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # once is enough
        following.cancel()

    with caplog.at_level(logging.INFO, "invoicer.service"):
        asyncio.run(asyncio.wait_for(switched(), 60))
    assert (tries, used) == (2, [assistant])
    first, second = (r.created for r in caplog.records if r.message == "switch begins")
    assert second - first > 1.9  # not at once: what failed may take a while to mend
    said = [record.message for record in caplog.records]
    assert said == [
        "switch begins",
        "switch failed, the previous model goes on answering",
        "switch begins",
        "switch done",
    ]
