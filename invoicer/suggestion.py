"""What the assistant answers for one line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from knowledge_base.preferences import Preference
from knowledge_base.rate_advice import RateAdvice, Treatment, format_rate
from models.query import Hint
from models.questions import Fact


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
    """One answer to a question, with the code and the rate it leads to.

    number: counts on from question to question, so that one number means one option.
    """

    number: int
    answer: str
    code: str
    short_name: str
    rate: RateAdvice | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "answer": self.answer,
            "code": self.code,
            "short_name": self.short_name,
            "rate": format_rate(self.rate.rate) if self.rate and self.rate.rate is not None else "",
            "treatment": self.rate.treatment.value if self.rate else "",
        }


@dataclass(frozen=True, slots=True)
class Question:
    """A missing fact that changes code or rate, with the answers to choose from."""

    fact: Fact
    text: str
    options: tuple[Option, ...]

    @property
    def told(self) -> str:
        """The question and its options in one text; the codes where they differ."""
        differ = len({option.code for option in self.options}) > 1
        shown = ",".join(
            " ".join(filter(None, (f"{o.number} {o.answer}", o.code * differ, rate_text(o.rate))))
            for o in self.options
        )
        return f"{self.text}({shown})"

    def to_dict(self) -> dict[str, Any]:
        return {
            "fact": self.fact,
            "text": self.text,
            "options": [option.to_dict() for option in self.options],
        }


def rate_text(advice: RateAdvice | None) -> str:
    """13%, 免税, 不征税 …; empty where nothing is known."""
    if advice is None:
        return ""
    if advice.rate is not None:
        return f"{advice.rate * 100:f}".rstrip("0").rstrip(".") + "%"
    return TREATMENTS.get(advice.treatment.value, "")


TREATMENTS = {"taxed": "应税", "zero": "零税率", "exempt": "免税", "not_taxed": "不征税"}
COUNTED = "①②③④⑤⑥⑦⑧⑨"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The answer for one line.

    core: the words of the name that say what it is. code, short_name: empty when weak.
    confidence: probability that the first candidate's 简称 is right. basis: what the answer rests
    on and has to be told with it, a ruling or a provisional mapping; hint: what to confirm, for
    information; questions: the facts that are missing. evidence: reasons, in Chinese, strongest
    first; warnings: evidence dropped and why.
    """

    core: str
    code: str
    short_name: str
    tier: Tier
    confidence: float
    candidates: tuple[Candidate, ...]
    rates: tuple[RateAdvice, ...]
    basis: str
    hint: Hint | None
    questions: tuple[Question, ...]
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

    @property
    def preference(self) -> Preference | None:
        """The 优惠政策类型 that goes with the rate; None when weak."""
        return self.rates[0].preference if self.rates and self.code else None

    @property
    def prompt(self) -> str:
        """What the answer rests on, what to confirm, and once, in one sentence, everything that is
        missing."""
        asked = [question.told for question in self.questions]
        if len(asked) > 1:
            numbered = (f"{sign}{text}" for sign, text in zip(COUNTED, asked, strict=False))
            asked = [f"需补充{len(asked)}项:{';'.join(numbered)}"]
        hint = self.hint.text if self.hint else ""
        return ";".join(filter(None, (self.basis, hint, *asked)))

    def to_row(self) -> dict[str, Any]:
        """The output columns in their order, native types; then `rates`, every rate that can
        apply to the first candidate, and `preference`, None when weak."""
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
            PREFERENCE: self.preference,
        }

    def to_dict(self) -> dict[str, Any]:
        """All that is known, native types: the row, then what a person needs to decide."""
        return {
            "core": self.core,
            **self.to_row(),
            "basis": self.basis,
            "hint": self.hint and self.hint._asdict(),
            "questions": [question.to_dict() for question in self.questions],
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
PREFERENCE = "preference"
OUTPUT_COLUMNS = ("code", "short_name", "tier", "confidence", "rate", "treatment", "candidates",
                  "prompt", "model_version", "kb_version", "error")  # fmt: skip


def failed_row(message: str, model_version: str, kb_version: str) -> dict[str, Any]:
    """The output columns of a row that could not be classified."""
    row: dict[str, Any] = dict.fromkeys(OUTPUT_COLUMNS, "")
    row.update({RATES_COLUMN: [], PREFERENCE: None})
    row.update(candidates=[], confidence=0.0, tier=Tier.WEAK.value, error=message)
    row.update(model_version=model_version, kb_version=kb_version)
    return row


def failed_dict(message: str, model_version: str, kb_version: str) -> dict[str, Any]:
    """What stands for `Suggestion.to_dict` where a line could not be classified."""
    row = failed_row(message, model_version, kb_version)
    row.update(basis="", hint=None, questions=[], evidence=[], warnings=[])
    return {"core": "", **row}


def flat(row: dict[str, Any], columns: Sequence[str] = OUTPUT_COLUMNS) -> list[str]:
    """A row's cells as text: candidates as JSON, everything else as written."""
    cells = []
    for column in columns:
        value = row.get(column, "")
        if isinstance(value, list | dict):
            value = json.dumps(value, ensure_ascii=False)
        cells.append("" if value is None else str(value))
    return cells
