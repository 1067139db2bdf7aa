"""The gate: what is worse does not serve."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invoicer import Assistant, InvoiceLine
from invoicer.learning.gate import FROZEN_SET, Labelled, examine, frozen_lines
from models.tokenizer import available_engine


@pytest.fixture(scope="module")
def frozen(assistant: Assistant) -> Labelled:
    return frozen_lines(assistant, without=())[:400]


@pytest.fixture(scope="module")
def recent(frozen: Labelled) -> list[InvoiceLine]:
    return [line for line, _ in frozen[:100]]


def other(assistant: Assistant, **changed: object) -> Assistant:
    """The same knowledge with another learned part."""
    learned = replace(assistant.learned, **changed)
    compiled = assistant.matcher.compiled
    return Assistant.assemble(assistant.kb, compiled, learned, available_engine())


def test_an_equal_model_may_serve(assistant: Assistant, frozen, recent) -> None:
    verdict = examine(assistant, other(assistant), {FROZEN_SET: frozen}, recent)
    assert verdict.accepted
    assert {one.lost for one in verdict.compared} == {0}
    assert verdict.drift["changed"] == 0


def test_a_worse_ranker_is_refused_and_the_figures_say_why(
    assistant: Assistant, frozen, recent
) -> None:
    ranker = assistant.learned.ranker
    worse = other(assistant, ranker=replace(ranker, value=ranker.value * -0.1))
    verdict = examine(assistant, worse, {FROZEN_SET: frozen}, recent)
    assert not verdict.accepted
    assert f"{FROZEN_SET}(400 行)的简称@1由" in verdict.text
    assert verdict.drift["changed"] > 0.2


def test_a_reckless_calibration_is_refused_for_its_strong_mistakes(
    assistant: Assistant, frozen, recent
) -> None:
    calibration = replace(assistant.learned.calibration, strong=0.3, weak=0.1)
    verdict = examine(
        assistant, other(assistant, calibration=calibration), {FROZEN_SET: frozen}, recent
    )
    assert not verdict.accepted
    assert "强档无误" in verdict.text
    assert "简称@1" not in verdict.text


def test_a_model_that_doubts_everything_is_refused_for_its_drift(
    assistant: Assistant, frozen, recent
) -> None:
    calibration = replace(assistant.learned.calibration, strong=1.1)
    verdict = examine(
        assistant, other(assistant, calibration=calibration), {FROZEN_SET: frozen}, recent
    )
    assert verdict.text.startswith("近期商品的档位分布变化")
    assert "strong" not in verdict.drift["tiers"]["after"]


def test_sets_without_lines_say_nothing(assistant: Assistant) -> None:
    verdict = examine(assistant, other(assistant), {FROZEN_SET: []}, [])
    assert (verdict.accepted, verdict.compared) == (True, [])


def test_frozen_lines_that_people_decided_about_are_left_out(assistant: Assistant) -> None:
    every = frozen_lines(assistant, without=())
    names = {line.name for line, _ in every[:10]}
    left = frozen_lines(assistant, without=names)
    assert {line.name for line, _ in left} == {line.name for line, _ in every} - names
