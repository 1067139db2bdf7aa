"""Learning from decisions: trees that correct a given ranker, and a calibration that moves as far
as the decisions carry it.

The given ranker was fitted on lines that are not here; so it is kept, and what is new is added.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.calibration import MARGIN_CAP, Calibration
from models.candidates import AT
from models.examples import Examples
from models.out_of_fold import OutOfFold
from models.ranking import Ranker

ROUNDS, RATE = 24, 0.1
LEAVES, LEAF_PAIRS = 8, 200
SIGNALS_A_TREE = 0.4  # share of the signals a split chooses among
RIDGE = 20.0  # weight of "no correction" in a leaf, in units of p·(1−p)
PRIOR = 300.0  # decisions that weigh as much as the calibration there was


def correct(ranker: Ranker, examples: Examples, seed: int = 0) -> Ranker:
    """The ranker with ROUNDS small trees more, each fitted to what is still wrong.

    Fitted to all candidates, the hopeless ones too: a leaf that never saw them would lift them.
    """
    from sklearn.tree import DecisionTreeRegressor

    values = np.ascontiguousarray(examples.values[:, [AT[name] for name in ranker.signals]])
    score = ranker.score(values)
    target, weight = examples.right.astype(float), examples.weight.astype(float)
    trees = []
    for round_ in range(ROUNDS):
        probability = 1.0 / (1.0 + np.exp(-score))
        tree = DecisionTreeRegressor(
            max_leaf_nodes=LEAVES,
            min_samples_leaf=LEAF_PAIRS,
            max_features=SIGNALS_A_TREE,
            random_state=seed + round_,
        )
        tree.fit(values, target - probability, sample_weight=weight)
        leaf = tree.apply(values)
        n = tree.tree_.node_count
        gain = np.bincount(leaf, weight * (target - probability), minlength=n)
        curvature = np.bincount(leaf, weight * probability * (1 - probability), minlength=n)
        value = RATE * gain / (curvature + RIDGE)
        score += value[leaf]
        trees.append((tree.tree_, value))
    # As it is read from disk, where numbers are shorter: what is measured is what will serve.
    return Ranker.from_json(_extended(ranker, trees).to_json())


def _extended(ranker: Ranker, trees: list[tuple[object, np.ndarray]]) -> Ranker:
    """The ranker's arrays with further trees below them, padded to one width."""
    added = [_flat(tree, value) for tree, value in trees]
    width = max(ranker.feature.shape[1], *(len(one["feature"]) for one in added))

    def stack(key: str) -> np.ndarray:
        old: np.ndarray = getattr(ranker, key)
        out = np.zeros((len(old) + len(added), width), old.dtype)
        out[: len(old), : old.shape[1]] = old
        for row, one in zip(out[len(old) :], added, strict=True):
            row[: len(one[key])] = one[key]
        return out

    return replace(
        ranker,
        feature=stack("feature"),
        threshold=stack("threshold"),
        left=stack("left"),
        right=stack("right"),
        value=stack("value"),
        depth=max(ranker.depth, LEAVES),
    )


def _flat(tree: object, value: np.ndarray) -> dict[str, np.ndarray]:
    """scikit-learn's arrays as the ranker keeps them: a leaf points at itself."""
    left, right = tree.children_left, tree.children_right  # type: ignore[attr-defined]
    leaf, own = left < 0, np.arange(len(left))
    return {
        "feature": np.where(leaf, 0, tree.feature),  # type: ignore[attr-defined]
        "threshold": np.where(leaf, 0, tree.threshold),  # type: ignore[attr-defined]
        "left": np.where(leaf, own, left),
        "right": np.where(leaf, own, right),
        "value": np.where(leaf, value, 0),
    }


def recalibrate(prior: Calibration, found: OutOfFold) -> Calibration:
    """The calibration that fits the decided lines, held back by the one there was; its thresholds
    stay what they were."""
    from scipy.optimize import minimize

    capped = np.minimum(found.margin, MARGIN_CAP)
    target = found.right.astype(float)
    start = np.array([prior.slope, prior.margin_slope, prior.offset])

    def loss(p: np.ndarray) -> float:
        z = p[0] * found.score + p[1] * capped + p[2]
        misfit = (np.logaddexp(0, z) - target * z).sum()
        return float(misfit + PRIOR * ((p - start) ** 2).sum())

    bounds = [(0, None), (0, None), (None, None)]
    slope, margin_slope, offset = (float(x) for x in minimize(loss, start, bounds=bounds).x)
    return replace(prior, slope=slope, margin_slope=margin_slope, offset=offset)
