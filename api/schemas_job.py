"""Files handed in, and how far they are."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import MAX_FIELD, Fault, Review
from invoicer.jobs.job import Kind
from invoicer.line import FIRST_DAY
from invoicer.recode.progress import Stage
from knowledge_base.rate_advice import TaxpayerType

Format = Literal["csv", "jsonl", "xlsx", "parquet"]
Column = Annotated[str, Field(max_length=MAX_FIELD)]


class JobIn(BaseModel):
    """与文件一起提交的表单字段,均可省略。"""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = Field(Kind.CLASSIFY, description="classify 逐行赋码;recode 复核历史发票")
    format: Format = Field("csv", description="结果文件的格式;parquet 只用于 recode")
    on: Annotated[dt.date, Field(ge=FIRST_DAY)] | None = Field(
        None, description="没有日期的行按此日期判断,如 2026-11-27;省略为今天"
    )
    taxpayer: TaxpayerType | None = Field(None, description="没有纳税人类型的行按此判断")
    seller_industry: Annotated[str, Field(max_length=MAX_FIELD)] = Field(
        "", description="没有销售方的行按此判断:销售方名称或行业"
    )
    review: Review = None
    map: Annotated[list[Column], Field(max_length=50)] = Field(
        [], description="指定列,可多次给出:列名=字段,如 货品=name"
    )
    rates: bool = Field(
        False, description="只用于 classify:结果中增加 rates 列,列出所有可能适用的税率"
    )
    report: bool | None = Field(None, description="只用于 recode:是否附 HTML 报告,省略为 true")


class StageOut(BaseModel):
    """recode 的一个步骤:读取、给不重复的名称赋码、逐行判断、写出、送审。"""

    name: Stage
    done: int = Field(description="read、judge 数行,classify 数不重复的名称,review 数审核项")
    total: int | None


class JobOut(BaseModel):
    """一个任务。"""

    id: str = Field(description="任务编号,无法猜测")
    kind: Kind
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    created_at: dt.datetime
    started_at: dt.datetime | None = Field(description="最近一次开始处理的时间")
    ended_at: dt.datetime | None
    attempts: int = Field(description="开始处理的次数;服务重启后会再次开始")
    stage: StageOut | None = Field(description="recode 处理中的步骤;其他时候为 null")
    rows_total: int | None = Field(description="数据行数;读完文件之前为空")
    rows_done: int
    rows_failed: int = Field(description="未能赋码或判断的行数,见 rejects")
    rows_with_findings: int | None = Field(description="recode:有问题的行数;未知时为 null")
    rows_per_second: float | None = Field(description="recode 处理中:该步骤每秒完成的数目")
    seconds_left: float | None = Field(description="预计剩余秒数;recode:该步骤的")
    downloads: list[Literal["result", "rejects", "report", "template"]] = Field(
        description="可以下载的文件"
    )
    notes: list[str] = Field(description="其他说明,如没有读取的工作表")
    error: Fault | None = Field(description="任务失败的原因")
    format: Format
    on: dt.date | None
    taxpayer: TaxpayerType | None
    seller_industry: str
    review: Literal["none", "auto"]
    map: list[str]
    rates: bool
    report: bool
    template: bool = Field(description="是否填写官方批量开票模板")


class JobsOut(BaseModel):
    results: list[JobOut]
    next: str = Field(description="下一页的 before 参数;最后一页为空")
