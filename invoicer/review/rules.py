"""How review is run: what may be set, with the defaults."""

from __future__ import annotations

import zlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """random_slice: share of strong answers that is reviewed all the same, so that accuracy is
    measured; second_share, second_amount: share of items, and net amount in yuan, from which an
    item needs a blind second vote; lease_seconds: how long an item is kept for its reviewer;
    agreeing_tenants: how many have to decide alike before a decision holds for all; panel_quorum:
    votes a case needs; panel_majority: share of them that one code must exceed; panel_days,
    appeal_days: how long a case, and the answer to an appeal, may take."""

    random_slice: float = 0.01
    second_share: float = 0.05
    second_amount: float = 100_000.0
    lease_seconds: int = 300
    agreeing_tenants: int = 3
    panel_quorum: int = 3
    panel_majority: float = 0.5
    panel_days: int = 15
    appeal_days: int = 15

    def in_slice(self, item: str) -> bool:
        """Whether an item belongs to the permanent random slice."""
        return _share(item, "slice") < self.random_slice

    def needs_second(self, item: str, amount: int) -> bool:
        """Whether an item needs a second vote. amount: net, in fen."""
        return abs(amount) >= self.second_amount * 100 or _share(item, "second") < self.second_share


def _share(item: str, purpose: str) -> float:
    """A number in [0, 1) that belongs to the item: the same draw every time."""
    return zlib.crc32(f"{purpose}:{item}".encode()) / 2**32
