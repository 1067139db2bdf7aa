"""Edited word tables as versions beside those of the code table."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from knowledge_base import KnowledgeBase, tables
from knowledge_base.official.manifest import VersionInfo
from knowledge_base.official.raw import OfficialTableError
from knowledge_base.official.versions import VersionStore
from knowledge_base.word_tables import (
    Action,
    Edit,
    NoSuchRowError,
    WordTable,
    edited,
    read_rows,
    write_rows,
)

FISH = "1030109050000000000"
NAME = {"code": FISH, "term": "蓝鲸小脆条"}
ADD = Edit(WordTable.EVERYDAY_NAMES, Action.ADD, NAME)
NOTE = VersionInfo(
    "", dt.date.min, (), reason="行业叫法", proposed_by="anna", accepted_by="eva", ruling="裁1"
)


@pytest.fixture
def store(tmp_path: Path) -> VersionStore:
    return VersionStore(tmp_path / "kb")


@pytest.mark.parametrize(
    "table", [one for one in WordTable if one is not WordTable.PROVISIONAL]
)
def test_a_table_is_written_as_it_is_shipped(tmp_path: Path, table: WordTable) -> None:
    write_rows(tmp_path, table, read_rows(tables.DATA, table))
    name = f"{table.value}.csv"
    assert (tmp_path / name).read_bytes() == (tables.DATA / name).read_bytes()


def test_an_edit_becomes_a_version_with_its_provenance(store: VersionStore) -> None:
    info = store.edit([ADD], "builtin", NOTE)
    assert (info.edits, info.previous, info.is_current) == (1, "builtin", True)
    assert (info.reason, info.proposed_by, info.accepted_by, info.ruling) == (
        "行业叫法", "anna", "eva", "裁1",
    )  # fmt: skip
    assert info.title == "词表修改 1 行:行业叫法"
    kb = KnowledgeBase.load(store.current_root())
    assert (FISH, NAME["term"]) in set(kb.lexicon.everyday_names())
    assert kb.version != KnowledgeBase.load().version
    assert store.edits(info.id) == (ADD,)


def test_the_difference_of_two_versions_names_the_changed_rows_of_both_kinds_of_table(
    store: VersionStore,
) -> None:
    old = read_rows(tables.DATA, WordTable.EXCEPTIONS)[0]
    new = {**old, "why": "更准确的说明"}
    change = [Edit(WordTable.EXCEPTIONS, Action.REMOVE, old),
              Edit(WordTable.EXCEPTIONS, Action.ADD, new)]  # fmt: skip
    first = store.edit([ADD], "builtin", NOTE).id
    second = store.edit(change, first, NOTE).id
    assert store.word_diff("builtin", second) == [ADD, *change]
    assert store.word_diff(second, first) == [
        Edit(WordTable.EXCEPTIONS, Action.REMOVE, new), Edit(WordTable.EXCEPTIONS, Action.ADD, old)
    ]  # fmt: skip
    assert store.diff("builtin", second).is_empty
    assert [one.id for one in store.lineage(second)] == ["builtin", first, second]


def test_rollback_leads_back_step_by_step_to_the_same_bytes(store: VersionStore) -> None:
    first = store.edit([ADD], "builtin", NOTE).id
    store.edit([Edit(WordTable.EVERYDAY_NAMES, Action.REMOVE, NAME)], first, NOTE)
    name = "everyday_names.csv"
    assert (store.current_root() / name).read_bytes() == (tables.DATA / name).read_bytes()
    assert store.rollback().id == first
    assert store.rollback().id == "builtin"


def test_going_back_to_the_built_in_version_where_nothing_was_installed_changes_nothing(
    store: VersionStore,
) -> None:
    assert store.rollback("builtin").is_current
    assert not store.path.exists()


def test_edits_judged_on_another_version_are_refused_and_leave_no_trace(
    store: VersionStore,
) -> None:
    with pytest.raises(OfficialTableError, match="重新预览"):
        store.edit([ADD], "w-20260101-00000000", NOTE)
    assert not store.path.exists()


def test_a_row_that_is_not_there_cannot_be_removed_and_nothing_remains(
    store: VersionStore,
) -> None:
    with pytest.raises(NoSuchRowError, match="蓝鲸小脆条"):
        store.edit([Edit(WordTable.EVERYDAY_NAMES, Action.REMOVE, NAME)], "builtin", NOTE)
    assert store.current_id() == "builtin"
    assert list(store.path.rglob("*")) == [] if store.path.exists() else True


def test_the_shipped_tables_are_never_touched(store: VersionStore, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(tables.DATA, base)
    before = tables.fingerprint(base)
    VersionStore(tmp_path / "other", base).edit([ADD], "builtin", NOTE)
    assert tables.fingerprint(base) == before


def test_new_rows_take_their_place() -> None:
    names = [{"code": "1", "term": "乙"}, {"code": "3", "term": "甲"}]
    add = Edit(WordTable.EVERYDAY_NAMES, Action.ADD, {"code": "2", "term": "丙"})
    found = edited(WordTable.EVERYDAY_NAMES, names, [add])
    assert [row["code"] for row in found] == ["1", "2", "3"]
    scenes = [{"phrase": "甲费", "code": "1"}, {"phrase": "乙费", "code": "2"}]
    add = Edit(WordTable.SCENARIOS, Action.ADD, {"phrase": "甲费", "code": "3"})
    found = edited(WordTable.SCENARIOS, scenes, [add])
    assert [row["code"] for row in found] == ["1", "3", "2"]


def test_a_changed_row_keeps_its_place() -> None:
    rows = [{"term": term, "head": term, "why": ""} for term in "甲乙丙"]
    change = [Edit(WordTable.EXCEPTIONS, Action.REMOVE, rows[1]),
              Edit(WordTable.EXCEPTIONS, Action.ADD, {**rows[1], "head": "丁"})]  # fmt: skip
    assert [row["head"] for row in edited(WordTable.EXCEPTIONS, rows, change)] == list("甲丁丙")
