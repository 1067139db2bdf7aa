"""How much is gained by learning: decisions replayed, measured on products nobody decided about.

    python benchmarks/learning_curve.py FOLDER --out curve.json --chart docs/learning_curve.svg

Two replays. `labelled`: the labelled files of FOLDER, halved by core product; each half is decided
and the other measured, both ways. `samples`: everyday names that the index was compiled without
and half of the frozen samples are decided, the other half is measured. The ranker they start from
was fitted on everyday knowledge alone. Nothing of this is kept.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import replay

from invoicer import Assistant, InvoiceLine
from invoicer.evaluate import judge, read_labelled
from invoicer.review.decided import Decision
from knowledge_base import KnowledgeBase
from knowledge_base.supplement import ConfirmedName
from models.labels import LabelledLine

SHARES = (0.0, 0.25, 0.5, 1.0)
FILES = ("retail", "expert", "lines", "traps")
Labelled = list[tuple[InvoiceLine, LabelledLine]]
MakeKb = Callable[[Sequence[ConfirmedName]], KnowledgeBase]


@dataclass(frozen=True, slots=True)
class Fold:
    """What is decided, in the order of the replay, and what is measured."""

    decided: list[Decision]
    measured: Labelled


def curve(start: Assistant, make_kb: MakeKb, folds: Sequence[Fold]) -> list[dict[str, float]]:
    """A row a share of the replay: lines that need nobody, and how often the answer is right."""
    counts = [
        sum((counted(start, make_kb, f, share) for f in folds), Counter()) for share in SHARES
    ]
    return [row(share, n) for share, n in zip(SHARES, counts, strict=True)]


def counted(start: Assistant, make_kb: MakeKb, fold: Fold, share: float) -> Counter[str]:
    """What became of a fold's measured lines after a share of its decisions was learned from."""
    some = fold.decided[: round(share * len(fold.decided))]
    assistant = replay.learn(start, make_kb, some) if some else start
    n: Counter[str] = Counter(decided=len(some))
    for one in judge(assistant, fold.measured, replay.DAY):
        right = one.short_name_hits[:1] == (True,)
        strong = one.tier == "strong"
        n.update(lines=1, right=right, strong=strong, strong_right=right and strong)
    replay.say(f"{share} {dict(n)}")
    return n


def row(share: float, n: Counter[str]) -> dict[str, float]:
    """The figures of one point."""
    return {
        "share": share,
        "decided": n["decided"],
        "lines": n["lines"],
        "automation": round(n["strong"] / n["lines"], 4),
        "accuracy": round(n["right"] / n["lines"], 4),
        "strong_precision": round(n["strong_right"] / max(n["strong"], 1), 4),
    }


def labelled_folds(start: Assistant, folder: Path) -> list[Fold]:
    """The labelled lines of a folder, each half once decided and once measured."""
    lines: Labelled = []
    for name in FILES:
        lines.extend(read_labelled(folder / f"{name}.csv"))
    halves: tuple[Labelled, Labelled] = ([], [])
    for line, label in lines:
        core = start.query(line).reading.core
        halves[replay.draw(core, "half") < 50].append((line, label))
    return [Fold(_decided(start, a), b) for a, b in (halves, halves[::-1])]


def _decided(start: Assistant, lines: Labelled) -> list[Decision]:
    """What a reviewer would have decided about the lines that have a code."""
    usable = [
        (line, sorted(label.codes)[0]) for line, label in lines
        if label.codes and start.is_usable(sorted(label.codes)[0], replay.DAY.isoformat())
    ]  # fmt: skip
    random.Random(0).shuffle(usable)
    return [
        Decision(f"rv_{i}", "bench", f"q{i}", line, code, "user", "2026-01-05T09", promoted=True)
        for i, (line, code) in enumerate(usable)
    ]


def sample_folds(start: Assistant) -> list[Fold]:
    """Names that are kept back and samples of one half; the samples of the other are measured."""
    first, second = replay.halves(start)
    samples = [*first.frozen, *first.names]
    random.Random(0).shuffle(samples)
    labels = [LabelledLine(s.name, frozenset({s.code}), frozenset()) for s in second.frozen]
    lines = list(zip(map(replay.line_of, second.frozen), labels, strict=True))
    codes = [sample.code for sample in samples]
    return [Fold(replay.decided(samples, codes, random.Random(0)), lines)]


def chart(curves: dict[str, list[dict[str, float]]]) -> str:
    """The curves as an SVG: automation and accuracy over the decisions replayed."""
    width, height, left, top, plot = 360, 300, 46, 40, 200
    colours = {"automation": "#2563eb", "accuracy": "#15803d", "strong_precision": "#b45309"}
    titles = {
        "automation": "strong share",
        "accuracy": "简称@1",
        "strong_precision": "strong right",
    }
    parts = []
    for at, (name, rows) in enumerate(curves.items()):
        x0 = at * width + left
        span, most = width - left - 30, max(row["decided"] for row in rows) or 1
        text = f"{name}: {rows[0]['lines']:.0f} lines per point"
        parts.append(f'<text x="{x0}" y="20" font-weight="bold">{escape(text)}</text>')
        for percent in range(50, 101, 10):
            y = top + plot * (100 - percent) / 50
            parts.append(
                f'<line x1="{x0}" y1="{y}" x2="{x0 + span}" y2="{y}" stroke="#ddd"/>'
                f'<text x="{x0 - 6}" y="{y + 4}" text-anchor="end">{percent} %</text>'
            )
        for row in rows:
            x = x0 + span * row["decided"] / most
            parts.append(
                f'<text x="{x:.0f}" y="{top + plot + 18}" text-anchor="middle">'
                f"{row['decided']:.0f}</text>"
            )
        for key, colour in colours.items():
            points = [
                (x0 + span * row["decided"] / most, top + plot * (1 - row[key]) * 2) for row in rows
            ]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(
                f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
            )
            parts.extend(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
                         for x, y in points)  # fmt: skip
        parts.append(
            f'<text x="{x0 + span / 2}" y="{top + plot + 36}" text-anchor="middle">'
            "decisions replayed</text>"
        )
    for i, (key, colour) in enumerate(colours.items()):
        parts.append(
            f'<text x="{left + i * 130}" y="{height - 6}" fill="{colour}">{titles[key]}</text>'
        )
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * len(curves)}" height="{height}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="#fff"/>'
        f"\n{body}\n</svg>\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="labelled files: retail.csv, expert.csv …")
    parser.add_argument("--out", type=Path, help="also write the figures to this file")
    parser.add_argument("--chart", type=Path, help="write the chart to this file")
    given = parser.parse_args()
    less = replay.fitted(replay.less_known())
    whole = replay.knowing_all(less)
    curves = {
        "labelled": curve(whole, replay.with_names, labelled_folds(whole, given.folder)),
        "samples": curve(less, replay.less_known, sample_folds(less)),
    }
    text = json.dumps(curves, ensure_ascii=False, indent=1)
    print(text)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")
    if given.chart:
        given.chart.write_text(chart(curves), encoding="utf-8")


if __name__ == "__main__":
    main()
