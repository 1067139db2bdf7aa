"""Bundles on disk: the same answers again, and nothing damaged is ever used."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from invoicer import Assistant, InvoiceLine
from models.bundle import BundleError, bundle_key, load, load_or_compile, save
from models.compiled import Compiled
from models.matcher import Matcher
from models.tokenizer import available_engine

ENGINE = available_engine()
DAY = dt.date(2026, 7, 1)
NAMES = ["柚子味鱼排", "停车费", "苹果手机 256G", "*餐饮服务*餐费", "18-8不锈钢架", "芹菜"]


@pytest.fixture(scope="module")
def saved(assistant: Assistant, compiled: Compiled, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "bundle"
    save(compiled, path, ENGINE, assistant.kb_version)
    return path


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    """The bundle again, its files linked: a test replaces what it changes."""
    path = tmp_path / "bundle"
    shutil.copytree(saved, path, copy_function=os.link)
    return path


def rewrite(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def refused(path: Path, kb_version: str, engine: str = ENGINE) -> str:
    with pytest.raises(BundleError) as caught:
        load(path, engine, kb_version)
    message = str(caught.value)
    assert "\n" not in message
    assert f"请删除目录 {path} 后重试" in message
    return message


def test_a_bundle_gives_the_same_answers_again(assistant: Assistant, saved: Path) -> None:
    again = Matcher(
        load(saved, ENGINE, assistant.kb_version),
        assistant.learned.ranker,
        assistant.learned.calibration,
    )
    queries = [assistant.query(InvoiceLine(name)) for name in NAMES]
    for one, other in zip(
        assistant.matcher.match(queries, DAY), again.match(queries, DAY), strict=True
    ):
        assert one.places == other.places
        assert one.probability == other.probability


def test_a_bundle_reads_names_the_same_again(assistant, reader, saved: Path) -> None:
    again = load(saved, ENGINE, assistant.kb_version).words.reader(ENGINE)
    for name in NAMES:
        assert again.read(name) == reader.read(name)


def test_arrays_cannot_be_changed(assistant: Assistant, saved: Path) -> None:
    bundle = load(saved, ENGINE, assistant.kb_version)
    with pytest.raises(ValueError, match="read-only"):
        bundle.index.term_code[0] = 1


def test_a_bundle_is_arrays_and_json(saved: Path) -> None:
    assert {p.suffix for p in saved.iterdir()} == {".npy", ".json"}
    for path in saved.glob("*.npy"):
        assert np.load(path, mmap_mode="r", allow_pickle=False).dtype != object


def test_the_manifest_names_every_file_with_its_hash(saved: Path) -> None:
    manifest = json.loads((saved / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == {p.name for p in saved.iterdir()} - {"manifest.json"}
    assert {len(digest) for digest in manifest["files"].values()} == {64}


@pytest.mark.parametrize("name", ["postings.data.npy", "term_code.npy", "terms.json"])
def test_a_flipped_byte_is_refused_by_name(assistant, copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    rewrite(copy / name, bytes(content))
    message = refused(copy, assistant.kb_version)
    assert name in message and "已损坏" in message


@pytest.mark.parametrize("name", ["postings.data.npy", "words.json"])
def test_a_cut_off_file_is_refused(assistant, copy: Path, name: str) -> None:
    rewrite(copy / name, (copy / name).read_bytes()[:-100])
    assert "已损坏" in refused(copy, assistant.kb_version)


@pytest.mark.parametrize("name", ["idf.npy", "lookups.json", "manifest.json"])
def test_a_missing_file_is_refused_by_name(assistant, copy: Path, name: str) -> None:
    (copy / name).unlink()
    assert name in refused(copy, assistant.kb_version)


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"[]", b"\xff\xfe", b"null"])
def test_a_damaged_manifest_is_refused(assistant, copy: Path, content: bytes) -> None:
    rewrite(copy / "manifest.json", content)
    assert "模型包" in refused(copy, assistant.kb_version)


def test_the_bundle_of_another_engine_is_refused(assistant, saved: Path) -> None:
    message = refused(saved, assistant.kb_version, engine="jieba")
    assert "'rjieba'" in message and "'jieba'" in message


def test_the_bundle_of_another_knowledge_base_is_refused(assistant, saved: Path) -> None:
    message = refused(saved, "000000000000")
    assert assistant.kb_version in message and "'000000000000'" in message


def test_another_engine_has_another_bundle(kb) -> None:
    assert bundle_key(kb, "rjieba") != bundle_key(kb, "jieba")


def test_a_compiled_bundle_is_used_and_not_compiled_again(
    assistant: Assistant, kb, saved: Path, tmp_path: Path
) -> None:
    place = tmp_path / f"{ENGINE}-{bundle_key(kb, ENGINE)}"
    shutil.copytree(saved, place, copy_function=os.link)
    stages: list[str] = []
    found = load_or_compile(kb, ENGINE, tmp_path, lambda stage, done, total: stages.append(stage))
    assert stages == []
    assert found.index.codes == assistant.matcher.compiled.index.codes


def test_a_failed_save_leaves_the_old_bundle(compiled: Compiled, copy: Path) -> None:
    before = {p.name: p.read_bytes() for p in copy.glob("*.json")}
    with pytest.raises(TypeError):
        save(compiled, copy, ENGINE, object())  # type: ignore[arg-type]
    assert {p.name: p.read_bytes() for p in copy.glob("*.json")} == before
    assert [p.name for p in copy.parent.iterdir()] == ["bundle"]
