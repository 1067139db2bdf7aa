"""Accuracy with each tokenizer engine: rjieba and jieba, each with a bundle of its own.

    python benchmarks/engines.py FOLDER [--out engines.json]

FOLDER holds labelled CSV files (`name` with `code` and/or `short_name`). The two should be within
one point of each other on every set. Files named `*_weak.csv` carry noisy labels and are left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from invoicer import Assistant
from invoicer.evaluate import judge, read_labelled
from invoicer.settings import Settings
from models.evaluation import Judged, Share, measure
from models.tokenizer import ENGINES

MEASURES = ("short_name_1", "short_name_5", "code_1", "code_5")


def shares(judged: list[Judged]) -> dict[str, float | None]:
    report = measure(judged)
    found: dict[str, float | None] = {}
    for name in (*MEASURES, "strong_share", "strong"):
        share: Share = getattr(report, name)
        found[name] = round(100 * share.value, 2) if share.total else None
    return found


def run(folder: Path) -> dict[str, Any]:
    """Per engine and set: shares in percent; and the widest gap between the engines in points,
    on the sets pooled and on any one set."""
    files = [p for p in sorted(folder.glob("*.csv")) if not p.stem.endswith("_weak")]
    labelled = {path.stem: read_labelled(path) for path in files}
    engines: dict[str, dict[str, dict[str, float | None]]] = {}
    versions: dict[str, str] = {}
    for engine in ENGINES:
        assistant = Assistant.load(Settings(engine=engine))
        judged = {name: judge(assistant, lines) for name, lines in labelled.items()}
        engines[engine] = {name: shares(lines) for name, lines in judged.items()}
        engines[engine]["pooled"] = shares([one for lines in judged.values() for one in lines])
        versions = {"model_version": assistant.model_version, "kb_version": assistant.kb_version}
    return {
        **versions,
        "lines": {name: len(lines) for name, lines in labelled.items()},
        "engines": engines,
        "gap_pooled": _gap(engines, ["pooled"]),
        "gap_any_set": _gap(engines, list(labelled)),
    }


def _gap(engines: dict[str, dict[str, dict[str, float | None]]], sets: list[str]) -> float:
    first, second = (engines[engine] for engine in ENGINES)
    return round(
        max(
            abs(a - b)
            for name in sets
            for measure_name in MEASURES
            if (a := first[name][measure_name]) is not None
            and (b := second[name][measure_name]) is not None
        ),
        2,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of labelled CSV files")
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    options = parser.parse_args()
    if not any(options.folder.glob("*.csv")):
        sys.exit(f"no CSV files in {options.folder}")
    text = json.dumps(run(options.folder), ensure_ascii=False, indent=1)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
