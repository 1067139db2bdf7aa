"""The guard over frozen samples with wrong labels among them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from invoicer import Assistant

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import pollution


@pytest.fixture(scope="module")
def figures(assistant: Assistant) -> dict[str, Any]:
    figures: dict[str, Any] = pollution.small(assistant)["figures"]
    return figures


def test_one_decision_in_ten_is_wrong(figures: dict[str, Any]) -> None:
    wrong = figures["random"] + figures["runner_up"]
    assert wrong + figures["right"] == figures["decisions"] == pollution.SMALL
    assert wrong / pollution.SMALL == pytest.approx(pollution.WRONG, abs=0.03)


def test_most_wrong_decisions_wait_and_hardly_a_right_one(figures: dict[str, Any]) -> None:
    targets = pollution.TARGETS
    assert figures["held_random"] >= targets["held_random"]
    assert figures["held_runner_up"] >= targets["held_runner_up"]
    assert figures["held_right"] <= targets["held_right"]
