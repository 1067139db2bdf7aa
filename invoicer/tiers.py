"""Strong, medium or weak: how much a suggestion may be trusted, and why."""

from __future__ import annotations

from dataclasses import dataclass

from invoicer.suggestion import Tier
from models.calibration import Calibration


@dataclass(frozen=True, slots=True)
class TierFacts:
    """What decides beside the probability.

    ambiguous: the name equals an ambiguous term and nobody answered its question;
    catch_all: the code takes what its siblings leave over;
    supported: an exact everyday name, a confirmed decision, or declared code and 简称 together
    speak for the code.
    """

    ambiguous: bool
    catch_all: bool
    supported: bool


def tier_of(probability: float, calibration: Calibration, facts: TierFacts) -> Tier:
    """Never strong: an unanswered ambiguous name; an unsupported catch-all code."""
    if probability < calibration.weak:
        return Tier.WEAK
    if probability < calibration.strong or facts.ambiguous:
        return Tier.MEDIUM
    if facts.catch_all and not facts.supported:
        return Tier.MEDIUM
    return Tier.STRONG
