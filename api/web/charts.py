"""Geometry of the charts: numbers to places in an SVG, drawn by the templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log10

WIDTH, HEIGHT = 560.0, 180.0
LEFT, RIGHT, TOP, BOTTOM = 40.0, 8.0, 10.0, 24.0


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis with its text."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; kind: its place in the legend, from 0."""

    x: float
    y: float
    width: float
    height: float
    kind: int
    title: str


@dataclass(frozen=True, slots=True)
class Point:
    """A value with its interval. low, high: places on the vertical axis."""

    x: float
    y: float
    low: float
    high: float
    kind: int
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What a template draws: axes, bars, and lines through points."""

    x: tuple[Tick, ...]
    y: tuple[Tick, ...]
    bars: tuple[Bar, ...] = ()
    lines: tuple[tuple[Point, ...], ...] = ()
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    base: float = HEIGHT - BOTTOM


def stacked(labels: Sequence[str], series: Mapping[str, Sequence[int]]) -> Chart:
    """Bars one above the other, one a label."""
    totals = [sum(values) for values in zip(*series.values(), strict=True)]
    top, ticks = _scale(max(totals, default=0))
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    bars = []
    for n, label in enumerate(labels):
        under = 0
        for kind, (name, values) in enumerate(series.items()):
            if values[n]:
                low, high = _place(under, top), _place(under + values[n], top)
                bars.append(
                    Bar(_round(LEFT + step * (n + 0.18)), high, _round(step * 0.64),
                        _round(low - high), kind, f"{label} {name} {values[n]}")
                )  # fmt: skip
            under += values[n]
    every = ceil(len(labels) / 8) or 1
    x = tuple(
        Tick(_round(LEFT + step * (n + 0.5)), label)
        for n, label in enumerate(labels)
        if (len(labels) - 1 - n) % every == 0
    )
    return Chart(x, tuple(Tick(_place(v, top), f"{v:g}") for v in ticks), tuple(bars))


def shares(
    labels: Sequence[str], series: Mapping[str, Sequence[tuple[float, float, float, int] | None]]
) -> Chart:
    """Lines of shares between 0 and 1 with their intervals: (value, low, high, n) or nothing."""
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    lines = []
    for kind, (name, values) in enumerate(series.items()):
        line = []
        for n, found in enumerate(values):
            if found is not None:
                value, low, high, total = found
                title = f"{labels[n]} {name} {value:.1%}（{low:.1%}–{high:.1%}，{total} 项）"
                # Series stand side by side, so that intervals do not cover each other.
                x = LEFT + step * (n + 0.5) + (kind - (len(series) - 1) / 2) * 7
                line.append(
                    Point(_round(x), _place(value, 1), _place(low, 1), _place(high, 1), kind, title)
                )
        lines.append(tuple(line))
    return Chart(
        tuple(Tick(_round(LEFT + step * (n + 0.5)), label) for n, label in enumerate(labels)),
        tuple(Tick(_place(v, 1), f"{v:.0%}") for v in (0, 0.25, 0.5, 0.75, 1.0)),
        lines=tuple(lines),
    )


def _scale(most: float) -> tuple[float, list[float]]:
    """A round top at or above the largest value, and four ticks up to it."""
    if most <= 4:
        return 4.0, [0, 1, 2, 3, 4]
    unit = 10 ** int(log10(most / 4))
    step = next(unit * m for m in (1, 2, 2.5, 5, 10) if unit * m * 4 >= most and unit * m % 1 == 0)
    return step * 4, [step * n for n in range(5)]


def _place(value: float, top: float) -> float:
    return _round(HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP))


def _round(value: float) -> float:
    return round(value, 1)
