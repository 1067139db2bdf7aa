"""What is decided about a line, apart from its money."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from invoicer.recode.findings import Finding, Found
from invoicer.suggestion import Tier
from knowledge_base.preferences import Preference
from knowledge_base.rate_advice import Treatment, format_rate

RECODE_COLUMNS = (
    "code", "short_name", "rate", "treatment", "tier", "confidence", "findings", "correction",
    "tax_declared", "tax_correct_low", "tax_correct_high", "stake_low", "stake_high", "candidates",
    "review_id", "model_version", "kb_version", "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """first: the most likely code, whatever the tier; code: the one that should stand there, ""
    where nothing speaks for one; candidates: as JSON, the most likely first;
    findings: what is wrong, worst first; right: every rate that may be the right one;
    declared_rate: as a fraction, None where none is known; correction: what to change, in Chinese;
    preference: the 优惠政策类型 that goes with the rate."""

    first: str
    code: str
    short_name: str
    rate: Decimal | None
    treatment: Treatment | None
    tier: Tier
    confidence: float
    candidates: str
    findings: tuple[Found, ...]
    correction: str
    right: tuple[Decimal, ...]
    declared_rate: Decimal | None
    preference: Preference = Preference.NONE

    @property
    def severity(self) -> int:
        return self.findings[0].severity if self.findings else 0

    def with_findings(self, more: list[Found], correction: str = "") -> Verdict:
        """The verdict with what only the line's neighbours or its money show."""
        if not more:
            return self
        findings = tuple(sorted((*self.findings, *more), key=lambda f: -f.severity))
        texts = [t for t in (self.correction, correction) if t]
        return replace(self, findings=findings, correction=";".join(texts))

    def has(self, kind: Finding) -> bool:
        return any(found.kind is kind for found in self.findings)

    def to_row(self) -> dict[str, Any]:
        """The output columns that hold for every line of this verdict."""
        return {
            "code": self.code,
            "short_name": self.short_name,
            "rate": "" if self.rate is None else format_rate(self.rate),
            "treatment": self.treatment.value if self.treatment else "",
            "tier": self.tier.value,
            "confidence": round(self.confidence, 4),
            "findings": ";".join(found.text for found in self.findings),
            "correction": self.correction,
            "candidates": self.candidates,
            "review_id": "",
            "error": "",
        }
