"""`invoicer panel | appeals | rulings`: voting and answering by people who sign in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from invoicer import Assistant, InvoiceLine
from invoicer.access import tenants, users
from invoicer.access.principals import Role
from invoicer.cli import app
from invoicer.review import appeals
from invoicer.review.appeals import Contested
from invoicer.review.decisions import Decisions
from invoicer.review.panel import Panel
from invoicer.review.queue import Queue
from invoicer.review.rules import ReviewRules
from invoicer.settings import Settings
from invoicer.store import Store

FRIED, PUFFED = "1030201050000000000", "1030201040000000000"
FAR = "1050102020000000000"  # a code that nothing else about crisps would bring up
SECRET = "只有投票人知道的理由"
PASSWORD = "correct horse battery"
EXPERTS = ("eva", "fay", "gus")


def run(*arguments: str, password: str = PASSWORD):
    return CliRunner().invoke(app, list(arguments), env={"INVOICER_PASSWORD": password})


def told(*arguments: str) -> str:
    answer = run(*arguments)
    assert answer.exit_code == 0, answer.output
    return answer.output


def vote(case: str, login: str, code: str, why: str = "官方注释") -> str:
    return told("panel", "vote", case, "--login", login, "--code", code, "--why", why)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    bundles = Settings().bundles_dir.absolute()
    monkeypatch.setenv("INVOICER_DATA_DIR", str(tmp_path))
    Settings().bundles_dir.symlink_to(bundles)
    store = Store.open(Settings().database)
    tenants.create(store, "acme")
    people = {"erp": Role.CLIENT, "anna": Role.REVIEWER, "ada": Role.ADMIN}
    for login, role in {**people, **dict.fromkeys(EXPERTS, Role.EXPERT)}.items():
        users.add(store, "acme", login, login, role, PASSWORD)
    return store


@pytest.fixture
def case(home: Store, assistant: Assistant) -> str:
    me, _ = users.sign_in(home, "eva", PASSWORD)
    line = InvoiceLine("薯片")
    panel = Panel(Decisions(Queue(home, ReviewRules()), assistant.is_usable))
    return str(panel.open_line(me, line, assistant.suggest(line).to_dict(), "意见不一")["id"])


@pytest.fixture
def appeal(home: Store) -> str:
    me, _ = users.sign_in(home, "erp", PASSWORD)
    line, contested = InvoiceLine("薯片"), Contested(FRIED, wanted_code=PUFFED)
    return str(appeals.insert(home, me, line, contested, "不同意", 2)["id"])


def test_experts_vote_and_the_chair_rules(case: str) -> None:
    assert "表决中,已投 1 票" in vote(case, "eva", PUFFED)
    vote(case, "fay", PUFFED)
    assert "待出裁定,已投 3 票" in vote(case, "gus", PUFFED)
    number = told("panel", "rule", case, "--tenant", "acme", "--text", "按膨化食品").strip()
    assert "按膨化食品" in told("rulings", "show", number)


def test_a_vote_is_shown_to_nobody_else(home: Store, case: str, tmp_path: Path) -> None:
    vote(case, "eva", FAR, SECRET)
    mine = json.loads(told("panel", "show", case, "--login", "eva"))["mine"]
    assert (mine["code"], mine["why"]) == (FAR, SECRET)
    exported = tmp_path / "acme.jsonl"
    told("tenants", "export", "acme", "-o", str(exported))
    seen = [
        told("panel", "show", case, "--login", "fay"),
        told("panel", "show", case, "--login", "ada"),
        told("panel", "list", "--tenant", "acme", "--due", "30", "--json"),
        told("db", "audit"),
        exported.read_text(encoding="utf-8"),
    ]
    assert all(case in text for text in (seen[0], seen[2]))
    for text in seen:
        assert SECRET not in text
        assert FAR not in text


def test_an_early_count_is_refused_and_reviewers_neither_see_nor_vote(case: str) -> None:
    early = run("panel", "count", case, "--login", "ada")
    assert (early.exit_code, "期限未到" in early.output) == (2, True)
    for act in (("show", case), ("vote", case, "--code", FRIED, "--why", "看图")):
        refused = run("panel", *act, "--login", "anna")
        assert (refused.exit_code, "专家" in refused.output) == (2, True)


@pytest.mark.parametrize("said", [(), ("--none", "--code", FRIED)])
def test_a_vote_is_for_a_code_or_for_none(case: str, said: tuple[str, ...]) -> None:
    answer = run("panel", "vote", case, "--login", "eva", "--why", "理由", *said)
    assert (answer.exit_code, "--none" in answer.output) == (2, True)


def test_a_reviewer_upholds_an_appeal(home: Store, appeal: str) -> None:
    listed = told("appeals", "list", "--tenant", "acme", "--due", "2")
    assert appeal in listed
    assert appeal not in told("appeals", "list", "--tenant", "acme", "--due", "1")
    assert "异议成立" in told("appeals", "uphold", appeal, "--login", "anna", "--code", PUFFED,
                          "--answer", "有理")  # fmt: skip
    row = json.loads(told("classify", "薯片", "--tenant", "acme", "--format", "jsonl"))
    assert (row["code"], row["tier"]) == (PUFFED, "strong")


def test_an_appeal_is_rejected_or_referred(home: Store, appeal: str) -> None:
    mine = run("appeals", "reject", appeal, "--login", "erp", "--answer", "不改")
    assert (mine.exit_code, "审核员" in mine.output) == (2, True)
    referred = told("appeals", "refer", appeal, "--login", "anna", "--answer", "请复议")
    assert "已提交编审委员会 pc_" in referred
    again = run("appeals", "reject", appeal, "--login", "anna", "--answer", "不改")
    assert (again.exit_code, "已提交编审委员会" in again.output) == (2, True)


def test_nobody_votes_in_the_name_of_another(case: str) -> None:
    refused = run("panel", "vote", case, "--login", "eva", "--code", FRIED, "--why", "看图",
                  password="wrong password")  # fmt: skip
    assert refused.exit_code == 2
