"""What may be set for the service by `INVOICER_*` variables, checked once at the start."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from invoicer.access.keys import MAX_LINES_PER_SECOND
from invoicer.review.rules import ReviewRules
from invoicer.settings import Settings

MEBI = 1 << 20
GIBI = 1 << 30


class ServiceSettings(ReviewRules):
    """Limits and doors of the service, with the rules of review; everything that opens a door is
    closed by default."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="port to listen on")
    workers: int = Field(2, ge=1, le=64, description="worker processes")
    lines_per_second: float = Field(
        1_000,
        gt=0,
        le=MAX_LINES_PER_SECOND,
        description="lines a second for keys without a rate of their own",
    )
    max_body: int = Field(4 * MEBI, gt=0, description="bytes of a request body")
    max_upload: int = Field(64 * MEBI, gt=0, description="bytes of a file handed in as a job")
    request_seconds: float = Field(30, gt=0, le=3600, description="seconds a request may take")
    transfer_seconds: float = Field(
        600,
        gt=0,
        le=86_400,
        description="seconds that handing in a file, or fetching one, may take",
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
    retrain_after: int = Field(
        500, ge=0, description="new decisions after which the service learns by itself; 0: never"
    )
    attachment_bytes: int = Field(10 * MEBI, gt=0, description="bytes of a file with an appeal")
    log_names: bool = Field(False, description="product names in the log")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("root_path")
    @classmethod
    def _one_slash_before(cls, value: str) -> str:
        path = value.strip("/")
        return f"/{path}" if path else ""

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, value: str) -> str:
        for address in filter(None, (part.strip() for part in value.split(","))):
            if address != "*":
                ip_network(address)
        return value

    @property
    def database_path(self) -> Path:
        return Settings().database
