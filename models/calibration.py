"""From scores to an honest probability, and from probability to tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Calibration:
    """P(简称 right) = sigmoid(slope · score + margin_slope · margin + offset).

    score: log-odds of the best candidate, in units the ranker gives; margin: its lead over the
    best candidate of another 简称. Both slopes are ≥ 0, so the map is monotone.
    strong, weak: thresholds on the probability.
    """

    slope: float
    margin_slope: float
    offset: float
    strong: float
    weak: float

    def probability(self, score: np.ndarray | float, margin: np.ndarray | float) -> np.ndarray:
        """Elementwise probability in (0, 1)."""
        z = self.slope * score + self.margin_slope * np.minimum(margin, MARGIN_CAP) + self.offset
        result: np.ndarray = 1.0 / (1.0 + np.exp(-z))
        return result

    def to_json(self) -> dict[str, Any]:
        return {
            "slope": self.slope,
            "margin_slope": self.margin_slope,
            "offset": self.offset,
            "strong": self.strong,
            "weak": self.weak,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Calibration:
        return cls(**{key: float(data[key]) for key in cls.__dataclass_fields__})


MARGIN_CAP = 6.0


def wilson(right: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson 95 % interval of a share; (0, 1) where nothing was counted."""
    if not total:
        return 0.0, 1.0
    share = right / total
    centre = share + z * z / (2 * total)
    spread = z * np.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return float((centre - spread) / scale), float((centre + spread) / scale)


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """ECE: mean gap between confidence and accuracy over equal-width bins, by their size."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for b in range(bins):
        inside = place == b
        if inside.any():
            error += abs(confidence[inside].mean() - right[inside].mean()) * inside.mean()
    return float(error)
