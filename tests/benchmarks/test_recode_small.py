"""The re-coding benchmark runs and says what it is for; how fast it was is not asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not sys.platform.startswith("linux"):
        pytest.skip("memory is read from /proc, which only Linux has")
    out = tmp_path_factory.mktemp("recode") / "recode.json"
    command = [sys.executable, str(BENCHMARKS / "recode.py"), "--lines", "800", "--out", str(out)]
    subprocess.run(command, check=True, cwd=BENCHMARKS.parent)
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def test_every_case_was_run(result: dict[str, Any]) -> None:
    assert set(result) == {
        "cores", "load_at_start", "repeated", "distinct", "sheet", "full_sheet", "killed",
    }  # fmt: skip


def test_memory_and_speed_are_measured(result: dict[str, Any]) -> None:
    for case in ("repeated", "distinct"):
        assert result[case]["lines_per_s"] > 0
        assert result[case]["pss_mb"] > 50
        assert result[case]["cpu_seconds"] > result[case]["yardstick_seconds"] > 0


def test_a_killed_run_ends_with_the_same_bytes(result: dict[str, Any]) -> None:
    assert result["killed"]["same_bytes"] is True
