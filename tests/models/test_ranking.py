"""The ranker: scikit-learn's trees, evaluated by numpy and kept as JSON."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from models.candidates import NAMES
from models.examples import Examples
from models.fitting import TREES
from models.ranking import Ranker
from models.signals import SHORTLIST, Signals
from models.training import Trainer


@pytest.fixture(scope="module")
def data() -> Examples:
    chance = np.random.default_rng(5)
    n = 120 * SHORTLIST
    values = chance.normal(size=(n, len(NAMES))).astype(np.float32)
    right = values[:, 0] - values[:, 1] * values[:, 2] + chance.normal(size=n) > 0.5
    weight = chance.uniform(0.5, 2.0, n)
    return Examples(values, right, right, weight, np.zeros(n, np.int32))


@pytest.fixture(scope="module")
def fitted(kb, compiled, data: Examples) -> Ranker:
    return Trainer(kb, Signals(compiled), dt.date(2026, 7, 1), seed=0).fit_ranker(data)


@pytest.fixture(scope="module")
def unseen() -> np.ndarray:
    values = np.random.default_rng(6).normal(size=(2000, len(NAMES)))
    return values.astype(np.float32)


def test_numpy_scores_are_those_of_scikit_learn(fitted, data, unseen) -> None:
    model = HistGradientBoostingClassifier(random_state=0, **TREES)
    model.fit(data.values, data.right, sample_weight=data.weight)
    assert fitted.score(unseen) == pytest.approx(model.decision_function(unseen), abs=1e-4)


def test_a_ranker_survives_json(fitted: Ranker, unseen: np.ndarray) -> None:
    again = Ranker.from_json(json.loads(json.dumps(fitted.to_json())))
    assert again.signals == fitted.signals
    assert again.score(unseen) == pytest.approx(fitted.score(unseen), abs=1e-3)


def test_writing_what_was_read_gives_the_same_json(fitted: Ranker) -> None:
    once = Ranker.from_json(fitted.to_json()).to_json()
    assert Ranker.from_json(once).to_json() == once


def test_fitting_again_with_the_same_seed_gives_the_same_trees(kb, compiled, data, fitted) -> None:
    again = Trainer(kb, Signals(compiled), dt.date(2026, 7, 1), seed=0).fit_ranker(data)
    assert again.to_json() == fitted.to_json()


def test_a_score_does_not_depend_on_the_other_rows(fitted: Ranker, unseen: np.ndarray) -> None:
    alone = [float(fitted.score(row[None, :])[0]) for row in unseen[:20]]
    assert alone == fitted.score(unseen[:20]).tolist()


def test_one_stump_scores_by_hand() -> None:
    stump = Ranker.from_json(
        {
            "signals": ["exact"],
            "baseline": -1.0,
            "depth": 1,
            "trees": [
                {
                    "feature": [0, 0, 0],
                    "threshold": [0.5, 0.0, 0.0],
                    "left": [1, 1, 2],
                    "right": [2, 1, 2],
                    "value": [0.0, -2.0, 3.0],
                }
            ],
        }
    )
    assert stump.score(np.array([[0.0], [0.5], [1.0]])).tolist() == [-3.0, -3.0, 2.0]
