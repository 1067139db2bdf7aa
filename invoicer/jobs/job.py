"""One job: what was asked for, and how far it is."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from invoicer.batch import Defaults
from invoicer.recode.progress import Stage
from knowledge_base.rate_advice import TaxpayerType


class Kind(StrEnum):
    """What is done with the lines of a file: classified, or re-coded as a history."""

    CLASSIFY = "classify"
    RECODE = "recode"


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller asked for. form: of the result; on: for rows without a date; review:
    uncertain rows go to the queue; random_slice: share of the strong ones that do too (classify);
    rates: a column of all rates (classify); mapping: column title → field; report, template: an
    HTML report, the official template filled (recode)."""

    form: str = "csv"
    on: dt.date | None = None
    taxpayer: TaxpayerType | None = None
    seller_industry: str = ""
    review: bool = False
    random_slice: float = 0.0
    rates: bool = False
    kind: Kind = Kind.CLASSIFY
    mapping: Mapping[str, str] = field(default_factory=dict)
    report: bool = False
    template: bool = False

    def defaults(self) -> Defaults:
        """What holds for rows that do not say."""
        return Defaults(self.on, self.taxpayer, self.seller_industry)

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, default=str)

    @classmethod
    def from_json(cls, text: str) -> Options:
        """Options as they were kept, by an earlier version too."""
        given = json.loads(text)
        given["on"] = dt.date.fromisoformat(given["on"]) if given["on"] else None
        given["taxpayer"] = TaxpayerType(given["taxpayer"]) if given["taxpayer"] else None
        given["kind"] = Kind(given.get("kind", Kind.CLASSIFY))
        return cls(**given)


@dataclass(frozen=True, slots=True)
class StageProgress:
    """One stage of a re-coding. first: what was done when it began, by an earlier attempt; at:
    when it began."""

    stage: Stage
    done: int
    total: int | None
    first: int
    at: str

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> StageProgress:
        given = json.loads(text)
        return cls(Stage(given.pop("stage")), **given)


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the queue.

    attempts: how often it was begun; deaths: how often its process ended by itself;
    rows_reviewed: rows whose questions are in the review queue already, by any attempt;
    error: in the shape of all errors, without the wrapping; stage: of a running re-coding;
    rows_with_findings: of a re-coding; tiers: lines by tier, once it is done; notes: what else to
    know, in Chinese.
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
    stage: StageProgress | None
    rows_with_findings: int | None
    tiers: Mapping[str, int]
    notes: list[str]

    @property
    def has_ended(self) -> bool:
        return self.state not in ("queued", "running")

    @property
    def rows_per_second(self) -> float | None:
        """Since the attempt began, or its stage; None before the first rows are done."""
        if self.stage is not None:
            done, since = self.stage.done - self.stage.first, self.stage.at
        elif self.started_at is not None:
            done, since = self.rows_done, self.started_at
        else:
            return None
        if not done:
            return None
        last = self.ended_at or self.heartbeat or since
        span = dt.datetime.fromisoformat(last) - dt.datetime.fromisoformat(since)
        return done / max(span.total_seconds(), 0.001)

    @property
    def seconds_left(self) -> float | None:
        """An estimate for a running job, or its stage; None where there is nothing to estimate
        from."""
        rate = self.rows_per_second
        done, total = self.rows_done, self.rows_total
        if self.stage is not None:
            done, total = self.stage.done, self.stage.total
        if self.state != "running" or rate is None or total is None:
            return None
        return max(total - done, 0) / rate


def job_of(row: dict[str, Any]) -> Job:
    """The job in a row of the store."""
    kept = {name: json.loads(row[name]) if row[name] else None for name in ("error", "tiers")}
    return Job(
        **{
            **row,
            **kept,
            "options": Options.from_json(row["options"]),
            "stage": StageProgress.from_json(row["stage"]) if row["stage"] else None,
            "tiers": kept["tiers"] or {},
            "notes": json.loads(row["notes"]),
        }
    )
