"""Requests and answers of the knowledge-base desk."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import Code
from invoicer.desk.proposals import MAX_EDITS, MAX_WHY, ProposalState
from invoicer.desk.words import edit_of
from knowledge_base.word_tables import Action, Edit, WordTable

Cell = Annotated[str, Field(max_length=1_000)]
EDIT: dict[str, Any] = {
    "table": "everyday_names",
    "action": "add",
    "row": {"code": "1030109050000000000", "term": "蟹柳棒"},
}


class EditIO(BaseModel):
    """词表中一行的新增或删除;改一行是先删后增。"""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EDIT]})

    table: WordTable
    action: Action
    row: dict[str, Cell] = Field(description="该表的各列,见 docs/desk.md;未写的列为空")

    def to_edit(self) -> Edit:
        return edit_of(self.model_dump())


class ProposalIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    edits: list[EditIO] = Field(min_length=1, max_length=MAX_EDITS)
    why: Annotated[str, Field(min_length=1, max_length=MAX_WHY, description="理由")]
    provisional: bool = Field(False, description="没有合适编码时的暂定映射")
    item: Annotated[str, Field(max_length=60, description="来自哪个审核项")] = ""
    ruling: Annotated[str, Field(max_length=60, description="依据的裁定编号")] = ""


class ProposalOut(BaseModel):
    id: str
    state: ProposalState
    edits: list[EditIO]
    why: str
    provisional: bool
    item: str
    ruling: str
    proposed_by: str
    proposed_at: str
    answered_by: str
    answered_at: str
    answer: str
    version: str = Field(description="采纳后成为的知识库版本")


class ProposalsOut(BaseModel):
    total: int
    proposals: list[ProposalOut]


class ChangeOut(BaseModel):
    set: str
    name: str
    expected: str
    before: str
    after: str
    effect: str = Field(description="better、worse,或 other:对错未变或无从得知")


class EffectOut(BaseModel):
    """一个提案对现用版本的影响。其他租户的商品只计数,不列出。"""

    state: str = Field(description="none、running、done、failed")
    asked_at: str = ""
    kb_version: str = ""
    accepted: bool = Field(False, description="能否通过检验")
    verdict: str = ""
    problem: str = ""
    added: list[dict[str, str]] = Field([], description="新增的词单独询问时,修改前后的答复")
    compared: list[dict[str, Any]] = Field([], description="各集合各指标,现在与修改后")
    drift: dict[str, Any] = Field({}, description="近期商品的答复分布的变化")
    counts: dict[str, dict[str, int]] = {}
    changes: list[ChangeOut] = []


class WordsOut(BaseModel):
    total: int
    rows: list[dict[str, str]]


class VersionOut(BaseModel):
    id: str
    title: str
    effective: dt.date
    imported_at: str
    edits: int
    reason: str
    proposed_by: str
    accepted_by: str
    ruling: str
    is_current: bool
    left_out: list[EditIO] = Field(description="沿用到新表时未能放入的修改")


class VersionsOut(BaseModel):
    outdated: bool = Field(description="现用版本是否仍以旧程序随附的表为基础,见 /v1/desk/rebase")
    versions: list[VersionOut]


class DiffOut(BaseModel):
    codes: str = Field(description="编码表的差别,一句话")
    words: list[EditIO] = Field(description="词表的差别")


class Listed(BaseModel):
    total: int
    rows: list[Any] = Field(description="本页的")


class CodeNotesOut(BaseModel):
    """一个编码的全部:名称、样例、裁定、决定、与相邻编码的混淆、各时期税率。"""

    code: Code
    code_name: str
    short_name: str
    usable: bool
    is_leaf: bool
    catch_all: bool
    path: list[str]
    keywords: list[str]
    includes: list[str]
    excludes: list[dict[str, str]]
    special_treatments: list[str]
    tariff_names: list[str]
    valid_from: dt.date
    valid_to: dt.date | None
    rates: list[dict[str, Any]]
    rates_by_date: list[dict[str, Any]]
    children: list[dict[str, Any]]
    everyday_names: Listed
    provisional_names: list[str] = Field(description="其中暂定映射的俗名")
    samples: Listed
    decisions: Listed
    mentions: dict[str, list[dict[str, str]]]
    confusions: list[dict[str, Any]]
    rulings: list[dict[str, Any]]
    page: int
    pages: int


class RollbackIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: Annotated[str, Field(max_length=60, description="版本;省略为上一个")] = ""
