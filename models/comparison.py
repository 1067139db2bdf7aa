"""Two models on the same lines: who wins, and how their answers differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

from models.evaluation import Judged

SMALL_SET = 300
SMALL_MARGIN = 3  # lines
SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Paired:
    """One measure of one set. gained, lost: lines that only the new, only the old model has
    right; before, after: right lines."""

    set: str
    measure: str
    lines: int
    before: int
    after: int
    gained: int
    lost: int

    @property
    def p_value(self) -> float:
        """McNemar's exact test, one-sided: the chance of losing that many where both are equal."""
        n = self.gained + self.lost
        return sum(comb(n, k) for k in range(self.lost, n + 1)) / (1 << n)

    @property
    def falls(self) -> bool:
        """Whether the new model is worse by more than its margin: significantly, or on a small
        set by SMALL_MARGIN lines."""
        net = self.lost - self.gained
        if net < SMALL_MARGIN:
            return False
        return self.lines < SMALL_SET or self.p_value < SIGNIFICANT

    def to_json(self) -> dict[str, Any]:
        return {
            "set": self.set, "measure": self.measure, "lines": self.lines,
            "before": self.before, "after": self.after, "gained": self.gained, "lost": self.lost,
            "p_value": round(self.p_value, 4), "falls": self.falls,
        }  # fmt: skip


def _safe(judged: Judged) -> bool:
    """Not both strong and wrong."""
    return judged.tier != "strong" or judged.short_name_hits[:1] == (True,)


MEASURES: dict[str, Callable[[Judged], bool]] = {
    "简称@1": lambda j: j.short_name_hits[:1] == (True,),
    "编码@1": lambda j: j.code_hits is not None and j.code_hits[:1] == (True,),
    "强档无误": _safe,
}


def compare(name: str, before: Sequence[Judged], after: Sequence[Judged]) -> list[Paired]:
    """Each measure of a set that both models answered, line by line."""
    found = []
    for measure, right in MEASURES.items():
        pairs = Counter((right(a), right(b)) for a, b in zip(before, after, strict=True))
        found.append(
            Paired(
                set=name,
                measure=measure,
                lines=len(before),
                before=pairs[True, True] + pairs[True, False],
                after=pairs[True, True] + pairs[False, True],
                gained=pairs[False, True],
                lost=pairs[True, False],
            )
        )
    return found


def distance(before: Sequence[Hashable], after: Sequence[Hashable]) -> float:
    """Total variation between two distributions: 0 alike, 1 disjoint."""
    a, b = Counter(before), Counter(after)
    keys = a.keys() | b.keys()
    return sum(abs(a[k] / len(before) - b[k] / len(after)) for k in keys) / 2 if keys else 0.0
