"""What requests and answers about rulings, cases and appeals look like."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.schemas import Code
from api.schemas_line import LineIn
from invoicer.line import FIRST_DAY
from invoicer.review.appeals import MAX_REASON, AppealState
from invoicer.review.cases import CaseState, Outcome
from invoicer.review.decisions import MAX_WHY
from invoicer.review.issuing import MAX_NOTE, MAX_TEXT, Draft
from invoicer.review.rulings import Scope

AnyCode = Annotated[str, Field(pattern=r"^([0-9]{19})?$", description="编码,或留空")]
Why = Annotated[str, Field(min_length=1, max_length=MAX_WHY)]
Rate = Annotated[str, Field(max_length=40, description="如 0.13、免税")]


class RulingOut(BaseModel):
    """编审委员会的一项裁定。自生效日起适用,直到取代它的裁定生效。"""

    number: str = Field(description="编号,如 裁定2026-0001;每年连续")
    ruled_on: dt.date
    effective_on: dt.date
    ends_on: dt.date | Literal[""] = Field(description="取代它的裁定的生效日;未被取代时为空")
    scope: Scope
    industry: str = Field(description="适用的行业门类(GB/T 4754);其他范围为空")
    name: str
    spec: str = Field(description="只适用于该规格;空为不限")
    unit: str = Field(description="只适用于该单位;空为不限")
    code: Code
    rate_note: str
    text: str
    supersedes: str
    superseded_by: str


class RulingsOut(BaseModel):
    total: int
    rulings: list[RulingOut]


class AffectedLineOut(BaseModel):
    source: Literal["decided", "feedback"] = Field(description="审核已定的项,或告知已打印的行")
    id: str
    line: dict[str, str]
    code: str
    date: dt.date
    applies: bool = Field(description="裁定在该行的开票日期已生效")
    times: int
    amount: int = Field(description="不含税金额合计,分")


class ElsewhereOut(BaseModel):
    code: str
    lines: int


class AffectedOut(BaseModel):
    number: str
    lines: list[AffectedLineOut]
    elsewhere: list[ElsewhereOut] = Field(description="其他租户的行数,仅专家可见")


class CaseIn(BaseModel):
    """审核项,或一行明细;二者择一。"""

    item: Annotated[str, Field(max_length=60)] = ""
    line: LineIn | None = None
    why: Why


class VoteIn(BaseModel):
    code: AnyCode = Field(description="编码;留空表示无码可选")
    why: Why


class CountIn(BaseModel):
    why: Annotated[str, Field(max_length=MAX_WHY)] = ""


class DraftIn(BaseModel):
    """主任委员写的裁定。编号由系统给出。"""

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    scope: Scope = Scope.TENANT
    industry: Annotated[str, Field(pattern=r"^[A-T]?$")] = ""
    effective_on: Annotated[dt.date | None, Field(ge=FIRST_DAY)] = None
    with_spec: bool = False
    with_unit: bool = False
    rate_note: Annotated[str, Field(max_length=MAX_NOTE)] = ""
    supersedes: Annotated[str, Field(max_length=40)] = ""
    upholds: bool | None = Field(None, description="申诉只争议税率时注明是否成立")

    def to_draft(self) -> Draft:
        given = self.model_dump(exclude={"upholds", "effective_on"})
        if self.effective_on is not None:
            given["effective_on"] = self.effective_on
        return Draft(**given)


class CaseRowOut(BaseModel):
    id: str
    state: CaseState
    outcome: Outcome
    item: str
    name: str
    why: str
    votes: int = Field(description="已投票数;投给谁在表决结束前不公开")
    opened_at: str
    deadline: str
    note: str
    code: str
    ruling: str
    closed_at: str


class CasesOut(BaseModel):
    total: int
    cases: list[CaseRowOut]


class OpinionOut(BaseModel):
    code: str
    why: str


class VoteOut(BaseModel):
    """一票。他人的票在表决结束前不公开。"""

    name: str
    at: str
    code: str
    why: str


class HistoryOut(BaseModel):
    at: str
    name: str
    action: str
    note: str


class CaseOut(CaseRowOut):
    line: dict[str, str]
    opinions: list[OpinionOut] = Field(description="审核员的意见,不署名")
    codes: dict[str, dict[str, Any]] = Field(description="涉及的编码:官方注释、包括与不包括、税率")
    rulings: list[RulingOut] = Field(description="名称相近的裁定")
    appeals: list[str]
    mine: VoteOut | None
    all_votes: list[VoteOut] = Field(description="表决结束前为空")
    history: list[HistoryOut]


class AppealIn(BaseModel):
    """对一行的编码或税率提出异议。"""

    line: LineIn
    contested_code: Code
    contested_rate: Rate = Field("", description="有异议的税率;只争议编码时留空")
    wanted_code: AnyCode = ""
    wanted_rate: Rate = ""
    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON)]


class AttachmentOut(BaseModel):
    id: str
    name: str
    kind: str
    size: int
    sha256: str
    at: str


class AppealOut(BaseModel):
    id: str
    state: AppealState
    line: dict[str, str]
    contested_code: str
    contested_rate: str
    wanted_code: str
    wanted_rate: str
    reason: str
    created_at: str
    due_on: dt.date = Field(description="答复期限")
    code: str = Field(description="答复的编码")
    answer: str
    ruling: str = Field(description="依据的裁定编号")
    panel_case: str
    closed_at: str
    attachments: list[AttachmentOut]


class AppealsOut(BaseModel):
    total: int
    appeals: list[AppealOut]


class UpholdIn(BaseModel):
    code: Code
    answer: Why


class AnswerIn(BaseModel):
    answer: Why
