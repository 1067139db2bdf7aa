"""Correcting a ranker and its calibration from decisions."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from invoicer import Assistant, InvoiceLine
from models.calibration import wilson
from models.candidates import AT
from models.compiled import is_frozen
from models.correction import ROUNDS, correct, recalibrate
from models.examples import Examples
from models.labels import LabelledLine
from models.learned import load_learned, save_learned
from models.out_of_fold import OutOfFold
from models.ranking import Ranker
from models.signals import SHORTLIST, Signals
from models.training import Trainer

DAY = dt.date(2026, 7, 1)


@pytest.fixture(scope="module")
def examples(assistant: Assistant) -> Examples:
    """Frozen samples as decided lines: neither the index nor the shipped ranker knows them."""
    samples = [s for s in assistant.kb.lexicon.samples() if is_frozen(s)][:400]
    trainer = Trainer(assistant.kb, Signals(assistant.matcher.compiled), DAY)
    queries = [assistant.query(InvoiceLine(s.name, s.spec, s.unit)) for s in samples]
    labels = [LabelledLine(s.name, frozenset({s.code}), frozenset()) for s in samples]
    return trainer.labelled_examples(labels, queries)


@pytest.fixture(scope="module")
def corrected(examples: Examples) -> Ranker:
    return correct(load_learned().ranker, examples)


def right_share(ranker: Ranker, examples: Examples) -> float:
    scores = ranker.score(examples.values[:, [AT[name] for name in ranker.signals]])
    best = scores.reshape(-1, SHORTLIST).argmax(axis=1)
    return float(examples.right.reshape(-1, SHORTLIST)[np.arange(len(best)), best].mean())


def test_a_correction_fits_what_it_saw_better(examples: Examples, corrected: Ranker) -> None:
    shipped = load_learned().ranker
    assert right_share(corrected, examples) > right_share(shipped, examples)
    assert len(corrected.feature) == len(shipped.feature) + ROUNDS


def test_the_trees_there_were_are_kept(corrected: Ranker) -> None:
    shipped = load_learned().ranker
    n, width = shipped.value.shape
    assert (corrected.value[:n, :width] == shipped.value).all()
    assert corrected.baseline == shipped.baseline


def test_the_same_decisions_give_the_same_ranker(examples: Examples, corrected: Ranker) -> None:
    assert correct(load_learned().ranker, examples).to_json() == corrected.to_json()


def test_a_corrected_ranker_survives_being_saved(
    examples: Examples, corrected: Ranker, tmp_path: Path
) -> None:
    save_learned(tmp_path, corrected, load_learned().calibration, {})
    values = examples.values[:, [AT[name] for name in corrected.signals]]
    again = load_learned(tmp_path).ranker.score(values)
    assert (again == corrected.score(values)).all()


def found(n: int, share: float) -> OutOfFold:
    """Lines that all look alike, of which a share is right."""
    right = np.arange(n) < share * n
    return OutOfFold(np.full(n, 2.0), np.full(n, 2.0), right, np.arange(n))


def test_many_decisions_move_the_calibration_and_few_hardly_do() -> None:
    prior = load_learned().calibration
    before = float(prior.probability(2.0, 2.0))
    few = float(recalibrate(prior, found(5, 0.5)).probability(2.0, 2.0))
    many = float(recalibrate(prior, found(20_000, 0.5)).probability(2.0, 2.0))
    assert before > 0.8
    assert abs(few - before) < 0.02
    low, high = wilson(10_000, 20_000)
    assert low - 0.02 < many < high + 0.02


def test_what_counts_as_strong_is_never_learned() -> None:
    prior = load_learned().calibration
    moved = recalibrate(prior, found(5_000, 1.0))
    assert (moved.strong, moved.weak) == (prior.strong, prior.weak)
