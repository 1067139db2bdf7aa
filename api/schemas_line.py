"""Lines to classify, what was suggested for them, and what was printed."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SkipValidation,
    Tag,
    model_validator,
)

from api.schemas import Code, RateOut, Review, Text
from invoicer.columns import fields_of_object
from invoicer.line import FIELDS, MAX_NAME, InvoiceLine
from invoicer.suggestion import Tier
from invoicer.table import whole_characters
from knowledge_base.preferences import Preference
from models.query import HintKind
from models.questions import Fact

MAX_LINES = 1_000
MAX_NAMED = 10  # unknown fields that a warning lists
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


class HintOut(BaseModel):
    kind: HintKind = Field(description="confirm:请确认,是即可定;complete:名称不足以判断,请补充名称")
    text: str


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
    hint: HintOut | None = Field(description="名称本身需要确认或补充的事项;没有时为 null")
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
