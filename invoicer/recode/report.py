"""The report of a run as one HTML file: figures, SVG charts, the lines to look at first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape

from invoicer.assistant import Assistant
from invoicer.files import write_whole
from invoicer.line import today
from invoicer.recode.findings import Finding, Severity
from invoicer.recode.pipeline import Outcome
from invoicer.recode.tally import (
    AMOUNT,
    FAMILY_DIGITS,
    LINES,
    OVER_HIGH,
    OVER_LOW,
    UNDER_HIGH,
    UNDER_LOW,
    Sums,
)
from invoicer.suggestion import Tier
from knowledge_base.taxonomy import CODE_LENGTH, Taxonomy

FAMILIES, MOVES, SELLERS, MONTHS = 14, 15, 15, 144
NOTHING = [0] * 6


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar chart. share: length of the bar, 0 to 1; tint: name of its colour."""

    label: str
    lines: int
    amount: int
    under: tuple[int, int]
    over: tuple[int, int]
    share: float
    tint: str = ""


@dataclass(frozen=True, slots=True)
class Month:
    """A column of the timeline. height, faulty: 0 to 1 of the highest column."""

    label: str
    lines: int
    wrong: int
    height: float
    faulty: float
    under: int


def write_report(
    path: Path, outcome: Outcome, assistant: Assistant, inputs: Sequence[Path]
) -> None:
    """Write the report of a run, whole or not at all."""
    environment = Environment(
        loader=PackageLoader("invoicer", "templates"), autoescape=select_autoescape(),
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"yuan": yuan, "span": span, "n": lambda number: f"{number:,}"}
    tally = outcome.tally
    months = _months(tally.months, tally.faulty)
    text = environment.get_template("recode.html").render(
        outcome=outcome,
        inputs=[one.name for one in inputs[:8]],
        more_inputs=max(0, len(inputs) - 8),
        total=tally.total.get("judged", NOTHING),
        faulty=tally.total.get("faulty", NOTHING),
        severities=[
            (s, tally.severities.get(str(int(s)), NOTHING)[LINES]) for s in reversed(Severity)
        ],
        findings=_bars(tally.findings, LINES, _finding_label, _finding_tint),
        families=_families(tally.families, assistant.kb.taxonomy),
        months=months,
        undrawn=tally.total.get("judged", NOTHING)[LINES] - sum(month.lines for month in months),
        tiers=[(t, tally.tiers.get(t.value, NOTHING)[LINES]) for t in Tier],
        moves=_bars(tally.moves, LINES, str, lambda _: "")[:MOVES],
        sellers=[row for row in outcome.consistency if row[3]][:SELLERS],
        consistent=sum(1 for row in outcome.consistency if not row[3]),
        first=tally.first,
        day=today(),
        versions=f"模型 {assistant.model_version} · 知识库 {assistant.kb_version}",
        LINES=LINES, AMOUNT=AMOUNT, UNDER_LOW=UNDER_LOW, UNDER_HIGH=UNDER_HIGH,
        OVER_LOW=OVER_LOW, OVER_HIGH=OVER_HIGH,
    )  # fmt: skip
    write_whole(path, text.encode("utf-8"))


def yuan(fen: int) -> str:
    """Fen as yuan with separators: 12,345.60."""
    return f"{Decimal(fen) / 100:,.2f}"


def span(pair: Sequence[int]) -> str:
    """A range of fen; one figure where its ends are the same, – for nothing."""
    low, high = pair
    if not high:
        return "–"
    return yuan(high) if low == high else f"{yuan(low)} – {yuan(high)}"


def _finding_label(key: str) -> str:
    return Finding(key).label


def _finding_tint(key: str) -> str:
    return f"s{int(Finding(key).severity)}"


def _bars(
    sums: Sums, by: int, label: Callable[[str], str], tint: Callable[[str], str]
) -> list[Bar]:
    """Bars in falling order of one sum."""
    ordered = sorted(sums.items(), key=lambda item: (-item[1][by], item[0]))
    most = max((values[by] for _, values in ordered), default=0) or 1
    return [_bar(label(key), values, values[by] / most, tint(key)) for key, values in ordered]


def _bar(label: str, sums: Sequence[int], share: float, tint: str = "") -> Bar:
    return Bar(
        label, sums[LINES], sums[AMOUNT], (sums[UNDER_LOW], sums[UNDER_HIGH]),
        (sums[OVER_LOW], sums[OVER_HIGH]), share, tint,
    )  # fmt: skip


def _families(sums: Sums, taxonomy: Taxonomy) -> list[Bar]:
    """Families of codes by the money at stake in them, then by what was billed."""

    def weight(values: Sequence[int]) -> tuple[int, int]:
        return values[UNDER_HIGH] + values[OVER_HIGH], abs(values[AMOUNT])

    ordered = sorted(sums.items(), key=lambda item: (*(-n for n in weight(item[1])), item[0]))
    most = max((weight(values)[0] for _, values in ordered), default=0) or 1
    bars = []
    for key, values in ordered[:FAMILIES]:
        row = taxonomy.get(key.ljust(CODE_LENGTH, "0")) if len(key) == FAMILY_DIGITS else None
        bars.append(_bar(row.name if row else f"编码 {key}…", values, weight(values)[0] / most))
    return bars


def _months(sums: Sums, faulty: Sums) -> list[Month]:
    """The last twelve years at most, every month between the first and the last; what is dated
    ahead is left out, for one mistyped year would leave no room for the others."""
    known = sorted(key for key in sums if "" < key <= today().isoformat()[:7])
    if not known:
        return []
    labels = [known[-1]]
    while labels[0] > known[0] and len(labels) < MONTHS:
        year, month = int(labels[0][:4]), int(labels[0][5:])
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
        labels.insert(0, f"{year}-{month:02d}")
    most = max(sums.get(label, NOTHING)[LINES] for label in labels) or 1
    columns = []
    for label in labels:
        lines, wrong = sums.get(label, NOTHING)[LINES], faulty.get(label, NOTHING)
        columns.append(
            Month(label, lines, wrong[LINES], lines / most, wrong[LINES] / most, wrong[UNDER_HIGH])
        )
    return columns
