"""What the assistant answers for one line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from knowledge_base.rates import RateAdvice, Treatment, format_rate


class Tier(StrEnum):
    """strong: applied; medium: confirmed with one key; weak: coded by a person."""

    STRONG = "strong"
    MEDIUM = "medium"
    WEAK = "weak"

    @property
    def label(self) -> str:
        return {"strong": "强", "medium": "中", "weak": "弱"}[self.value]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible code. confidence: 0–1."""

    code: str
    short_name: str
    name: str
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "short_name": self.short_name,
            "name": self.name,
            "confidence": round(self.confidence, 4),
        }


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to a question, with the code and the rate it leads to."""

    answer: str
    code: str
    short_name: str
    rate: RateAdvice | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "answer": self.answer,
            "code": self.code,
            "short_name": self.short_name,
            "rate": format_rate(self.rate.rate) if self.rate and self.rate.rate is not None else "",
            "treatment": self.rate.treatment.value if self.rate else "",
        }


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The answer for one line.

    core: the words of the name that say what it is. code, short_name: empty when weak.
    confidence: probability that the first candidate's 简称 is right. prompt: what to confirm;
    question and options: the fact that would decide. evidence: reasons, in Chinese, strongest
    first; warnings: evidence dropped and why.
    """

    core: str
    code: str
    short_name: str
    tier: Tier
    confidence: float
    candidates: tuple[Candidate, ...]
    rates: tuple[RateAdvice, ...]
    prompt: str
    question: str
    options: tuple[Option, ...]
    evidence: tuple[str, ...]
    warnings: tuple[str, ...]
    model_version: str
    kb_version: str

    @property
    def rate(self) -> Decimal | None:
        """The rate that applies without further facts; None when weak, exempt or not taxed."""
        return self.rates[0].rate if self.rates and self.code else None

    @property
    def treatment(self) -> Treatment | None:
        return self.rates[0].treatment if self.rates and self.code else None

    def to_row(self) -> dict[str, Any]:
        """The output columns in their order, native types; then `rates`, every rate that can
        apply to the first candidate."""
        return {
            "code": self.code,
            "short_name": self.short_name,
            "tier": self.tier.value,
            "confidence": round(self.confidence, 4),
            "rate": format_rate(self.rate) if self.rate is not None else "",
            "treatment": self.treatment.value if self.treatment else "",
            "candidates": [c.to_dict() for c in self.candidates],
            "prompt": self.prompt,
            "model_version": self.model_version,
            "kb_version": self.kb_version,
            "error": "",
            RATES_COLUMN: [advice_dict(advice) for advice in self.rates],
        }

    def to_dict(self) -> dict[str, Any]:
        """All that is known, native types: the row, then what a person needs to decide."""
        return {
            "core": self.core,
            **self.to_row(),
            "questions": [
                {"text": self.question, "options": [option.to_dict() for option in self.options]}
            ]
            if self.question
            else [],
            "evidence": list(self.evidence),
            "warnings": list(self.warnings),
        }


def advice_dict(advice: RateAdvice) -> dict[str, Any]:
    """One rate that can apply, as it stands in the `rates` column."""
    return {
        "rate": format_rate(advice.rate) if advice.rate is not None else "",
        "treatment": advice.treatment.value,
        "kind": advice.kind.value,
        "condition": advice.condition,
        "basis": advice.basis,
        "provisional": advice.provisional,
    }


RATES_COLUMN = "rates"
OUTPUT_COLUMNS = ("code", "short_name", "tier", "confidence", "rate", "treatment", "candidates",
                  "prompt", "model_version", "kb_version", "error")  # fmt: skip


def failed_row(message: str, model_version: str, kb_version: str) -> dict[str, Any]:
    """The output columns of a row that could not be classified."""
    row: dict[str, Any] = dict.fromkeys(OUTPUT_COLUMNS, "")
    row[RATES_COLUMN] = []
    row.update(candidates=[], confidence=0.0, tier=Tier.WEAK.value, error=message)
    row.update(model_version=model_version, kb_version=kb_version)
    return row


def failed_dict(message: str, model_version: str, kb_version: str) -> dict[str, Any]:
    """What stands for `Suggestion.to_dict` where a line could not be classified."""
    row = failed_row(message, model_version, kb_version)
    return {"core": "", **row, "questions": [], "evidence": [], "warnings": []}


def flat(row: dict[str, Any], columns: Sequence[str] = OUTPUT_COLUMNS) -> list[str]:
    """A row's cells as text: candidates as JSON, everything else as written."""
    cells = []
    for column in columns:
        value = row.get(column, "")
        if isinstance(value, list | dict):
            value = json.dumps(value, ensure_ascii=False)
        cells.append("" if value is None else str(value))
    return cells
