"""The evaluation report as one HTML file: reliability chart, confusions, worst cases."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape

from models.evaluation import Judged, Report

BINS = 10
WORST = 60


def write_report(
    path: Path,
    reports: Mapping[str, Report],
    judged: Mapping[str, Sequence[Judged]],
    model_version: str,
    kb_version: str,
) -> None:
    """Write the report beside its place and rename it."""
    lines = [(name, line) for name, rows in judged.items() for line in rows]
    wrong = [(n, j) for n, j in lines if j.short_name_hits[:1] != (True,)]
    wrong.sort(key=lambda item: -item[1].confidence)
    confusions = Counter((j.expected, j.answered.split(" ")[0]) for _, j in wrong)
    template = Environment(
        loader=PackageLoader("invoicer", "templates"), autoescape=select_autoescape()
    ).get_template("evaluation.html")
    text = template.render(
        reports=reports,
        bins=_reliability([j for _, j in lines]),
        confusions=confusions.most_common(40),
        worst=wrong[:WORST],
        model_version=model_version,
        kb_version=kb_version,
    )
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def _reliability(lines: Sequence[Judged]) -> list[dict[str, float]]:
    """Per bin of confidence: lines, mean confidence, share right."""
    out = []
    for b in range(BINS):
        inside = [j for j in lines if min(int(j.confidence * BINS), BINS - 1) == b]
        if inside:
            out.append(
                {
                    "n": len(inside),
                    "confidence": sum(j.confidence for j in inside) / len(inside),
                    "right": sum(j.short_name_hits[:1] == (True,) for j in inside) / len(inside),
                }
            )
    return out
