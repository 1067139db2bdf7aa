"""Signals: what the specification column adds to the name."""

from __future__ import annotations

import datetime as dt

import pytest

from models.candidates import AT

DAY = dt.date(2026, 11, 1)


@pytest.fixture(scope="module")
def best(assistant):
    """name, specification, signal → (short name of the strongest candidate, its value)."""
    matcher, kb = assistant.matcher, assistant.kb

    def of(name: str, spec: str, signal: str) -> tuple[str, float]:
        match = matcher.match([assistant.queries.query(name, spec=spec)], DAY)[0]
        column = match.signals[:, AT[signal]]
        place = match.places[int(column.argmax())]
        code = matcher.compiled.index.codes[place]
        return kb.taxonomy[code].short_name, float(column.max())

    return of


def test_a_product_named_in_the_specification_is_heard(best) -> None:
    short_name, value = best("绘画 专用笔", "2B;铅笔", "specified")
    assert (short_name, value > 0) == ("文具", True)


@pytest.mark.parametrize("spec", ["", "240ml", "彩色纸盒包装", "塑料袋装 500g", "84"])
def test_packing_and_numbers_in_the_specification_name_nothing(best, spec: str) -> None:
    assert best("香辣酱", spec, "specified")[1] == 0.0


def test_a_very_long_specification_is_read_in_part(assistant) -> None:
    long = "圆珠笔" * 100_000
    query = assistant.queries.query("香辣酱", spec=long, manufacturer=long)
    assert (len(query.spec), len(query.maker)) == (200, 200)


def test_strength_and_volume_in_the_specification_speak_for_liquor(best) -> None:
    assert best("贵州特醇（珍品）", "52% 500ml", "quantity")[0] == "酒"


def test_quantities_in_the_name_are_heard_too(best) -> None:
    assert best("特醇 52度 500ml", "", "quantity")[0] == "酒"
