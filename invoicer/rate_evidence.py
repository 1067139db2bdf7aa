"""The declared rate as evidence for the code: who picks a code picks its rate with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from invoicer.declared_rate import DeclaredRate, is_rate, rate_label
from invoicer.suggestion import Candidate
from invoicer.weighing import RATE_FITS, weigh
from knowledge_base.rate_advice import RateAdvice, TaxpayerType
from models.matcher import RULED, Match


@dataclass(frozen=True, slots=True)
class RateEvidence:
    """What a declared rate says about codes on a day.

    rates: every rate that can apply to (code, day, taxpayer type); taxpayer: None where it is not
    known, then either may be.
    """

    declared: DeclaredRate
    rates: Callable[[str, dt.date, TaxpayerType], tuple[RateAdvice, ...]]
    day: dt.date
    taxpayer: TaxpayerType | None = None

    def allows(self, code: str) -> bool:
        """Whether the code can have the rate, be it under a condition."""
        return any(
            is_rate(advice, self.declared)
            for kind in ([self.taxpayer] if self.taxpayer else list(TaxpayerType))
            for advice in self.rates(code, self.day, kind)
        )

    def weighed(
        self, match: Match, candidates: Sequence[Candidate]
    ) -> tuple[Match, str]:
        """The match with the rate weighed in, and what it changed, in Chinese; "" for nothing.

        candidates: the match's first ones, best first. A rate that fits makes no code surer:
        most codes have it. A code that comes first by its rate alone is never strong.
        """
        fits = {one.code: self.allows(one.code) for one in candidates}
        best = candidates[0]
        unfit = "" if fits[best.code] else self._unfit(best)
        if len({*fits.values()}) == 1:
            return match, unfit
        short_names = {one.code: one.short_name for one in candidates}
        found = weigh(
            [(one.code, one.confidence) for one in candidates],
            "", short_names.__getitem__, fits.__getitem__, lambda _: None,
        )  # fmt: skip
        first = [*fits].index(found.chosen)
        probability = min(found.probability, RULED if first else match.probability)
        rest = [
            min(one.confidence / (1 if fits[one.code] else RATE_FITS), probability)
            for one in candidates
        ]
        order = [first, *(n for n in range(len(candidates)) if n != first)]
        moved = replace(
            match,
            places=[match.places[n] for n in order],
            confidence=[probability, *(rest[n] for n in order[1:])],
            probability=probability,
            terms=[match.terms[n] for n in order],
            order=[match.order[n] for n in order],
            first=match.rows[match.order[first]].tolist(),
        )
        return moved, unfit

    def _unfit(self, candidate: Candidate) -> str:
        usual = self.rates(candidate.code, self.day, self.taxpayer or TaxpayerType.GENERAL)[0]
        label = rate_label(usual.treatment, usual.rate)
        return f"原税率 {self.declared.label} 不能用于“{candidate.name}”,当日应为 {label}"
