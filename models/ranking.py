"""The learned ranker: one score a candidate from all its signals.

A small ensemble of decision trees (fitted by scikit-learn, see `fitting.py`), kept as JSON and
evaluated here with numpy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True)
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

    @cached_property
    def _tests(self) -> _Tests:
        return _Tests.of(self)

    def score(self, values: np.ndarray) -> np.ndarray:
        """Log-odds that each candidate is right; values: (n_pairs, n_signals) → (n_pairs,)."""
        total: np.ndarray = self._tests.total(values) + self.baseline
        return total

    def over(self, names: Sequence[str]) -> Ranker:
        """The same trees for columns of these names; raises ValueError where one is missing."""
        column = np.array([names.index(name) for name in self.signals])
        return replace(self, signals=tuple(names), feature=column[self.feature])

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
            out: np.ndarray = np.zeros((len(trees), width), dtype)
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


# Pairs scored at once, and pairs × tests: the working arrays stay in the processor's cache, and a
# single line needs few calls.
BLOCK, WORK = 192, 384


@dataclass(frozen=True, slots=True)
class _Tests:
    """The same trees as bit masks (QuickScorer): a test that fails strikes out the leaves of its
    left branch, and the first leaf left over is the one the walk would reach.

    feature, threshold, struck: (n_tests, n_trees), struck as bits of leaves;
    value: leaf values, flat; base: (n_trees, 1) place of each tree's first leaf in it;
    lowest: place of the lowest unset bit of a mask.
    """

    feature: np.ndarray
    threshold: np.ndarray
    struck: np.ndarray
    value: np.ndarray
    base: np.ndarray
    lowest: np.ndarray

    @classmethod
    def of(cls, ranker: Ranker) -> _Tests:
        n_trees = ranker.feature.shape[0]
        found = [_tests_of(ranker, t) for t in range(n_trees)]
        n_tests = max(max(len(tests) for tests, _ in found), 1)
        n_leaves = max(len(leaves) for _, leaves in found)
        if n_leaves > 16:
            raise ValueError("a tree of the ranker has more than 16 leaves")
        feature = np.zeros((n_tests, n_trees), np.intp)
        threshold = np.full((n_tests, n_trees), np.inf, np.float32)
        struck = np.zeros((n_tests, n_trees), np.uint16)
        value = np.zeros((n_trees, n_leaves), np.float32)
        for t, (tests, leaves) in enumerate(found):
            value[t, : len(leaves)] = leaves
            for k, (column, limit, mask) in enumerate(tests):
                feature[k, t], threshold[k, t], struck[k, t] = column, limit, mask
        masks = ~np.arange(1 << n_leaves)
        lowest = np.zeros(1 << n_leaves, np.uint8)
        lowest[:-1] = np.log2((masks & -masks)[:-1]).astype(np.uint8)
        base = (np.arange(n_trees, dtype=np.int32) * n_leaves)[:, None]
        return cls(feature, threshold, struck, value.ravel(), base, lowest)

    def total(self, values: np.ndarray) -> np.ndarray:
        """Sum of the reached leaves, (n_pairs,) float64."""
        out = np.empty(len(values))
        threshold, mask = self.threshold[:, :, None], self.struck[:, :, None]
        for start in range(0, len(values), BLOCK):
            columns = np.ascontiguousarray(values[start : start + BLOCK].T, np.float32)
            struck = np.zeros((self.feature.shape[1], columns.shape[1]), np.uint16)
            step = max(WORK // columns.shape[1], 1)
            for k in range(0, len(self.feature), step):
                part = slice(k, k + step)
                fails = columns.take(self.feature[part], axis=0) > threshold[part]
                struck |= np.bitwise_or.reduce(fails * mask[part], axis=0)
            leaf = self.lowest.take(struck) + self.base
            out[start : start + BLOCK] = self.value.take(leaf).sum(axis=0, dtype=np.float64)
        return out


def _tests_of(ranker: Ranker, tree: int) -> tuple[list[tuple[int, float, int]], list[float]]:
    """(column, limit, mask of the left branch's leaves) of each inner node; leaf values, left
    to right."""
    left, right = ranker.left[tree], ranker.right[tree]
    tests: list[tuple[int, float, int]] = []
    leaves: list[float] = []

    def walk(node: int) -> int:
        if left[node] == node:
            leaves.append(float(ranker.value[tree, node]))
            return 1 << (len(leaves) - 1)
        mask = walk(int(left[node]))
        tests.append((int(ranker.feature[tree, node]), float(ranker.threshold[tree, node]), mask))
        return mask | walk(int(right[node]))

    walk(0)
    return tests, leaves
