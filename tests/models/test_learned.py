"""The learned part as shipped, and as written by training."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.candidates import NAMES
from models.learned import SHIPPED, load_learned, save_learned


@pytest.fixture(scope="module")
def shipped():
    return load_learned()


def test_the_ranker_takes_signals_that_exist(shipped) -> None:
    assert set(shipped.ranker.signals) <= set(NAMES)


def test_the_ranker_splits_on_its_own_signals_only(shipped) -> None:
    assert int(shipped.ranker.feature.max()) < len(shipped.ranker.signals)


def test_the_card_names_data_seed_and_engine(shipped) -> None:
    assert {"date", "engine", "kb_version", "seed", "labelled_sets", "strong"} <= set(shipped.card)
    assert all(len(s["sha256"]) == 64 for s in shipped.card["labelled_sets"].values())


def test_the_card_prints_the_precision_of_strong_with_its_interval(shipped) -> None:
    strong = shipped.card["strong"]
    low, high = strong["wilson_95"]
    assert strong["threshold"] == shipped.calibration.strong
    assert low < strong["precision"] < high
    assert strong["precision"] >= 0.98


def test_the_learned_part_is_small() -> None:
    assert sum(p.stat().st_size for p in SHIPPED.iterdir()) < 1_500_000


def test_what_is_saved_is_loaded_again(shipped, tmp_path: Path) -> None:
    save_learned(tmp_path, shipped.ranker, shipped.calibration, shipped.card)
    again = load_learned(tmp_path)
    values = np.random.default_rng(0).normal(size=(200, len(shipped.ranker.signals)))
    assert again.calibration == shipped.calibration
    assert again.card == shipped.card
    assert again.ranker.score(values) == pytest.approx(shipped.ranker.score(values), abs=1e-3)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "calibration.json", "card.json", "ranker.json",
    ]  # fmt: skip


def test_the_version_follows_what_decides_and_not_the_card(shipped, tmp_path: Path) -> None:
    save_learned(tmp_path, shipped.ranker, shipped.calibration, {"note": "another card"})
    same = load_learned(tmp_path).version
    stricter = replace(shipped.calibration, strong=0.999)
    save_learned(tmp_path, shipped.ranker, stricter, {"note": "another card"})
    assert same == shipped.version
    assert load_learned(tmp_path).version != same


def test_nothing_shipped_is_a_line_of_a_labelled_set() -> None:
    text = "".join(p.read_text(encoding="utf-8") for p in SHIPPED.glob("*.json"))
    card = json.loads((SHIPPED / "card.json").read_text(encoding="utf-8"))
    assert "柚子味" not in text
    assert set(card) & {"lines", "rows", "names"} == set()
