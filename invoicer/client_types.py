"""What the service takes and answers, as the client gives it: docs/api.md says what each means."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Review = Literal["none", "auto"]
Taxpayer = Literal["general", "small"]
Format = Literal["csv", "jsonl", "xlsx", "parquet"]
Kind = Literal["classify", "recode"]
Download = Literal["result", "rejects", "report", "template"]


class Line(TypedDict, total=False):
    """One invoice line; only the name is needed. Dates are text: 2026-11-27."""

    name: str
    spec: str
    unit: str
    brand: str
    manufacturer: str
    barcode: str
    seller_industry: str
    date: str
    taxpayer: Taxpayer
    declared_code: str
    declared_short_name: str
    declared_rate: str
    amount: str
    answer: str
    review: NotRequired[Review]


class Candidate(TypedDict):
    code: str
    short_name: str
    name: str
    confidence: float


class Rate(TypedDict):
    rate: str
    treatment: str
    kind: str
    condition: str
    basis: str
    provisional: bool


class Option(TypedDict):
    number: int
    answer: str
    code: str
    short_name: str
    rate: str
    treatment: str


class Question(TypedDict):
    fact: str
    text: str
    options: list[Option]


class Hint(TypedDict):
    kind: Literal["confirm", "complete"]
    text: str


class Suggestion(TypedDict):
    core: str
    code: str
    short_name: str
    tier: Literal["strong", "medium", "weak"]
    confidence: float
    rate: str
    treatment: str
    candidates: list[Candidate]
    prompt: str
    basis: str
    hint: Hint | None
    model_version: str
    kb_version: str
    error: str
    rates: list[Rate]
    preference: str | None
    questions: list[Question]
    evidence: list[str]
    warnings: list[str]
    review_id: str


class CodeHit(TypedDict):
    code: str
    name: str
    short_name: str
    path: list[str]
    matched: str


class Exclusion(TypedDict):
    term: str
    code: str


class Code(TypedDict):
    code: str
    name: str
    short_name: str
    path: list[str]
    is_leaf: bool
    is_catch_all: bool
    keywords: list[str]
    includes: list[str]
    excludes: list[Exclusion]
    special_treatments: list[str]
    valid_from: str
    valid_to: str | None
    everyday_names: list[str]
    kb_version: str


class Rates(TypedDict):
    code: str
    on: str
    taxpayer: Taxpayer
    rates: list[Rate]
    kb_version: str


class Model(TypedDict):
    model_version: str
    kb_version: str
    card: dict[str, Any]


class Fault(TypedDict):
    code: str
    message: str
    context: dict[str, Any]


class Stage(TypedDict):
    name: Literal["read", "classify", "judge", "write", "review"]
    done: int
    total: int | None


class Job(TypedDict):
    id: str
    kind: Kind
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    created_at: str
    started_at: str | None
    ended_at: str | None
    attempts: int
    stage: Stage | None
    rows_total: int | None
    rows_done: int
    rows_failed: int
    rows_with_findings: int | None
    rows_per_second: float | None
    seconds_left: float | None
    downloads: list[Download]
    notes: list[str]
    error: Fault | None
    format: Format
    on: str | None
    taxpayer: Taxpayer | None
    seller_industry: str
    review: Review
    map: list[str]
    rates: bool
    report: bool
    template: bool
