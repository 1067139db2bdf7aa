"""What requests and answers look like; the OpenAPI file is made from these."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SkipValidation,
    Tag,
    model_validator,
)

from invoicer.columns import fields_of_object
from invoicer.line import FIELDS, FIRST_DAY, MAX_NAME, InvoiceLine
from invoicer.readers import text_of, whole_characters
from invoicer.review.decisions import MAX_WHY
from invoicer.review.queue import Filter
from invoicer.review.states import State
from invoicer.suggestion import Tier
from knowledge_base.preferences import Preference
from knowledge_base.rates import RateKind, TaxpayerType, Treatment
from models.questions import Fact

MAX_LINES = 1_000
MAX_FIELD = 1_000
MAX_NAMED = 10  # unknown fields that a warning lists


def _text(value: Any) -> Any:
    """Numbers as text, since systems send codes, rates and barcodes as numbers too."""
    return text_of(value) if value is None or isinstance(value, str | int | float) else value


Text = Annotated[str, BeforeValidator(_text), Field(max_length=MAX_FIELD)]
Code = Annotated[str, Field(pattern=r"^[0-9]{19}$", description="税收分类编码,19 位数字文本")]
Review = Annotated[
    Literal["none", "auto"] | None,
    Field(description="auto:中、弱的行进入审核队列;省略时按密钥的设置"),
]
EXAMPLE: dict[str, Any] = {"name": "柚子味鱼排 200g", "unit": "袋", "seller_industry": "某食品公司"}


class LineIn(BaseModel):
    """一行发票明细。字段名接受各系统常用写法(如 spmc、goodsName、商品名称)。"""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: Annotated[Text, Field(max_length=MAX_NAME, description="商品或服务名称,必填")]
    spec: Text = Field("", description="规格型号")
    unit: Text = Field("", description="单位")
    brand: Text = Field("", description="品牌")
    manufacturer: Text = Field("", description="生产厂家")
    barcode: Text = Field("", description="商品条码")
    seller_industry: Text = Field("", description="销售方名称或行业")
    date: Text = Field("", description="开票日期,如 2026-11-27;省略为今天")
    taxpayer: Text = Field("", description="纳税人类型:general 或 small")
    declared_code: Text = Field("", description="原税收分类编码,仅作线索")
    declared_short_name: Text = Field("", description="原简称,仅作线索")
    declared_rate: Text = Field("", description="原税率,仅作线索")
    amount: Text = Field("", description="不含税金额,元")
    answer: Text = Field("", description="对提问的回答:选项文字或序号")
    _unknown: tuple[str, ...] = PrivateAttr(())

    @model_validator(mode="wrap")
    @classmethod
    def _by_any_name(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(raw, dict):
            return handler(raw)
        fields, unknown = fields_of_object(raw)
        own = [key for key in unknown if key in cls.model_fields]
        line = handler({**fields, **{key: raw[key] for key in own}})
        line._unknown = tuple(key for key in unknown if key not in own)
        return line

    def to_line(self) -> InvoiceLine:
        """The invoice line; raises LineError naming the field that is unusable."""
        line = InvoiceLine.from_fields({name: getattr(self, name) for name in FIELDS})
        if not self._unknown:
            return line
        ignored = "、".join(whole_characters(key[:40]) for key in self._unknown[:MAX_NAMED])
        return replace(line, warnings=(*line.warnings, f"未识别的字段已忽略:{ignored}"))


class OneIn(LineIn):
    """一行,字段直接写在最外层。"""

    review: Review = None


class ManyIn(BaseModel):
    """最多 1000 行。无法赋码的行在原位给出 error,其他行照常答复。"""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lines": [EXAMPLE]}]})

    # Each line is checked by itself when its turn comes: a bad one must not fail the others.
    lines: list[SkipValidation[LineIn]] = Field(min_length=1, max_length=MAX_LINES)
    review: Review = None


def _one_or_many(body: Any) -> str:
    return "many" if isinstance(body, dict) and "lines" in body else "one"


ClassifyIn = Annotated[
    Annotated[OneIn, Tag("one")] | Annotated[ManyIn, Tag("many")], Discriminator(_one_or_many)
]


class CandidateOut(BaseModel):
    code: Code
    short_name: str
    name: str
    confidence: float = Field(ge=0, le=1)


class RateOut(BaseModel):
    rate: str = Field(description="小数文本,如 0.13;免税、不征税为空")
    treatment: Treatment
    kind: RateKind
    condition: str
    basis: str
    provisional: bool


class OptionOut(BaseModel):
    number: int = Field(description="回答时可以只写序号")
    answer: str
    code: str
    short_name: str
    rate: str
    treatment: str


class QuestionOut(BaseModel):
    """一个缺少的事实。回答写在 answer 字段,多个回答用分号隔开。"""

    fact: Fact
    text: str
    options: list[OptionOut]


class SuggestionOut(BaseModel):
    """一行的答复。weak 时 code、short_name、rate、treatment 为空,只给候选。"""

    core: str = Field(description="核心商品:名称中说明是什么的部分")
    code: str
    short_name: str
    tier: Tier
    confidence: float = Field(ge=0, le=1, description="首个候选的简称正确的概率")
    rate: str
    treatment: str
    candidates: list[CandidateOut] = Field(max_length=5)
    prompt: str = Field(description="答复的依据(裁定、暂定映射)和需要确认的事项")
    basis: str = Field(description="须随答复告知的依据:裁定或暂定映射;没有时为空")
    model_version: str
    kb_version: str
    error: str = Field(description="该行未能赋码的原因;其他行不受影响")
    rates: list[RateOut] = Field(description="所有可能适用的税率及其条件")
    preference: Preference | None = Field(description="优惠政策类型;没有或 weak 时为 null")
    questions: list[QuestionOut]
    evidence: list[str]
    warnings: list[str]
    review_id: str = Field(description="审核编号;未进入审核队列时为空")


class SuggestionsOut(BaseModel):
    results: list[SuggestionOut]
    model_version: str
    kb_version: str


class FeedbackIn(BaseModel):
    """开票方最终打印在发票上的内容:只作线索,不直接作为标签。"""

    line: LineIn
    code: Code
    short_name: Annotated[str, Field(max_length=40)] = ""
    rate: Text = ""
    review_id: Annotated[str, Field(max_length=60)] = ""


class FeedbackOut(BaseModel):
    feedback_id: str


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


class ModelOut(BaseModel):
    model_version: str
    kb_version: str
    card: dict[str, Any]


class FilterIn(BaseModel):
    """只看哪些项;留空不限。"""

    tier: Literal["", "strong", "medium", "weak"] = ""
    text: Annotated[str, Field(max_length=60, description="名称中包含")] = ""
    chapter: Annotated[str, Field(pattern=r"^[0-9]{0,19}$", description="首选编码的开头")] = ""
    sampled: Annotated[bool | None, Field(description="只看(或不看)随机抽查的项")] = None

    def to_filter(self) -> Filter:
        return Filter(self.tier, text=self.text, chapter=self.chapter, sampled=self.sampled)


class LeaseIn(BaseModel):
    count: Annotated[int, Field(ge=1, le=20)] = 1
    only: FilterIn = FilterIn()
    without: Annotated[list[str], Field(max_length=50, description="已在手上、不必再给的项")] = []


class DecideIn(BaseModel):
    code: Code
    why: Annotated[str, Field(max_length=MAX_WHY)] = ""


Items = Annotated[list[Annotated[str, Field(max_length=60)]], Field(min_length=1, max_length=200)]


class ItemsIn(BaseModel):
    items: Items


class DecideAlikeIn(DecideIn):
    """同一编码用于多项:全部成功,或全部不变。"""

    items: Items


class WhyIn(BaseModel):
    why: Annotated[str, Field(min_length=1, max_length=MAX_WHY)]


class ReplyIn(BaseModel):
    reply: Annotated[str, Field(min_length=1, max_length=MAX_WHY)]


class ReviewStatusOut(BaseModel):
    review_id: str
    state: State
    code: str = Field(description="已定的编码;其他状态为空")
    question: str = Field(description="退回时需要补充的信息")
    why: str
    decided_at: str


class ReviewItemOut(BaseModel):
    """一个审核项。他人的投票不在其中。"""

    id: str
    state: State
    line: dict[str, str]
    suggestion: dict[str, Any]
    tier: Tier
    confidence: float
    sampled: bool = Field(description="随机抽查:高把握的项也由人复核,用来测量真实准确率")
    times: int
    amount: int = Field(description="不含税金额合计,分")
    first_seen: str
    last_seen: str
    code: str | None
    decided_at: str | None
    why: str
    leased_until: str | None


class ReviewItemsOut(BaseModel):
    items: list[ReviewItemOut]


class CodeNoteOut(BaseModel):
    """审核员核对的一个编码:层级、官方注释、开票日期的税率及依据。"""

    code: str
    usable: bool
    code_name: str
    short_name: str
    path: list[str]
    catch_all: bool = False
    keywords: list[str] = []
    includes: list[str] = []
    excludes: list[dict[str, str]] = []
    rates: list[dict[str, Any]]


class ReviewDetailsOut(BaseModel):
    """一个审核项,连同决定所需的一切。"""

    item: ReviewItemOut
    name: list[dict[str, Any]] = Field(description="名称分段:text、role、是否核心商品")
    core: str
    hint: str = Field(description="问题之外需要确认的事项")
    codes: dict[str, CodeNoteOut]
    similar: list[dict[str, Any]] = Field(description="本单位已定的相似项")
    asked: str = Field(description="曾退回的问题")
    reply: str = Field(description="开票方的答复")


class StatusOut(BaseModel):
    status: Literal["ok"]


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


class Fault(BaseModel):
    code: str
    message: str
    context: dict[str, Any]


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


class Problem(Fault):
    request_id: str


class ErrorOut(BaseModel):
    """每个错误都是这个形状。"""

    error: Problem
