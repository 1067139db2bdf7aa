"""Fitting ranker (by scikit-learn) and calibration, and taking from them what is served."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.calibration import MARGIN_CAP, Calibration, wilson
from models.candidates import NAMES
from models.examples import Examples
from models.out_of_fold import OutOfFold
from models.ranking import Ranker

TREES: dict[str, Any] = {
    "max_iter": 120,
    "learning_rate": 0.08,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 60,
    "l2_regularization": 5.0,
    "early_stopping": False,
}
STRONG_PRECISION, STRONG_FLOOR = 0.98, 0.97
WEAK = 0.35


def fit_ranker(examples: Examples, seed: int) -> Ranker:
    """Trees over all signals, pointwise log-loss."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(random_state=seed, **TREES)
    model.fit(examples.values, examples.right, sample_weight=examples.weight)
    return _ranker_of(model)


def fit_calibration(
    found: OutOfFold, eligible: np.ndarray, nonsense: OutOfFold | None = None
) -> Calibration:
    """Logistic map of score and lead, and the thresholds.

    eligible: (n_lines,) whether the rules allow the line to be strong and the promise is measured
    on it. The strong threshold is the lowest probability above which these lines are right
    STRONG_PRECISION of the time, with at least STRONG_FLOOR as Wilson's lower bound.
    nonsense: names that mean nothing, whose best candidate is never right however far it leads.
    """
    from scipy.optimize import minimize

    parts = [found] if nonsense is None else [found, nonsense]
    score = np.concatenate([part.score for part in parts])
    capped = np.minimum(np.concatenate([part.margin for part in parts]), MARGIN_CAP)
    goal = np.concatenate([part.right for part in parts]).astype(float)
    target = found.right.astype(float)

    def loss(p: np.ndarray) -> float:
        z = p[0] * score + p[1] * capped + p[2]
        return float(np.mean(np.logaddexp(0, z) - goal * z) + 1e-4 * (p**2).sum())

    bounds = [(0, None), (0, None), (None, None)]
    slope, margin_slope, offset = minimize(loss, np.array([0.5, 0.3, 0.0]), bounds=bounds).x
    draft = Calibration(float(slope), float(margin_slope), float(offset), 1.0, WEAK)
    probability = draft.probability(found.score, found.margin)
    order = np.argsort(-probability, kind="stable")
    order = order[eligible[order]]
    right = np.cumsum(target[order])
    count = np.arange(1, len(order) + 1)
    floor = np.array([wilson(int(r), int(n))[0] for r, n in zip(right, count, strict=True)])
    good = np.flatnonzero((right / count >= STRONG_PRECISION) & (floor >= STRONG_FLOOR))
    strong = round(float(probability[order[good[-1]]]) - 5e-5, 4) if len(good) else 1.0
    return Calibration(draft.slope, draft.margin_slope, draft.offset, strong, WEAK)


def _ranker_of(model: Any) -> Ranker:
    """The fitted trees as arrays."""
    trees = [stage[0].nodes for stage in model._predictors]
    width = max(len(nodes) for nodes in trees)
    shape = (len(trees), width)
    feature, left, right = (np.zeros(shape, np.int32) for _ in range(3))
    threshold, value = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    depth = 0
    for t, nodes in enumerate(trees):
        own = np.arange(len(nodes))
        leaf = nodes["is_leaf"].astype(bool)
        n = len(nodes)
        feature[t, :n] = np.where(leaf, 0, nodes["feature_idx"])
        threshold[t, :n] = np.where(leaf, 0, nodes["num_threshold"])
        left[t, :n] = np.where(leaf, own, nodes["left"])
        right[t, :n] = np.where(leaf, own, nodes["right"])
        value[t, :n] = np.where(leaf, nodes["value"], 0)
        depth = max(depth, int(nodes["depth"].max()))
    baseline = float(np.ravel(model._baseline_prediction)[0])
    return Ranker(NAMES, baseline, feature, threshold, left, right, value, depth)
