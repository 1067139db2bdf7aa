"""The service's benchmarks run, and what they count agrees; how fast it was is not asked."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def run_small(name: str, folder: Path) -> dict[str, Any]:
    if not sys.platform.startswith("linux"):
        pytest.skip("the benchmarks of the service read /proc, which only Linux has")
    out = folder / "result.json"
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / name), "--small", "--out", str(out)],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(out.read_text(encoding="utf-8")))


def test_reviewers_share_a_queue_and_a_killed_service_loses_nothing(tmp_path: Path) -> None:
    result = run_small("review.py", tmp_path)
    assert result["decided"] == result["decide_events"] == result["items"]
    assert (result["acknowledged_lost"], result["decided_twice"]) == (0, 0)


def test_the_service_answers_a_load_without_errors(tmp_path: Path) -> None:
    if shutil.which("wrk") is None:
        pytest.skip("wrk is not installed (Debian: apt-get install wrk)")
    result = run_small("load.py", tmp_path)
    loads = [result[name] for name in ("one_worker", "one_worker_200", "two_workers", "batches")]
    assert all(load["errors"] == 0 for load in loads)
    assert all(load["requests"] > 0 for load in loads)
