"""Items of the review queue, and what reviewers do with them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.schemas import Code
from invoicer.review.decisions import MAX_WHY
from invoicer.review.queue import Filter
from invoicer.review.states import State
from invoicer.suggestion import Tier


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
    codes: dict[str, CodeNoteOut]
    similar: list[dict[str, Any]] = Field(description="本单位已定的相似项")
    asked: str = Field(description="曾退回的问题")
    reply: str = Field(description="开票方的答复")
