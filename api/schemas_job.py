"""Files handed in, and how far they are."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import MAX_FIELD, Fault, Review
from invoicer.line import FIRST_DAY
from knowledge_base.rates import TaxpayerType


class JobIn(BaseModel):
    """与文件一起提交的表单字段,均可省略。"""

    model_config = ConfigDict(extra="forbid")

    format: Literal["csv", "jsonl", "xlsx"] = Field("csv", description="结果文件的格式")
    on: Annotated[dt.date, Field(ge=FIRST_DAY)] | None = Field(
        None, description="没有日期的行按此日期判断,如 2026-11-27;省略为今天"
    )
    taxpayer: TaxpayerType | None = Field(None, description="没有纳税人类型的行按此判断")
    seller_industry: Annotated[str, Field(max_length=MAX_FIELD)] = Field(
        "", description="没有销售方的行按此判断:销售方名称或行业"
    )
    review: Review = None
    rates: bool = Field(False, description="结果中增加 rates 列:所有可能适用的税率")


class JobOut(BaseModel):
    """一个任务。"""

    id: str = Field(description="任务编号,无法猜测")
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    created_at: dt.datetime
    started_at: dt.datetime | None = Field(description="最近一次开始处理的时间")
    ended_at: dt.datetime | None
    attempts: int = Field(description="开始处理的次数;服务重启后会重新处理")
    rows_total: int | None = Field(description="数据行数;读完文件之前为空")
    rows_done: int
    rows_failed: int = Field(description="未能赋码的行数,见 rejects")
    rows_per_second: float | None
    seconds_left: float | None = Field(description="预计剩余秒数")
    error: Fault | None = Field(description="任务失败的原因")
    format: Literal["csv", "jsonl", "xlsx"]
    on: dt.date | None
    taxpayer: TaxpayerType | None
    seller_industry: str
    review: Literal["none", "auto"]
    rates: bool


class JobsOut(BaseModel):
    results: list[JobOut]
    next: str = Field(description="下一页的 before 参数;最后一页为空")
