"""Codes and their rates."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, Field

from api.schemas import Code, RateOut
from knowledge_base.rate_advice import TaxpayerType


class CodeHitOut(BaseModel):
    code: Code
    name: str
    short_name: str
    path: list[str] = Field(description="从篇到该编码的各级名称")
    matched: str = Field(description="命中的关键字或俗名;命中名称本身时为空")


class CodeHitsOut(BaseModel):
    results: list[CodeHitOut]
    kb_version: str


class ExclusionOut(BaseModel):
    term: str
    code: str


class CodeOut(BaseModel):
    code: Code
    name: str
    short_name: str
    path: list[str]
    is_leaf: bool
    is_catch_all: bool
    keywords: list[str]
    includes: list[str]
    excludes: list[ExclusionOut]
    special_treatments: list[str]
    valid_from: dt.date
    valid_to: dt.date | None
    everyday_names: list[str] = Field(description="常用叫法,最多 50 个")
    kb_version: str


class RatesOut(BaseModel):
    code: Code
    on: dt.date
    taxpayer: TaxpayerType
    rates: list[RateOut]
    kb_version: str
