"""The gate: a candidate serves only where no set of lines falls by more than its margin."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from invoicer.assistant import Assistant
from invoicer.errors import InvoicerError
from invoicer.evaluate import judge
from invoicer.line import InvoiceLine
from invoicer.review.decided import Decision
from invoicer.store import Store
from models.comparison import Paired, compare, distance
from models.compiled import is_frozen
from models.labels import LabelledLine

RECENT = 1000
FROZEN_SET, DECIDED_SET = "冻结样例", "留出决定"
DRIFT = {"tiers": 0.2, "chapters": 0.2, "confidence": 0.3}
DRIFT_LABELS = {"tiers": "档位", "chapters": "编码大类", "confidence": "把握度"}
DRIFT_FROM = 50  # recent lines below which a distribution says nothing

Labelled = list[tuple[InvoiceLine, LabelledLine]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """text: why, in Chinese. compared: each measure of each set; drift: how the answers to recent
    lines differ."""

    accepted: bool
    text: str
    compared: list[Paired]
    drift: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {
            "accepted": self.accepted,
            "verdict": self.text,
            "compared": [one.to_json() for one in self.compared],
            "drift": self.drift,
        }


def frozen_lines(assistant: Assistant, without: Collection[str]) -> Labelled:
    """The shipped samples that nothing is trained on; those that decisions were about are left
    out."""
    return [
        (
            InvoiceLine(s.name, s.spec, s.unit, s.brand, s.manufacturer),
            LabelledLine(s.name, frozenset({s.code}), frozenset()),
        )
        for s in assistant.kb.lexicon.samples()
        if is_frozen(s) and s.name not in without
    ]


def decided_lines(decisions: Sequence[Decision]) -> Labelled:
    """Decisions as labelled lines."""
    return [
        (one.line, LabelledLine(one.line.name, frozenset({one.code}), frozenset()))
        for one in decisions
    ]


def recent_lines(store: Store) -> list[InvoiceLine]:
    """Lines that were asked about lately, of all tenants; only counts of them are kept."""
    rows = store.rows("select line from review_items order by last_seen desc limit ?", [RECENT])
    lines = []
    for row in rows:
        try:
            lines.append(InvoiceLine.from_fields(json.loads(row["line"])))
        except InvoicerError:
            continue  # stored by a program that was less strict
    return lines


def examine(
    serving: Assistant,
    candidate: Assistant,
    sets: dict[str, Labelled],
    recent: Sequence[InvoiceLine],
) -> Verdict:
    """Both on the same lines, and what follows."""
    compared = [
        paired
        for name, lines in sets.items()
        if lines
        for paired in compare(name, judge(serving, lines), judge(candidate, lines))
    ]
    drift = _drift(serving, candidate, recent)
    problems = [
        f"{one.set}({one.lines} 行)的{one.measure}由 {one.before} 降到 {one.after}"
        f"(p={one.p_value:.3f})"
        for one in compared
        if one.falls
    ]
    problems += [
        f"近期商品的{DRIFT_LABELS[name]}分布变化 {drift[name]['distance']:.0%},超过 {limit:.0%}"
        for name, limit in DRIFT.items()
        if drift["lines"] >= DRIFT_FROM and drift[name]["distance"] > limit
    ]
    text = ";".join(problems) or "各集合均未下降"
    return Verdict(not problems, text, compared, drift)


def _drift(
    serving: Assistant, candidate: Assistant, recent: Sequence[InvoiceLine]
) -> dict[str, Any]:
    """How the answers to recent lines are distributed, before and after."""
    before, after = (one.suggest(list(recent)) for one in (serving, candidate))
    out: dict[str, Any] = {"lines": len(recent)}
    changed = sum(
        a.candidates[0].short_name != b.candidates[0].short_name
        for a, b in zip(before, after, strict=True)
    )
    out["changed"] = round(changed / len(recent), 4) if recent else 0.0
    for name, value in (
        ("tiers", lambda s: s.tier.value),
        ("chapters", lambda s: s.candidates[0].code[:3]),
        ("confidence", lambda s: f"{min(int(s.confidence * 10), 9) / 10:.1f}"),
    ):
        pair = [[value(s) for s in answers] for answers in (before, after)]
        out[name] = {
            "distance": round(distance(*pair), 4),
            "before": dict(sorted(Counter(pair[0]).items())),
            "after": dict(sorted(Counter(pair[1]).items())),
        }
    return out
