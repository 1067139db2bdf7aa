"""What the service takes and answers about cases, rulings, appeals and proposals."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from invoicer.client_types import Line


class Ruling(TypedDict):
    number: str
    ruled_on: str
    effective_on: str
    ends_on: str
    scope: Literal["tenant", "industry", "all"]
    industry: str
    name: str
    spec: str
    unit: str
    code: str
    rate_note: str
    text: str
    supersedes: str
    superseded_by: str


class Rulings(TypedDict):
    total: int
    rulings: list[Ruling]


class AffectedLine(TypedDict):
    source: Literal["decided", "feedback"]
    id: str
    line: Line
    code: str
    date: str
    applies: bool
    times: int
    amount: int


class Elsewhere(TypedDict):
    code: str
    lines: int


class Affected(TypedDict):
    number: str
    lines: list[AffectedLine]
    elsewhere: list[Elsewhere]


class CaseRow(TypedDict):
    id: str
    state: Literal["voting", "counted", "closed"]
    outcome: Literal["", "ruling", "uncodable"]
    item: str
    name: str
    why: str
    votes: int
    opened_at: str
    deadline: str
    note: str
    code: str
    ruling: str
    closed_at: str


class Cases(TypedDict):
    total: int
    cases: list[CaseRow]


class Opinion(TypedDict):
    code: str
    why: str


class Vote(TypedDict):
    name: str
    at: str
    code: str
    why: str


class Case(CaseRow):
    line: Line
    opinions: list[Opinion]
    codes: dict[str, dict[str, Any]]
    rulings: list[Ruling]
    appeals: list[str]
    mine: Vote | None
    all_votes: list[Vote]
    history: list[dict[str, str]]


class Attachment(TypedDict):
    id: str
    name: str
    kind: str
    size: int
    sha256: str
    at: str


class Appeal(TypedDict):
    id: str
    state: Literal["received", "referred", "upheld", "rejected"]
    line: Line
    contested_code: str
    contested_rate: str
    wanted_code: str
    wanted_rate: str
    reason: str
    created_at: str
    due_on: str
    code: str
    answer: str
    ruling: str
    panel_case: str
    closed_at: str
    attachments: list[Attachment]


class Appeals(TypedDict):
    total: int
    appeals: list[Appeal]


class WordEdit(TypedDict):
    table: str
    action: Literal["add", "remove"]
    row: dict[str, str]


class Proposal(TypedDict):
    id: str
    state: Literal["open", "accepted", "rejected"]
    edits: list[WordEdit]
    why: str
    provisional: bool
    item: str
    ruling: str
    proposed_by: str
    proposed_at: str
    answered_by: str
    answered_at: str
    answer: str
    version: str


class Proposals(TypedDict):
    total: int
    proposals: list[Proposal]
