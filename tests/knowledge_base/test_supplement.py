"""Confirmed names beside the tables."""

from __future__ import annotations

from pathlib import Path

from knowledge_base import KnowledgeBase
from knowledge_base.supplement import ConfirmedName, read_supplement, write_supplement
from models.index import NAME, SAMPLE, terms_of

FISH = "1030109050000000000"
ROWS = [ConfirmedName(FISH, "深海小金排", "y"), ConfirmedName(FISH, '金排,"大" 200g')]


def test_rows_are_kept_whole_once_and_in_a_fixed_order(tmp_path: Path) -> None:
    a, b = tmp_path / "a.csv", tmp_path / "b.csv"
    write_supplement(a, ROWS)
    write_supplement(b, [*reversed(ROWS), *ROWS])
    assert a.read_bytes() == b.read_bytes()
    assert set(read_supplement(a)) == set(ROWS)


def test_confirmed_names_are_part_of_the_version(kb: KnowledgeBase, tmp_path: Path) -> None:
    write_supplement(tmp_path / "none.csv", [])
    write_supplement(tmp_path / "some.csv", ROWS)
    assert KnowledgeBase.load(supplement=tmp_path / "none.csv").version == kb.version
    assert KnowledgeBase.load(supplement=tmp_path / "some.csv").version != kb.version


def test_a_whole_name_is_looked_up_and_a_line_is_only_alike(tmp_path: Path) -> None:
    write_supplement(tmp_path / "some.csv", [*ROWS, ConfirmedName("9" * 19, "已停用编码的商品")])
    known = KnowledgeBase.load(supplement=tmp_path / "some.csv")
    kinds = {term.text: term.kinds for term in terms_of(known, [])}
    assert (kinds["深海小金排"], kinds['金排,"大" 200g']) == (NAME, SAMPLE)
    assert "已停用编码的商品" not in kinds  # the table in use does not know the code
