"""`invoicer kb import | diff | versions | rollback | rebase`, on real official files."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from invoicer.cli import app
from invoicer.settings import Settings
from knowledge_base import tables
from knowledge_base.official.manifest import VersionInfo
from knowledge_base.official.versions import VersionStore
from knowledge_base.word_tables import Action, Edit, WordTable, read_rows, write_rows

OFFICIAL = Path(__file__).parents[3] / "shared" / "data" / "official"
FILES = (OFFICIAL / "spbm_v29.xml", OFFICIAL / "code_table_v32_201904.xlsx")
run = CliRunner().invoke


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INVOICER_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.skipif(not OFFICIAL.exists(), reason="the official files are not at hand")
def test_two_tables_are_imported_compared_and_rolled_back(home: Path) -> None:
    for file in FILES:
        assert run(app, ["kb", "import", str(file)]).exit_code == 0
    listed = [row.split() for row in run(app, ["kb", "versions"]).output.splitlines()]
    assert [row[0] for row in listed] == ["builtin", listed[1][0], "*"]
    old, new = listed[1][0], listed[2][1]
    found = run(app, ["kb", "diff", old, new])
    assert "新增 35" in found.output
    assert "停用 26" in found.output
    assert "简称变动 405" in found.output
    assert run(app, ["kb", "rollback"]).exit_code == 0
    assert f"* {old}" in run(app, ["kb", "versions"]).output


@pytest.mark.skipif(not OFFICIAL.exists(), reason="the official files are not at hand")
def test_a_second_import_changes_nothing(home: Path) -> None:
    run(app, ["kb", "import", str(FILES[0])])
    before = sorted(p.name for p in home.rglob("*"))
    again = run(app, ["kb", "import", str(FILES[0])])
    assert again.exit_code == 0
    assert "没有改动" in again.output
    assert sorted(p.name for p in home.rglob("*")) == before


def test_a_file_that_is_no_table_is_refused_and_leaves_no_trace(home: Path) -> None:
    file = home / "x.xml"
    file.write_text("<html>no table</html>", encoding="utf-8")
    found = run(app, ["kb", "import", str(file)])
    assert found.exit_code == 2
    assert "错误" in found.output
    assert sorted(p.name for p in home.iterdir()) == ["x.xml"]


def test_an_unknown_version_is_refused(home: Path) -> None:
    assert run(app, ["kb", "diff", "a", "b"]).exit_code == 2


def test_a_version_of_an_older_program_is_told_and_laid_on_the_tables_of_this_one(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    older = tmp_path_factory.mktemp("older") / "shipped"
    shutil.copytree(tables.DATA, older)
    names = read_rows(older, WordTable.EVERYDAY_NAMES)
    (shipped,) = [row for row in names if row["term"] == "弹簧床垫"]
    write_rows(older, WordTable.EVERYDAY_NAMES, [row for row in names if row != shipped])
    own = {"code": "1030109050000000000", "term": "弹簧床垫"}
    edit = Edit(WordTable.EVERYDAY_NAMES, Action.ADD, own)
    note = VersionInfo("", dt.date.min, (), reason="试试")
    made = VersionStore(Settings().knowledge_dir, older).edit([edit], "builtin", note).id

    assert "invoicer kb rebase" in run(app, ["kb", "versions"]).output
    done = run(app, ["kb", "rebase"])
    assert done.exit_code == 0
    assert "1 处修改未能沿用" in done.output and "弹簧床垫" in done.output
    listed = run(app, ["kb", "versions"]).output
    assert "invoicer kb rebase" not in listed and f"  {made}" in listed
    assert "没有改动" in run(app, ["kb", "rebase"]).output
    assert "弹簧床垫" in run(app, ["kb", "show", shipped["code"]]).output
