"""`invoicer kb propose | proposals | reject | export`: people are told apart by their passwords."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from invoicer.access import tenants, users
from invoicer.access.principals import Role
from invoicer.cli import app
from invoicer.settings import Settings
from invoicer.store import Store
from knowledge_base import tables

FISH = "1030109050000000000"
PASSWORD = "correct horse battery"


def run(*arguments: str, password: str = PASSWORD):
    return CliRunner().invoke(app, ["kb", *arguments], env={"INVOICER_PASSWORD": password})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INVOICER_DATA_DIR", str(tmp_path))
    store = Store.open(Settings().database)
    tenants.create(store, "acme")
    for login, role in (("anna", Role.REVIEWER), ("eva", Role.EXPERT)):
        users.add(store, "acme", login, login, role, PASSWORD)
    return tmp_path


def propose(*arguments: str, **given: str):
    return run("propose", "--login", "anna", "--why", "行业叫法", *arguments, **given)


def test_a_proposal_is_made_listed_and_rejected(home: Path) -> None:
    made = propose("everyday_names", "add", f"code={FISH}", "term=蓝鲸小脆条")
    assert made.exit_code == 0, made.output
    listed = run("proposals", "--tenant", "acme", "--json")
    one = json.loads(listed.stdout)
    assert (one["proposed_by"], one["edits"][0]["row"]["term"]) == ("anna", "蓝鲸小脆条")
    assert one["id"] in made.output
    refused = run("accept", one["id"], "--login", "eva")
    assert (refused.exit_code, "请先预览" in refused.output) == (2, True)
    assert run("reject", one["id"], "--login", "eva", "--why", "太生僻").exit_code == 0
    assert "太生僻" in run("proposals", "--tenant", "acme", "--state", "rejected").output


def test_several_edits_come_from_a_file(home: Path) -> None:
    file = home / "edits.jsonl"
    rows = [{"table": "descriptors", "action": "add", "row": {"term": word, "kind": "flavour"}}
            for word in ("蓝鲸味", "白鲸味")]  # fmt: skip
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    made = propose("--file", str(file))
    assert (made.exit_code, "2 行" in made.output) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("everyday_names", "add", "code=1", "term=甲"), "没有编码"),
        (("everyday_names", "add", "甲"), "列=值"),
        (("everyday_names", "add", f"code={FISH}", "name=甲"), "没有 name 列"),
        ((), "--file"),
    ],
)
def test_what_cannot_be_proposed_is_told(
    home: Path, arguments: tuple[str, ...], message: str
) -> None:
    answer = propose(*arguments)
    assert (answer.exit_code, message in answer.output) == (2, True)


def test_nobody_acts_in_the_name_of_another(home: Path) -> None:
    answer = propose("everyday_names", "add", f"code={FISH}", "term=甲", password="wrong password")
    assert answer.exit_code == 2
    assert run("proposals", "--tenant", "acme").output.strip() == "共 0 项(待定)"


def test_the_tables_are_exported_as_they_are_shipped(home: Path) -> None:
    assert run("export", "-o", str(home / "words.zip")).exit_code == 0
    with zipfile.ZipFile(home / "words.zip") as archive:
        shipped = (tables.DATA / "scenarios.csv").read_bytes()
        assert archive.read("scenarios.csv") == shipped
    assert run("export", "-o", str(home / "x.zip"), "--version", "none").exit_code == 2
