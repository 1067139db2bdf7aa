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


def test_a_name_with_its_numbers_is_heard_before_the_name_without_them(best) -> None:
    assert best("32140电池", "", "exact")[0] == "蓄电池"
    assert best("电池", "", "exact")[0] != "蓄电池"


def test_strength_and_volume_in_the_specification_speak_for_liquor(best) -> None:
    assert best("贵州特醇（珍品）", "52% 500ml", "quantity")[0] == "酒"


def test_quantities_in_the_name_are_heard_too(best) -> None:
    assert best("特醇 52度 500ml", "", "quantity")[0] == "酒"


def test_an_unknown_make_that_ends_in_a_known_name_says_what_is_sold(assistant) -> None:
    query = assistant.queries.query("118E", brand="某某雨伞")
    match = assistant.matcher.match([query], DAY)[0]
    column = match.signals[:, AT["brand"]]
    code = assistant.matcher.compiled.index.codes[match.places[int(column.argmax())]]
    assert (assistant.kb.taxonomy[code].short_name, column.max() > 0) == ("日用杂品", True)


def test_a_known_brand_is_not_read_word_by_word(assistant) -> None:
    query = assistant.queries.query("精选", brand="金龙鱼")
    match = assistant.matcher.match([query], DAY)[0]
    spoken_for = zip(match.places, match.signals[:, AT["brand"]], strict=True)
    codes = assistant.matcher.compiled.index.codes
    names = {assistant.kb.taxonomy[codes[place]].name for place, value in spoken_for if value > 0}
    assert "大米" in names and not names & {"淡水鱼", "海水鱼"}
