"""How review is run: what may be set by `INVOICER_*` variables, with the defaults."""

from __future__ import annotations

import zlib
from typing import Any, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from invoicer.errors import InputError


class ReviewRules(BaseSettings):
    """Which answers people see, who has to agree, and for how long an item is kept for somebody."""

    model_config = SettingsConfigDict(env_prefix="INVOICER_", extra="ignore")

    random_slice: float = Field(
        0.01, ge=0, le=1, description="share of strong answers that is reviewed all the same"
    )
    second_share: float = Field(0.05, ge=0, le=1, description="share of items with a second vote")
    second_amount: float = Field(
        100_000, gt=0, description="net amount in yuan from which an item needs a second vote"
    )
    lease_seconds: int = Field(300, ge=10, description="time an item is kept for its reviewer")
    agreeing_tenants: int = Field(
        3, ge=2, description="tenants that must decide alike before it holds for all"
    )
    panel_quorum: int = Field(3, ge=1, description="votes a case of the expert panel needs")
    panel_majority: float = Field(
        0.5, ge=0.5, lt=1, description="share of the votes that one code must exceed"
    )
    panel_days: int = Field(15, ge=1, description="days until a case may be counted")
    appeal_days: int = Field(15, ge=1, description="days in which an appeal is answered")

    @classmethod
    def load(cls, **given: Any) -> Self:
        """The settings of this environment, what is given first; raises InputError naming the
        variable that is wrong."""
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors()[0]
            name = "INVOICER_" + "_".join(str(part) for part in first["loc"]).upper()
            raise InputError(f"设置 {name} 无效:{first['msg']}") from None
        except SettingsError as error:
            raise InputError(f"设置无效:{error}") from None

    def in_slice(self, item: str) -> bool:
        """Whether an item belongs to the permanent random slice."""
        return slice_draw(item) < self.random_slice

    def needs_second(self, item: str, amount: int) -> bool:
        """Whether an item needs a second vote. amount: net, in fen."""
        return abs(amount) >= self.second_amount * 100 or _share(item, "second") < self.second_share


def slice_draw(item: str) -> float:
    """The draw that decides whether an item belongs to the random slice."""
    return _share(item, "slice")


def _share(item: str, purpose: str) -> float:
    """A number in [0, 1) that belongs to the item: the same draw every time."""
    return zlib.crc32(f"{purpose}:{item}".encode()) / 2**32
