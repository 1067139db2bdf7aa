"""The stages of a run, and who is told how far they have come."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Stage(StrEnum):
    """What a run is doing; its label is what people read."""

    READ = "read"
    CLASSIFY = "classify"
    JUDGE = "judge"
    WRITE = "write"
    REVIEW = "review"

    @property
    def label(self) -> str:
        return {
            "read": "读取", "classify": "赋码(不重复的名称)", "judge": "判断", "write": "写出",
            "review": "送审",
        }[self]  # fmt: skip


# Told the stage, what of it is done, and the total (None where not known).
Progress = Callable[[Stage, int, int | None], None]
