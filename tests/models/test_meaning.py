"""Neighbours in meaning: roughly for every code, closely for the near ones."""

from __future__ import annotations

import numpy as np
import pytest

from invoicer import Assistant
from models import features
from models.meaning import Meaning, embed
from models.signals import WIDE

NAMES = ["弹簧床垫", "柚子味鱼排", "停车费", "qq", "单芯铜线"]


@pytest.fixture(scope="module")
def meaning(assistant: Assistant) -> Meaning:
    return assistant.matcher.compiled.meaning


@pytest.fixture(scope="module")
def raw(assistant: Assistant) -> features.Rows:
    return features.rows([assistant.queries.query(name).reading for name in NAMES])


def test_close_is_the_cosine_with_the_nearest_of_a_codes_own_centres(meaning, raw) -> None:
    lines = embed(raw, meaning.buckets, meaning.vectors, meaning.scale)
    codes = np.array([[0, 7, len(meaning.start) - 2]] * len(NAMES))
    found = meaning.closely(meaning.embedded(raw), codes)
    for line, own, values in zip(lines, codes, found, strict=True):
        for code, value in zip(own, values, strict=True):
            centres = meaning.centres[meaning.start[code] : meaning.start[code + 1]]
            assert value == pytest.approx(float((centres @ line).max()), abs=2e-3)


def test_a_line_alone_has_the_values_it_has_among_others(meaning, raw) -> None:
    together, codes = meaning.embedded(raw), np.arange(40)[None]
    for n in range(len(NAMES)):
        alone = together[n : n + 1]
        assert (meaning.roughly(alone) == meaning.roughly(together)[n]).all()
        many = meaning.closely(together, codes.repeat(len(NAMES), axis=0))
        assert (meaning.closely(alone, codes) == many[n]).all()


def test_what_is_like_a_code_is_like_it_roughly_too(meaning, raw) -> None:
    lines = meaning.embedded(raw)[:3]
    rough = meaning.roughly(lines)
    close = meaning.closely(lines, np.arange(rough.shape[1])[None].repeat(3, axis=0))
    for line in range(3):
        near = set(np.argsort(-rough[line])[:WIDE].tolist())
        assert int(close[line].argmax()) in near
