"""What re-coding finds among planted declarations, on a part of the frozen samples."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from invoicer import Assistant

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import findings


@pytest.fixture(scope="module")
def cases(assistant: Assistant) -> dict[str, Any]:
    found: dict[str, Any] = findings.measure(assistant, findings.SMALL)["cases"]
    return found


def test_every_case_is_planted(cases: dict[str, Any]) -> None:
    assert list(cases) == ["right", "near", "near_rate", "far", "word"]
    assert cases["near"]["lines"] == cases["right"]["lines"] > 0.9 * findings.SMALL


def test_a_right_code_is_hardly_ever_doubted_or_replaced(cases: dict[str, Any]) -> None:
    assert cases["right"]["flagged"] <= 8
    assert cases["right"]["spoiled"] <= 4


@pytest.mark.parametrize("case", ["near", "near_rate", "far", "word"])
def test_most_wrong_codes_are_told(cases: dict[str, Any], case: str) -> None:
    assert cases[case]["flagged"] >= 80
    assert cases[case]["named"] >= 70
    assert cases[case]["spoiled"] <= 6
