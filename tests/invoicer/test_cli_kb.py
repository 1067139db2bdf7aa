"""`invoicer kb import | diff | versions | rollback` on real official files."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from invoicer.cli import app

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
