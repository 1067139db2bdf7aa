"""The `[semantic]` extra: off by default, a clear line where it is missing."""

from __future__ import annotations

import numpy as np
import pytest

from invoicer.assistant import Assistant
from invoicer.errors import UnavailableError
from invoicer.settings import Settings
from models.semantic import SemanticRanker, is_available


def test_it_is_off_unless_asked_for() -> None:
    assert Settings().semantic is False


@pytest.mark.skipif(is_available(), reason="the extra is installed")
def test_without_the_extra_the_cure_is_named() -> None:
    with pytest.raises(UnavailableError, match=r"pip install 'invoicer\[semantic\]'"):
        Assistant.load(Settings(semantic=True))


@pytest.mark.skipif(not is_available(), reason="the extra is not installed")
def test_the_most_alike_candidate_gains_on_the_others() -> None:
    scores = np.array([1.0, 1.0, 1.0, 0.0])
    changed = SemanticRanker().rescore("菠萝蜜干", ["菠萝蜜", "轴承", "", "停车费"], scores)
    assert changed[0] == pytest.approx(1.0)
    assert changed[1] < changed[0] and changed[2] < changed[0]
