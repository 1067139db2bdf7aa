"""Sharing one model between many requests: single lines first, large batches in slices.

The model runs in the event loop itself, a slice at a time: a thread would fight with the loop
for the interpreter and make every answer late. Lines that wait at the same moment are answered
together, which costs far less than one by one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from invoicer import Assistant, InvoiceLine, Suggestion

TOGETHER = 16  # single lines answered at once
SLICE = 32  # lines of a batch answered at once: a single line waits for no more
# Turns of the event loop between two slices, so that a request that has just arrived is read,
# authenticated and queued before the next slice of a batch begins.
TURNS = 6


@dataclass(slots=True)
class _Work:
    assistant: Assistant
    lines: list[InvoiceLine]
    done: asyncio.Future[list[Suggestion]]
    answers: list[Suggestion] = field(default_factory=list)

    def take(self, answers: list[Suggestion]) -> None:
        self.answers.extend(answers)
        if len(self.answers) == len(self.lines) and not self.done.done():
            self.done.set_result(self.answers)


class Dispatcher:
    """Answers lines in the order: all waiting single lines, then a slice of the oldest batch."""

    def __init__(self) -> None:
        self._single: deque[_Work] = deque()
        self._bulk: deque[_Work] = deque()
        self._runner: asyncio.Task[None] | None = None

    async def suggest(self, assistant: Assistant, lines: list[InvoiceLine]) -> list[Suggestion]:
        """A suggestion a line, all by the same assistant."""
        if not lines:
            return []
        work = _Work(assistant, lines, asyncio.get_running_loop().create_future())
        (self._single if len(lines) == 1 else self._bulk).append(work)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await work.done

    async def _run(self) -> None:
        while self._single or self._bulk:
            if self._single:
                self._answer(self._singles())
            else:
                # Batches take turns, so that a small one need not wait for a large one to end.
                work = self._bulk.popleft()
                if not work.done.done():
                    self._answer([work])
                if not work.done.done():
                    self._bulk.append(work)
            for _ in range(TURNS):
                await asyncio.sleep(0)

    def _singles(self) -> list[_Work]:
        """Waiting single lines of the same assistant; what was given up meanwhile is dropped."""
        together: list[_Work] = []
        while self._single and len(together) < TOGETHER:
            if together and self._single[0].assistant is not together[0].assistant:
                break
            work = self._single.popleft()
            if not work.done.done():
                together.append(work)
        return together

    def _answer(self, together: list[_Work]) -> None:
        """One slice: a line of each work, or the next lines of the only one."""
        if not together:
            return
        shares = [work.lines[len(work.answers) :][:SLICE] for work in together]
        try:
            answers = iter(together[0].assistant.suggest([one for s in shares for one in s]))
        except Exception as error:
            # Its request fails; the others, beside and behind it, must not.
            if len(together) > 1:
                for work in together:
                    self._answer([work])
            elif not together[0].done.done():
                together[0].done.set_exception(error)
            return
        for work, share in zip(together, shares, strict=True):
            work.take([next(answers) for _ in share])
