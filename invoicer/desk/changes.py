"""Which answers edits change, line by line, and whether for the better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from invoicer.assistant import Assistant
from invoicer.learning.gate import Verdict
from invoicer.line import InvoiceLine
from invoicer.suggestion import Suggestion, Tier
from knowledge_base.word_tables import Action, Edit, WordTable
from models.evaluation import Judged

MAX_SHOWN = 200  # changed lines of a set
RECENT = "近期商品"
_ORDER = {"worse": 0, "better": 1, "other": 2}


def added(serving: Assistant, candidate: Assistant, edits: Sequence[Edit]) -> list[dict[str, Any]]:
    """How the names that come are answered by themselves, now and then."""
    names = dict.fromkeys(
        edit.word
        for edit in edits
        if edit.action is Action.ADD and edit.table is not WordTable.DESCRIPTORS
    )
    lines = [InvoiceLine(name) for name in names]
    pairs = zip(serving.suggest(lines), candidate.suggest(lines), strict=True) if lines else ()
    return [
        {"name": name, "before": _shown(a), "after": _shown(b)}
        for name, (a, b) in zip(names, pairs, strict=True)
    ]


def of_labelled(
    verdict: Verdict, tenants: dict[str, list[str]]
) -> tuple[list[dict[str, Any]], dict[str, dict[str, int]]]:
    """(lines whose answer or tier changes, the worse ones first; how many of each kind), by set.

    tenants: whose each line of a set is; nobody's where the set is not among them.
    """
    changes: list[dict[str, Any]] = []
    counts = {}
    for name, (before, after) in verdict.judged.items():
        owner = tenants.get(name) or [""] * len(before)
        found = [
            {
                "set": name, "tenant": tenant, "name": a.name, "expected": a.expected,
                "before": _judged(a), "after": _judged(b), "effect": _effect(a, b),
            }
            for tenant, a, b in zip(owner, before, after, strict=True)
            if (a.answered, a.tier) != (b.answered, b.tier)
        ]  # fmt: skip
        kinds = [one["effect"] for one in found]
        counts[name] = {kind: kinds.count(kind) for kind in _ORDER}
        changes += sorted(found, key=lambda one: _ORDER[one["effect"]])[:MAX_SHOWN]
    return changes, counts


def of_recent(verdict: Verdict, lines: Sequence[tuple[str, InvoiceLine]]) -> list[dict[str, Any]]:
    """Recent lines whose code or tier changes; which of the two is right nobody has said."""
    found = [
        {
            "set": RECENT, "tenant": tenant, "name": line.name, "expected": "",
            "before": _shown(a), "after": _shown(b), "effect": "other",
        }
        for (tenant, line), a, b in zip(lines, *verdict.recent, strict=True)
        if (a.candidates[0].code, a.tier) != (b.candidates[0].code, b.tier)
    ]  # fmt: skip
    return found[:MAX_SHOWN]


def _shown(suggestion: Suggestion) -> str:
    top = suggestion.candidates[0]
    return f"{top.short_name} {top.name}({suggestion.tier.label})"


def _judged(one: Judged) -> str:
    return f"{one.answered}({Tier(one.tier).label})"


def _effect(before: Judged, after: Judged) -> str:
    if _right(before) == _right(after):
        return "other"
    return "better" if _right(after) else "worse"


def _right(one: Judged) -> bool:
    hits = one.short_name_hits if one.code_hits is None else one.code_hits
    return hits[:1] == (True,)
