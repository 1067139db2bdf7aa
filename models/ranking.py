"""The learned ranker: one score a candidate from all its signals.

A small ensemble of decision trees (fitted by scikit-learn, see `training.py`), kept as JSON and
evaluated here with numpy alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Ranker:
    """Trees in flat arrays, each (n_trees, n_nodes): a leaf points at itself.

    signals: names of the columns that `score` takes; baseline: score of a candidate before any
    tree; depth: longest path.
    """

    signals: tuple[str, ...]
    baseline: float
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    depth: int

    def score(self, values: np.ndarray) -> np.ndarray:
        """Log-odds that each candidate is right; values: (n_pairs, n_signals) → (n_pairs,)."""
        n_trees, n_nodes = self.feature.shape
        roots = (np.arange(n_trees, dtype=np.int32) * n_nodes)[None, :]
        feature, threshold = self.feature.ravel(), self.threshold.ravel()
        left = (self.left + roots.T).ravel()
        right = (self.right + roots.T).ravel()
        n_pairs, n_signals = values.shape
        flat = np.ascontiguousarray(values, np.float32).ravel()
        base = (np.arange(n_pairs, dtype=np.int32) * n_signals)[:, None]
        node = np.repeat(roots, n_pairs, axis=0)
        for _ in range(self.depth):
            goes_left = flat[base + feature[node]] <= threshold[node]
            node = np.where(goes_left, left[node], right[node])
        total: np.ndarray = self.value.ravel()[node].sum(axis=1) + self.baseline
        return total

    def to_json(self) -> dict[str, Any]:
        """Trees without padding: per tree lists of feature, threshold, left, right, value."""
        return {
            "signals": list(self.signals),
            "baseline": self.baseline,
            "depth": self.depth,
            "trees": [
                {
                    "feature": self.feature[t, :n].tolist(),
                    "threshold": [float(f"{x:.6g}") for x in self.threshold[t, :n]],
                    "left": self.left[t, :n].tolist(),
                    "right": self.right[t, :n].tolist(),
                    "value": [float(f"{x:.6g}") for x in self.value[t, :n]],
                }
                for t in range(self.feature.shape[0])
                for n in [int(max(self.left[t].max(), self.right[t].max())) + 1]
            ],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Ranker:
        trees = data["trees"]
        width = max(len(tree["feature"]) for tree in trees)

        def table(key: str, dtype: type) -> np.ndarray:
            out = np.zeros((len(trees), width), dtype)
            for row, tree in zip(out, trees, strict=True):
                row[: len(tree[key])] = tree[key]
            return out

        return cls(
            signals=tuple(data["signals"]),
            baseline=float(data["baseline"]),
            feature=table("feature", np.int32),
            threshold=table("threshold", np.float32),
            left=table("left", np.int32),
            right=table("right", np.int32),
            value=table("value", np.float32),
            depth=int(data["depth"]),
        )
