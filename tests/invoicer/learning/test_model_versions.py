"""Models side by side: kept whole, switched in one step, gone back from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from invoicer import Assistant
from invoicer.errors import InputError, UnavailableError
from invoicer.learning.versions import SHIPPED_ID, ModelStore
from invoicer.settings import Settings
from knowledge_base.supplement import FILE, write_supplement
from models.learned import load_learned, save_learned


@pytest.fixture
def models(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def add(models: ModelStore, strong: float, accepted: bool = True) -> str:
    """A version that differs from the shipped model by its threshold."""
    shipped = load_learned()

    def fill(folder: Path) -> None:
        write_supplement(folder / FILE, [])
        card = {"made_at": f"2026-{strong:.2f}",
                "learning": {"accepted": accepted, "verdict": "编码@1 下降"}}  # fmt: skip
        save_learned(folder, shipped.ranker, replace(shipped.calibration, strong=strong), card)

    return models.add(fill)


def test_the_shipped_model_serves_until_something_was_learned(models: ModelStore) -> None:
    assert models.current() == SHIPPED_ID
    assert models.load(SHIPPED_ID).version == load_learned().version
    assert [one.version for one in models.versions()] == [SHIPPED_ID]


def test_a_version_is_named_by_what_decides(models: ModelStore) -> None:
    version = add(models, 0.91)
    assert models.load(version).version == version
    assert add(models, 0.91) == version
    assert add(models, 0.92) != version
    assert models.current() == SHIPPED_ID  # adding is not switching


def test_rollback_retraces_the_steps(models: ModelStore) -> None:
    first, second = add(models, 0.91), add(models, 0.92)
    for version in (first, second, first):
        models.switch(version)
    assert models.rollback() == second
    assert models.rollback() == first
    assert models.rollback() == SHIPPED_ID
    with pytest.raises(InputError, match="最早"):
        models.rollback()


def test_switching_to_what_serves_is_no_step(models: ModelStore) -> None:
    version = add(models, 0.91)
    models.switch(version)
    models.switch(version)
    assert models.rollback() == SHIPPED_ID


def test_a_refused_version_serves_only_where_that_is_insisted_on(models: ModelStore) -> None:
    version = add(models, 0.91, accepted=False)
    with pytest.raises(InputError, match="编码@1 下降"):
        models.switch(version)
    models.switch(version, force=True)
    assert models.current() == version


@pytest.mark.parametrize("version", ["abcdef12", "../../etc", ".training.lock", ""])
def test_only_versions_that_are_there_can_be_used(models: ModelStore, version: str) -> None:
    add(models, 0.91)
    with pytest.raises(InputError, match="没有模型版本"):
        models.switch(version)


def test_a_failed_addition_leaves_nothing(models: ModelStore) -> None:
    def fill(folder: Path) -> None:
        (folder / FILE).write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        models.add(fill)
    assert list(models.path.iterdir()) == []


@pytest.mark.parametrize("damage", ["missing", "cut short", "other signals"])
def test_a_version_that_cannot_be_used_says_how_to_go_on(models: ModelStore, damage: str) -> None:
    version = add(models, 0.91)
    ranker = models.path / version / "ranker.json"
    data = json.loads(ranker.read_text())
    if damage == "missing":
        ranker.unlink()
    elif damage == "cut short":
        ranker.write_text(json.dumps(data)[:500])
    else:
        ranker.write_text(json.dumps({**data, "signals": ["gone", *data["signals"][1:]]}))
    with pytest.raises(UnavailableError, match="switch shipped"):
        models.load(version)


def test_the_assistant_serves_the_current_version(assistant: Assistant, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.bundles_dir.symlink_to(Settings().bundles_dir.absolute())
    models = ModelStore(settings.models_dir)
    before, version = settings.in_use(), add(models, 0.999)
    models.switch(version)
    assert settings.in_use() != before
    learned = Assistant.load(settings)
    assert learned.model_version == version
    assert learned.kb_version == assistant.kb_version
    assert learned.matcher.calibration.strong == 0.999
