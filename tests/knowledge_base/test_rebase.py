"""Own imports and edits laid on the tables of a newer program."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from invoicer.desk.rules import word_rules
from knowledge_base import KnowledgeBase, tables
from knowledge_base.official.manifest import VersionInfo
from knowledge_base.official.versions import VersionStore
from knowledge_base.word_checks import WordRules
from knowledge_base.word_tables import Action, Edit, Row, WordTable, read_rows, write_rows

FISH, SNACK = "1030109050000000000", "1030299000000000000"
NOTE = VersionInfo("", dt.date.min, (), reason="行业叫法", proposed_by="anna", accepted_by="eva")
OWN = {"code": FISH, "term": "蓝鲸小脆条"}


def rules(kb: KnowledgeBase) -> WordRules:
    return word_rules(kb, dt.date(2026, 11, 27))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The tables of a program, which a newer one replaces."""
    root = tmp_path / "shipped"
    shutil.copytree(tables.DATA, root)
    return root


@pytest.fixture
def store(tmp_path: Path, base: Path) -> VersionStore:
    return VersionStore(tmp_path / "kb", base)


def add(table: WordTable, row: Row) -> Edit:
    return Edit(table, Action.ADD, row)


def change(table: WordTable, old: Row, **new: str) -> list[Edit]:
    return [Edit(table, Action.REMOVE, old), add(table, {**old, **new})]


def ship(base: Path, table: WordTable, gone: Row | None = None, come: Row | None = None) -> None:
    """A newer program: a row of its tables goes, another comes."""
    rows = [row for row in read_rows(base, table) if row != gone]
    write_rows(base, table, [*rows, come] if come else rows)


def names(root: Path) -> set[tuple[str, str]]:
    return {(row["code"], row["term"]) for row in read_rows(root, WordTable.EVERYDAY_NAMES)}


def test_an_edited_version_is_outdated_once_the_program_ships_other_tables(
    store: VersionStore, base: Path
) -> None:
    assert not store.is_outdated()
    first = store.edit([add(WordTable.EVERYDAY_NAMES, OWN)], "builtin", NOTE).id
    store.edit([add(WordTable.EVERYDAY_NAMES, {**OWN, "term": "蓝鲸大脆条"})], first, NOTE)
    assert not store.is_outdated()
    ship(base, WordTable.EVERYDAY_NAMES, come={"code": SNACK, "term": "云朵脆脆乐"})
    assert store.is_outdated() and store.is_outdated(first)
    assert not store.is_outdated("builtin")
    store.rollback("builtin")
    assert not store.is_outdated()


def test_own_words_and_newly_shipped_ones_stand_side_by_side_after_a_rebase(
    store: VersionStore, base: Path
) -> None:
    first = store.edit([add(WordTable.EVERYDAY_NAMES, OWN)], "builtin", NOTE).id
    ship(base, WordTable.EVERYDAY_NAMES, come={"code": SNACK, "term": "云朵脆脆乐"})
    info = store.rebase(rules)
    assert info is not None and info.is_current and info.is_rebase
    assert {(FISH, "蓝鲸小脆条"), (SNACK, "云朵脆脆乐")} <= names(store.current_root())
    assert not store.is_outdated() and store.left_out(info.id) == ()
    assert [one.id for one in store.lineage(info.id)] == ["builtin", first, info.id]
    assert store.rebase(rules) is None
    assert store.rollback().id == first


def test_a_version_edited_after_a_rebase_is_laid_anew_with_all_that_came_before(
    store: VersionStore, base: Path
) -> None:
    store.edit([add(WordTable.EVERYDAY_NAMES, OWN)], "builtin", NOTE)
    ship(base, WordTable.EVERYDAY_NAMES, come={"code": SNACK, "term": "云朵脆脆乐"})
    rebased = store.rebase(rules)
    assert rebased is not None
    later = {"code": FISH, "term": "蓝鲸大脆条"}
    store.edit([add(WordTable.EVERYDAY_NAMES, later)], rebased.id, NOTE)
    assert not store.is_outdated()
    ship(base, WordTable.EVERYDAY_NAMES, come={"code": SNACK, "term": "云朵脆脆宝"})
    assert store.is_outdated() and store.rebase(rules) is not None
    kept = {(FISH, "蓝鲸小脆条"), (FISH, "蓝鲸大脆条"), (SNACK, "云朵脆脆宝")}
    assert kept <= names(store.current_root())


def test_what_the_newer_program_did_itself_is_not_done_twice(
    store: VersionStore, base: Path
) -> None:
    gone = read_rows(base, WordTable.EVERYDAY_NAMES)[0]
    edits = [
        add(WordTable.EVERYDAY_NAMES, OWN), add(WordTable.PROVISIONAL, OWN),
        Edit(WordTable.EVERYDAY_NAMES, Action.REMOVE, gone),
    ]  # fmt: skip
    store.edit(edits, "builtin", NOTE)
    ship(base, WordTable.EVERYDAY_NAMES, gone=gone, come=OWN)
    info = store.rebase(rules)
    assert info is not None and store.left_out(info.id) == ()
    found = read_rows(store.current_root(), WordTable.EVERYDAY_NAMES)
    assert found.count(OWN) == 1 and gone not in found
    assert read_rows(store.current_root(), WordTable.PROVISIONAL) == []


def test_an_edit_that_clashes_with_what_is_shipped_now_is_left_out_and_told(
    store: VersionStore, base: Path
) -> None:
    row = read_rows(base, WordTable.AMBIGUOUS)[0]
    ours = change(WordTable.AMBIGUOUS, row, question="本单位的问法?")
    taken = add(WordTable.EVERYDAY_NAMES, OWN)
    kept = add(WordTable.EVERYDAY_NAMES, {"code": FISH, "term": "蓝鲸大脆条"})
    store.edit([*ours, taken, add(WordTable.PROVISIONAL, OWN), kept], "builtin", NOTE)
    ship(base, WordTable.AMBIGUOUS, gone=row, come={**row, "question": "新程序的问法?"})
    ship(base, WordTable.EVERYDAY_NAMES, come={"code": SNACK, "term": OWN["term"]})
    info = store.rebase(rules)
    assert info is not None and info.left_out == 3
    assert store.left_out(info.id) == (taken, *ours)
    assert info.title.endswith("3 处修改未能沿用")
    root = store.current_root()
    own = [one for one in read_rows(root, WordTable.AMBIGUOUS) if one["term"] == row["term"]]
    assert [one["question"] for one in own] == ["新程序的问法?"]
    assert (SNACK, OWN["term"]) in names(root) and (FISH, OWN["term"]) not in names(root)
    assert (FISH, "蓝鲸大脆条") in names(root)
    assert read_rows(root, WordTable.PROVISIONAL) == []


def test_the_difference_from_an_outdated_version_tells_what_the_program_brought(
    store: VersionStore, base: Path
) -> None:
    old = store.edit([add(WordTable.EVERYDAY_NAMES, OWN)], "builtin", NOTE).id
    shipped = {"code": SNACK, "term": "云朵脆脆乐"}
    ship(base, WordTable.EVERYDAY_NAMES, come=shipped)
    info = store.rebase(rules)
    assert info is not None
    assert store.word_diff(old, info.id) == [add(WordTable.EVERYDAY_NAMES, shipped)]
    assert store.word_diff("builtin", info.id) == [add(WordTable.EVERYDAY_NAMES, OWN)]
    assert store.diff(old, info.id).is_empty


def test_a_rebase_that_fails_leaves_the_version_in_use_and_no_trace(
    store: VersionStore, base: Path
) -> None:
    first = store.edit([add(WordTable.EVERYDAY_NAMES, OWN)], "builtin", NOTE).id
    (base / "everyday_names.csv").write_text("word\n甲\n", encoding="utf-8")
    with pytest.raises(KeyError):
        store.rebase(rules)
    assert store.current_id() == first
    assert [path.name for path in (store.path / "versions").iterdir()] == [first]
