"""Strong, medium or weak: how much a suggestion may be trusted, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from invoicer.suggestion import Tier
from models.calibration import Calibration
from models.query import Query

# From this value of the signal on, a brand is known for a code first.
KNOWN_FOR = 0.9


@dataclass(frozen=True, slots=True)
class TierFacts:
    """What decides beside the probability.

    ambiguous: a question is open, or the name holds several supplies;
    catch_all: the code takes what its siblings leave over;
    brand_alone: only a brand is named, and the code is not what it is known for first;
    supported: an exact everyday name, a confirmed decision, or declared code and 简称 together
    speak for the code.
    """

    ambiguous: bool
    catch_all: bool
    brand_alone: bool
    supported: bool


def facts_of(query: Query, signal: Callable[[str], float], code: str) -> TierFacts:
    """The facts of a line whose best candidate is `code`.

    signal: value of a named signal of that candidate.
    """
    return TierFacts(
        ambiguous=query.situation.is_open or query.supply.is_open,
        catch_all=signal("catch_all") > 0,
        brand_alone=query.reading.is_brand and signal("brand") < KNOWN_FOR,
        supported=signal("exact") > 0
        or signal("core_exact") > 0
        or signal("declared") >= 1.0
        or (query.situation.answered and query.situation.decided == code),
    )


def may_be_strong(facts: TierFacts) -> bool:
    """Never strong: an unanswered question; a catch-all code or a brand's code, unsupported."""
    return not facts.ambiguous and (facts.supported or not (facts.catch_all or facts.brand_alone))


def tier_of(probability: float, calibration: Calibration, facts: TierFacts) -> Tier:
    """Weak below the floor; strong above the threshold where the facts allow it."""
    if probability < calibration.weak:
        return Tier.WEAK
    if probability < calibration.strong or not may_be_strong(facts):
        return Tier.MEDIUM
    return Tier.STRONG
