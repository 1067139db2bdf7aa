"""What requests and answers share: text, codes, rates, errors. The OpenAPI file is made from the
schemas."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, Field

from invoicer.table import text_of
from knowledge_base.rate_advice import RateKind, Treatment

MAX_FIELD = 1_000


def _text(value: Any) -> Any:
    """Numbers as text, since systems send codes, rates and barcodes as numbers too."""
    return text_of(value) if value is None or isinstance(value, str | int | float) else value


Text = Annotated[str, BeforeValidator(_text), Field(max_length=MAX_FIELD)]
Code = Annotated[str, Field(pattern=r"^[0-9]{19}$", description="税收分类编码,19 位数字文本")]
Review = Annotated[
    Literal["none", "auto"] | None,
    Field(description="auto:中、弱的行进入审核队列;省略时按密钥的设置"),
]


PageNumber = Annotated[int, Query(alias="page", ge=1, le=100_000, description="第几页")]


class RateOut(BaseModel):
    rate: str = Field(description="小数文本,如 0.13;免税、不征税为空")
    treatment: Treatment
    kind: RateKind
    condition: str
    basis: str
    provisional: bool


class ModelOut(BaseModel):
    model_version: str
    kb_version: str
    card: dict[str, Any]


class StatusOut(BaseModel):
    status: Literal["ok"]


class Fault(BaseModel):
    code: str
    message: str
    context: dict[str, Any]


class Problem(Fault):
    request_id: str


class ErrorOut(BaseModel):
    """每个错误都是这个形状。"""

    error: Problem
