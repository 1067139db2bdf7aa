"""The speed benchmark runs and its figures agree with each other; how fast it was is not asked."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from knowledge_base import KnowledgeBase

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
FROZEN = ("naive_terms.csv", "names_500.csv")


def frozen_rows(name: str) -> list[dict[str, str]]:
    with (BENCHMARKS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not sys.platform.startswith("linux"):
        pytest.skip("memory is read from /proc, which only Linux has")
    out = tmp_path_factory.mktemp("speed") / "speed.json"
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "speed.py"), "--small", "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    written = json.loads(out.read_text(encoding="utf-8"))
    assert json.loads(done.stdout) == written
    return dict(written)


def test_every_name_and_line_is_answered(result: dict[str, Any]) -> None:
    figures = result["figures"]
    assert figures["naive_answered"] == figures["naive_names"] > 0
    assert figures["our_answered"] == figures["our_names"] == 500
    assert figures["distinct_answered"] == figures["distinct_lines"] >= 2100


def test_the_ratios_are_those_of_the_measured_rates(result: dict[str, Any]) -> None:
    figures = result["figures"]
    for ratio, rate in (
        ("ratio", "our_names_per_s"),
        ("ratio_with_workers", "distinct_lines_per_s"),
    ):
        expected = figures[rate] / figures["naive_names_per_s"]
        assert figures[ratio] == pytest.approx(expected, abs=0.06)


def test_figures_are_in_a_possible_order(result: dict[str, Any]) -> None:
    figures = result["figures"]
    assert 0 < figures["single_p50_ms"] <= figures["single_p99_ms"]
    assert figures["start_to_first_answer_s"] > 0
    assert figures["pss_mb"] > 20


def test_each_target_is_judged_by_its_figure(result: dict[str, Any]) -> None:
    at_least = {"ratio", "distinct_lines_per_s"}
    for name, judged in result["targets"].items():
        assert judged["value"] == result["figures"][name]
        value, target = judged["value"], judged["target"]
        assert judged["met"] == (value >= target if name in at_least else value <= target)


def test_the_result_says_where_and_with_what_it_was_measured(result: dict[str, Any]) -> None:
    for key in ("date", "cores", "machine", "python", "engine", "model_version", "kb_version"):
        assert result[key], key


def test_the_frozen_inputs_are_the_ones_the_readme_vouches_for() -> None:
    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    for name in FROZEN:
        assert hashlib.sha256((BENCHMARKS / name).read_bytes()).hexdigest() in readme, name


def test_the_naive_terms_stand_under_leaves_of_the_code_table() -> None:
    leaves = {leaf.code for leaf in KnowledgeBase.load().taxonomy.leaves()}
    rows = frozen_rows("naive_terms.csv")
    assert {row["code"] for row in rows} <= leaves
    assert all(row["term"].strip() for row in rows)


def test_the_names_are_five_hundred_different_ones() -> None:
    names = [row["name"] for row in frozen_rows("names_500.csv")]
    assert len(names) == len(set(names)) == 500
