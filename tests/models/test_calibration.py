"""From scores to an honest probability."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import Calibration, calibration_error, wilson
from models.fitting import STRONG_PRECISION, fit_calibration
from models.learned import load_learned
from models.out_of_fold import OutOfFold

SHIPPED = load_learned().calibration
scores = st.floats(-20, 20)


def probability(score: float, margin: float) -> float:
    return float(SHIPPED.probability(np.array(score), np.array(margin)))


@given(scores, scores, st.floats(0, 30))
def test_a_higher_score_is_never_less_probable(one: float, other: float, margin: float) -> None:
    low, high = sorted((one, other))
    assert probability(low, margin) <= probability(high, margin)


@given(scores, st.floats(0, 30), st.floats(0, 30))
def test_a_wider_lead_is_never_less_probable(score: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert probability(score, low) <= probability(score, high)


@given(scores, st.floats(0, 100))
def test_a_probability_lies_between_zero_and_one(score: float, margin: float) -> None:
    assert 0.0 <= probability(score, margin) <= 1.0


def test_the_shipped_thresholds_are_ordered() -> None:
    assert 0 < SHIPPED.weak < SHIPPED.strong < 1


def test_a_calibration_survives_json() -> None:
    assert Calibration.from_json(json.loads(json.dumps(SHIPPED.to_json()))) == SHIPPED


def test_probability_by_hand() -> None:
    plain = Calibration(slope=1.0, margin_slope=0.5, offset=-1.0, strong=0.9, weak=0.3)
    found = plain.probability(np.array([1.0, 0.0]), np.array([0.0, 2.0]))
    assert found == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [
        (95, 100, 0.8882, 0.9785),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_interval(right: int, total: int, low: float, high: float) -> None:
    assert wilson(right, total) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_the_share(counts: tuple[int, int]) -> None:
    right, total = counts
    low, high = wilson(right, total)
    assert -1e-9 <= low <= right / total + 1e-9
    assert right / total - 1e-9 <= high <= 1 + 1e-9


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.95, 0.95, 0.15, 0.15])
    right = np.array([1.0, 0.0, 0.0, 0.0])
    assert calibration_error(confidence, right) == pytest.approx(0.5 * 0.45 + 0.5 * 0.15)


def test_full_confidence_falls_into_the_last_bin() -> None:
    assert calibration_error(np.array([1.0, 1.0]), np.array([1.0, 1.0])) == 0.0


def test_fitted_map_is_monotone_and_its_strong_lines_are_precise() -> None:
    chance = np.random.default_rng(1)
    score = chance.normal(1, 3, 4000)
    margin = np.abs(chance.normal(2, 2, 4000))
    right = chance.uniform(size=4000) < 1 / (1 + np.exp(-(score + 0.5 * margin)))
    found = OutOfFold(score, margin, right, np.arange(4000))
    fitted = fit_calibration(found, np.ones(4000, bool))
    strong = fitted.probability(score, margin) >= fitted.strong
    assert fitted.slope > 0 and fitted.margin_slope >= 0
    assert strong.any()
    assert right[strong].mean() >= STRONG_PRECISION - 0.002  # the threshold is rounded
    assert calibration_error(fitted.probability(score, margin), right.astype(float)) < 0.03


def test_lines_that_are_never_right_are_never_strong() -> None:
    score = np.linspace(-2, 2, 50)
    found = OutOfFold(score, score - score.min(), np.zeros(50, bool), np.arange(50))
    fitted = fit_calibration(found, np.ones(50, bool))
    assert fitted.strong == 1.0


def test_lines_that_the_rules_keep_medium_do_not_set_the_threshold() -> None:
    score = np.linspace(-3, 3, 1000)
    right = score > 0
    right[-50:] = False  # the surest lines are wrong, but may never be strong
    eligible = np.ones(1000, bool)
    eligible[-50:] = False
    found = OutOfFold(score, np.zeros(1000), right, np.arange(1000))
    assert fit_calibration(found, eligible).strong < 1.0
    assert fit_calibration(found, np.ones(1000, bool)).strong == 1.0
