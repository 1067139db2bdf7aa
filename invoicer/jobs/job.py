"""One job: what was asked for, and how far it is."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from typing import Any

from invoicer.batch import Defaults
from knowledge_base.rates import TaxpayerType


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller asked for. form: csv | jsonl | xlsx; on: for rows without a date;
    review: uncertain rows go to the queue; random_slice: share of the strong ones that do too;
    rates: a column of all rates."""

    form: str = "csv"
    on: dt.date | None = None
    taxpayer: TaxpayerType | None = None
    seller_industry: str = ""
    review: bool = False
    random_slice: float = 0.0
    rates: bool = False

    def defaults(self) -> Defaults:
        """What holds for rows that do not say."""
        return Defaults(self.on, self.taxpayer, self.seller_industry)

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, default=str)

    @classmethod
    def from_json(cls, text: str) -> Options:
        given = json.loads(text)
        given["on"] = dt.date.fromisoformat(given["on"]) if given["on"] else None
        given["taxpayer"] = TaxpayerType(given["taxpayer"]) if given["taxpayer"] else None
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the queue.

    attempts: how often it was begun; deaths: how often its process ended by itself;
    rows_reviewed: rows whose questions are in the review queue already, by any attempt;
    error: in the shape of all errors, without the wrapping.
    """

    id: str
    tenant: str
    principal: str
    state: str
    suffix: str
    options: Options
    created_at: str
    started_at: str | None
    ended_at: str | None
    heartbeat: str | None
    attempts: int
    deaths: int
    rows_total: int | None
    rows_done: int
    rows_failed: int
    rows_reviewed: int
    error: dict[str, Any] | None

    @property
    def has_ended(self) -> bool:
        return self.state not in ("queued", "running")

    @property
    def rows_per_second(self) -> float | None:
        """Since the attempt began; None before the first rows are done."""
        if self.started_at is None or not self.rows_done:
            return None
        last = self.ended_at or self.heartbeat or self.started_at
        span = dt.datetime.fromisoformat(last) - dt.datetime.fromisoformat(self.started_at)
        return self.rows_done / max(span.total_seconds(), 0.001)

    @property
    def seconds_left(self) -> float | None:
        """An estimate for a running job; None where there is nothing to estimate from."""
        rate = self.rows_per_second
        if self.state != "running" or rate is None or self.rows_total is None:
            return None
        return max(self.rows_total - self.rows_done, 0) / rate


def job_of(row: dict[str, Any]) -> Job:
    """The job in a row of the store."""
    error = json.loads(row["error"]) if row["error"] else None
    return Job(**{**row, "options": Options.from_json(row["options"]), "error": error})
