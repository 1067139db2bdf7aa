"""Material, process and state words move a product; what is known by its whole name stays."""

from __future__ import annotations

import datetime as dt

import pytest

from models.candidates import AT

DAY = dt.date(2026, 11, 1)
CERAMIC_JARS, METAL_CONTAINERS = "1080122020000000000", "1080410000000000000"
PLASTIC_GOODS, GLASS_TABLEWARE = "1070601120000000000", "1080114010000000000"
PEANUTS, ROASTED_NUTS = "1010103010000000000", "1030111070000000000"
SCREWS, BONE_PLATES = "1080414010000000000", "1090247010000000000"
SILENCERS, VEHICLE_SILENCERS = "1090249040000000000", "1090310010800000000"
PLANKS, FOAM = "1050101010000000000", "1070601070000000000"


@pytest.fixture(scope="module")
def signal(assistant):
    """name, code, signal → its value for the code, None where it is not short-listed."""
    matcher = assistant.matcher
    codes = matcher.compiled.index.codes

    def of(name: str, code: str, signal: str) -> float | None:
        match = matcher.match([assistant.queries.query(name)], DAY)[0]
        ranks = [r for r, place in enumerate(match.places) if codes[place] == code]
        return float(match.signals[ranks[0], AT[signal]]) if ranks else None

    return of


@pytest.mark.parametrize(
    ("name", "left", "reached"),
    [
        ("茶叶罐 马口铁", CERAMIC_JARS, METAL_CONTAINERS),
        ("保鲜盒 玻璃", PLASTIC_GOODS, GLASS_TABLEWARE),
        ("铁皮茶叶罐", CERAMIC_JARS, METAL_CONTAINERS),
        ("珍珠棉 板材", PLANKS, FOAM),
        ("五香味花生", PEANUTS, ROASTED_NUTS),
        ("榴莲味花生", PEANUTS, ROASTED_NUTS),  # any taste
        ("骨科空心螺钉", SCREWS, BONE_PLATES),
        ("货车消声器", SILENCERS, VEHICLE_SILENCERS),
    ],
)
def test_a_word_beside_or_before_the_product_moves_it(signal, name, left, reached) -> None:
    assert signal(name, reached, "moved") > 0
    assert (signal(name, left, "moved") or -1.0) < 0


def test_a_material_beside_a_known_name_takes_the_name_along(signal) -> None:
    alone = signal("保鲜盒", PLASTIC_GOODS, "core_exact")
    assert signal("保鲜盒 玻璃", PLASTIC_GOODS, "core_exact") < alone
    assert signal("保鲜盒 玻璃", GLASS_TABLEWARE, "core_exact") > 0.5


def test_a_name_known_whole_is_not_moved(signal) -> None:
    assert signal("玻璃杯", GLASS_TABLEWARE, "core_exact") > 0.5


def test_the_fruit_of_a_flavour_moves_nothing(signal, assistant) -> None:
    reading = assistant.queries.query("柚子味鱼排").reading
    found = assistant.matcher.compiled.transformations.found(reading)
    assert {word for word, _ in found} <= {"柚子味"}  # a taste moves nuts and seeds, no fish
    assert not signal("柚子味鱼排", ROASTED_NUTS, "moved")
