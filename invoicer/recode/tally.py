"""Sums over many lines: what the report shows. Tallies of parts add up to that of the whole."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from operator import add
from typing import Any

from invoicer.recode.billing import Bill, Stake
from invoicer.recode.findings import Finding
from invoicer.recode.verdict import Verdict

SHOWN = 50
FAMILY_DIGITS = 3
# Positions of a sum: lines, net amount, too little tax (low, high), too much tax (low, high); fen.
LINES, AMOUNT, UNDER_LOW, UNDER_HIGH, OVER_LOW, OVER_HIGH = range(6)
Sums = dict[str, list[int]]


@dataclass(slots=True)
class Tally:
    """findings, tiers, months, families, moves: key → sums. faulty: months again, lines with a
    finding only; moves: declared 简称 → right 简称; answered: chapter|seller's section|tier.
    first: lines to look at first."""

    total: Sums = field(default_factory=dict)
    findings: Sums = field(default_factory=dict)
    severities: Sums = field(default_factory=dict)
    tiers: Sums = field(default_factory=dict)
    months: Sums = field(default_factory=dict)
    faulty: Sums = field(default_factory=dict)
    families: Sums = field(default_factory=dict)
    moves: Sums = field(default_factory=dict)
    answered: Sums = field(default_factory=dict)
    first: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def count(self, where: Sums, key: str, sums: list[int]) -> None:
        have = where.get(key)
        where[key] = list(sums) if have is None else list(map(add, have, sums))

    def add_line(
        self,
        verdict: Verdict,
        bill: Bill | None,
        stake: Stake | None,
        month: str,
        declared_group: str,
        section: str,
        facts: Callable[[], Mapping[str, Any]],
    ) -> None:
        """Count one judged line. section: letter of the seller's industry; facts: tells what the
        list of first lines shows."""
        sums = _sums(bill, stake, verdict)
        self.count(self.total, "judged", sums)
        self.count(self.tiers, verdict.tier.value, sums)
        self.count(self.months, month, sums)
        chapter = verdict.first[:FAMILY_DIGITS]
        self.count(self.answered, f"{chapter}|{section}|{verdict.tier.value}", sums)
        if verdict.code:
            self.count(self.families, verdict.code[:FAMILY_DIGITS], sums)
        if not verdict.findings:
            return
        self.count(self.total, "faulty", sums)
        self.count(self.faulty, month, sums)
        self.count(self.severities, str(int(verdict.severity)), sums)
        for kind in {found.kind for found in verdict.findings}:
            self.count(self.findings, kind.value, sums)
        if verdict.code and declared_group and declared_group != verdict.short_name:
            self.count(self.moves, f"{declared_group}→{verdict.short_name}", sums)
        self._keep(verdict, stake, sums, facts)

    def add_error(self) -> None:
        self.count(self.total, "rejected", [1, 0, 0, 0, 0, 0])

    def _keep(
        self,
        verdict: Verdict,
        stake: Stake | None,
        sums: list[int],
        facts: Callable[[], Mapping[str, Any]],
    ) -> None:
        at_stake = max(sums[UNDER_HIGH], sums[OVER_HIGH])
        doubt = 0 if verdict.has(Finding.RATE_CONDITIONAL) and verdict.severity < 3 else 1
        rank = [int(verdict.severity), doubt, at_stake, abs(sums[AMOUNT])]
        if len(self.first) >= SHOWN and rank <= self.first[-1]["rank"]:
            return
        shown = {
            **facts(),
            "rank": rank,
            "code": verdict.code, "short_name": verdict.short_name,
            "findings": [[f.kind.label, f.detail, int(f.severity)] for f in verdict.findings],
            "correction": verdict.correction,
            "stake": [f"{tax:,.2f}" for tax in (stake.low, stake.high)] if stake else [],
        }  # fmt: skip
        insort(self.first, shown, key=_place)
        del self.first[SHOWN:]

    def merge(self, other: Mapping[str, Any]) -> None:
        """Add the tally of another part, as `to_dict` gave it."""
        for name in self.__slots__:
            if name == "first":
                self.first = sorted(self.first + other["first"], key=_place)[:SHOWN]
                continue
            for key, sums in other[name].items():
                self.count(getattr(self, name), key, sums)


def _place(shown: Mapping[str, Any]) -> list[int]:
    """The worst first."""
    return [-n for n in shown["rank"]]


def _sums(bill: Bill | None, stake: Stake | None, verdict: Verdict) -> list[int]:
    net = bill.net(verdict.declared_rate or Decimal(0)) if bill is not None else Decimal(0)
    sums = [1, int(net * 100), 0, 0, 0, 0]
    if stake is not None:
        low, high = int(stake.low * 100), int(stake.high * 100)
        sums[UNDER_LOW], sums[UNDER_HIGH] = max(low, 0), max(high, 0)
        sums[OVER_LOW], sums[OVER_HIGH] = max(-high, 0), max(-low, 0)
    return sums
