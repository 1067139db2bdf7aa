"""What may be set for the service by `INVOICER_*` variables, checked once at the start."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from invoicer.errors import InputError
from invoicer.review.rules import ReviewRules
from invoicer.settings import Settings

MEBI = 1 << 20
GIBI = 1 << 30


class ServiceSettings(BaseSettings):
    """Limits and doors of the service; everything that opens a door is closed by default."""

    model_config = SettingsConfigDict(env_prefix="INVOICER_", extra="ignore")

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="port to listen on")
    workers: int = Field(2, ge=1, le=64, description="worker processes")
    lines_per_second: float = Field(
        1_000, gt=0, description="lines a second for keys without a rate of their own"
    )
    max_body: int = Field(4 * MEBI, gt=0, description="bytes of a request body")
    max_upload: int = Field(64 * MEBI, gt=0, description="bytes of a file handed in as a job")
    request_seconds: float = Field(30, gt=0, description="seconds a request may take")
    transfer_seconds: float = Field(
        600, gt=0, description="seconds that handing in a file, or fetching one, may take"
    )
    jobs: int = Field(
        1, ge=0, le=64, description="jobs that run at the same time; 0 to run none here"
    )
    jobs_waiting: int = Field(
        20, ge=1, description="jobs of one tenant that may wait or run at the same time"
    )
    job_seconds: int = Field(6 * 3600, gt=0, description="seconds one job may take")
    job_memory: int = Field(
        4 * GIBI, ge=GIBI, description="bytes of address space of a job's process"
    )
    job_disk: int = Field(4 * GIBI, ge=MEBI, description="bytes of a result file")
    job_rows: int = Field(1_000_000, gt=0, description="rows of a file handed in as a job")
    job_days: int = Field(
        30, ge=1, description="days after which an ended job and its files are deleted"
    )
    trusted_proxies: str = Field(
        "", description="addresses of reverse proxies whose X-Forwarded-* is believed"
    )
    root_path: str = Field("", description="path below which a proxy publishes the service")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="web origins that may call from a browser, separated by commas"
    )
    open_docs: bool = Field(False, description="documentation without a key")
    open_metrics: bool = Field(False, description="/metrics without a key")
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
    attachment_bytes: int = Field(10 * MEBI, gt=0, description="bytes of a file with an appeal")
    log_names: bool = Field(False, description="product names in the log")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @classmethod
    def load(cls, **given: Any) -> ServiceSettings:
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

    @property
    def rules(self) -> ReviewRules:
        """The rules of review."""
        return ReviewRules(**{f.name: getattr(self, f.name) for f in fields(ReviewRules)})

    @property
    def database_path(self) -> Path:
        return Settings().database
