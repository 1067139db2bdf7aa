"""Measures of accuracy: code@k, 简称@k, tier precision with intervals, calibration error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.calibration import calibration_error, wilson


@dataclass(frozen=True, slots=True)
class Judged:
    """One labelled line after answering.

    short_name_hits, code_hits: whether each of the (at most five) candidates is right; code_hits
    is None where the line has no code label. rate_right: None where it cannot be judged.
    """

    name: str
    tier: str
    confidence: float
    short_name_hits: tuple[bool, ...]
    code_hits: tuple[bool, ...] | None
    expected: str
    answered: str
    rate_right: bool | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """right of total, with its Wilson 95 % interval."""

    right: int
    total: int

    @property
    def value(self) -> float:
        return self.right / self.total if self.total else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.right, self.total)

    def to_json(self) -> dict[str, Any]:
        low, high = self.interval
        value = round(self.value, 4) if self.total else None
        return {"right": self.right, "total": self.total, "share": value,
                "low": round(low, 4), "high": round(high, 4)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """All measures of one set."""

    lines: int
    short_name_1: Share
    short_name_5: Share
    code_1: Share
    code_5: Share
    strong: Share
    strong_code: Share
    strong_share: Share
    medium_share: Share
    weak_share: Share
    rate: Share
    ece: float

    def to_json(self) -> dict[str, Any]:
        return {
            key: value.to_json() if isinstance(value, Share) else value
            for key, value in ((k, getattr(self, k)) for k in self.__dataclass_fields__)
        }


def measure(judged: Sequence[Judged]) -> Report:
    """Report over judged lines: weak lines count in @1 and @5 like the others."""
    n = len(judged)
    coded = [j.code_hits for j in judged if j.code_hits is not None]
    strong = [j for j in judged if j.tier == "strong"]
    strong_coded = [j.code_hits for j in strong if j.code_hits is not None]
    rates = [j.rate_right for j in judged if j.rate_right is not None]
    confidence = np.array([j.confidence for j in judged])
    right = np.array([j.short_name_hits[:1] == (True,) for j in judged], dtype=float)
    return Report(
        lines=n,
        short_name_1=Share(int(right.sum()), n),
        short_name_5=Share(sum(any(j.short_name_hits) for j in judged), n),
        code_1=Share(sum(h[:1] == (True,) for h in coded), len(coded)),
        code_5=Share(sum(any(h) for h in coded), len(coded)),
        strong=Share(sum(j.short_name_hits[:1] == (True,) for j in strong), len(strong)),
        strong_code=Share(sum(h[:1] == (True,) for h in strong_coded), len(strong_coded)),
        strong_share=Share(len(strong), n),
        medium_share=Share(sum(j.tier == "medium" for j in judged), n),
        weak_share=Share(sum(j.tier == "weak" for j in judged), n),
        rate=Share(sum(rates), len(rates)),
        ece=calibration_error(confidence, right) if n else float("nan"),
    )
