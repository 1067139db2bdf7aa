"""Learning from decisions, from the vote to the model that serves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from typer.testing import CliRunner

from invoicer import Assistant, InvoiceLine
from invoicer.access import keys, tenants
from invoicer.access.principals import Principal, Role
from invoicer.cli import app
from invoicer.learning.retrain import Outcome, TrainingRunsError, alone, retrain
from invoicer.learning.versions import SHIPPED_ID, ModelStore
from invoicer.review import inbox
from invoicer.review.decided import is_held_out, waiting
from invoicer.review.decisions import Decisions
from invoicer.review.issuing import Draft, issue
from invoicer.review.items import identity, item_of
from invoicer.review.queue import Queue
from invoicer.review.rules import ReviewRules
from invoicer.review.second_look import held_items
from invoicer.review.states import ReviewConflictError, Versions
from invoicer.review.subjects import Subject
from invoicer.settings import Settings
from invoicer.store import Store
from knowledge_base.supplement import ConfirmedName, read_supplement

FISH, PARKING = "1030109050000000000", "3040502020200000000"
V = Versions("m", "k")
# Trade nicknames that nobody outside can read, and what they are.
PUBLIC, PRIVATE, WRONG, RULED = "蓝鲸小脆条", "紫电清霜鱼排", "黑椒味鱼排", "青冥小圆"


@dataclass(frozen=True)
class House:
    """An installation with its people: anna and ben review, eva is the expert."""

    settings: Settings
    store: Store
    people: dict[str, Principal]
    add: Callable[[str], str]
    outcome: Outcome

    @property
    def models(self) -> ModelStore:
        return ModelStore(self.settings.models_dir)


@pytest.fixture(scope="module")
def house(assistant: Assistant, tmp_path_factory: pytest.TempPathFactory) -> House:
    """Decided: PUBLIC by two people, the expert among them; PRIVATE by a reviewer; WRONG by a
    slip. Then trained once."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    settings.bundles_dir.symlink_to(Settings().bundles_dir.absolute())
    store = Store.open(settings.data_dir / "invoicer.db")
    tenants.create(store, "acme")
    who = {"anna": Role.REVIEWER, "ben": Role.REVIEWER, "eva": Role.EXPERT}
    people = {name: keys.create(store, "acme", name, role)[0] for name, role in who.items()}

    def add(name: str) -> str:
        line = InvoiceLine(name)
        item = item_of("acme", line, assistant.suggest(line),
                       identity("acme", line, assistant.rate_table))  # fmt: skip
        inbox.add(store, [item])
        return item.id

    single = Decisions(Queue(store, ReviewRules(second_share=0.0)), assistant.is_usable)
    paired = Decisions(Queue(store, ReviewRules(second_share=1.0)), assistant.is_usable)
    public = add(PUBLIC)
    paired.decide(people["anna"], public, FISH, "", V)
    paired.decide(people["eva"], public, FISH, "", V)
    single.decide(people["anna"], add(PRIVATE), FISH, "", V)
    single.decide(people["ben"], add(WRONG), PARKING, "", V)
    with alone(settings):
        outcome = retrain(settings, store, lambda _: None)
    return House(settings, store, people, add, outcome)


@pytest.fixture(scope="module")
def learned(house: House) -> Assistant:
    return Assistant.load(house.settings)


def test_the_products_of_these_tests_are_not_held_out(assistant: Assistant) -> None:
    cores = [assistant.query(InvoiceLine(n)).reading.core for n in (PUBLIC, PRIVATE, WRONG)]
    assert not any(map(is_held_out, cores))


def test_what_passed_the_gate_serves(house: House, learned: Assistant) -> None:
    assert house.outcome.accepted
    assert (house.outcome.decisions, house.outcome.held) == (2, 1)
    assert house.models.current() == house.outcome.version == learned.model_version


def test_a_confirmed_name_is_known_to_everybody(
    house: House, learned: Assistant, assistant: Assistant
) -> None:
    before, after = assistant.suggest(PUBLIC), learned.suggest(PUBLIC)
    assert before.candidates[0].code != FISH
    assert after.candidates[0].code == FISH
    assert learned.suggest(f"{PUBLIC} 200g").candidates[0].code == FISH
    assert after.confidence > before.confidence


def test_names_of_one_tenant_are_shown_to_nobody(house: House, learned: Assistant) -> None:
    rows = read_supplement(house.models.root(house.outcome.version) / "supplement.csv")
    assert rows == (ConfirmedName(FISH, PUBLIC, "y"),)
    assert PRIVATE not in learned.matcher.compiled.index.terms
    assert not any("紫电" in text for text in learned.suggest("紫电清霜鱼片").evidence)


def test_the_card_tells_where_the_model_comes_from(house: House) -> None:
    card = house.models.load(house.outcome.version).card["learning"]
    assert (card["learned"], card["confirmed_names"], card["held"]) == (2, 1, 1)
    assert card["previous"] == SHIPPED_ID
    assert len(card["decisions_sha256"]) == len(card["supplement_sha256"]) == 64
    assert {one["set"] for one in card["compared"]} == {"冻结样例"}
    assert card["drift"]["lines"] == 3
    text = json.dumps(card, ensure_ascii=False)
    assert not any(name in text for name in (PUBLIC, PRIVATE, WRONG))


def test_what_was_learned_cannot_be_undone(house: House, assistant: Assistant) -> None:
    decisions = Decisions(Queue(house.store), assistant.is_usable)
    with pytest.raises(ReviewConflictError, match="训练"):
        decisions.undo(house.people["anna"])
    rows = house.store.rows("select learned_in from review_items where state = 'decided'")
    assert [row["learned_in"] for row in rows] == [house.outcome.version] * 2


def test_nothing_new_leaves_the_model_alone(house: House) -> None:
    assert waiting(house.store) == 0
    with alone(house.settings):
        again = retrain(house.settings, house.store, lambda _: None)
    assert (again.version, again.accepted) == ("", False)
    assert house.models.current() == house.outcome.version


def test_one_training_at_a_time(house: House) -> None:
    other = FileLock(house.settings.models_dir / ".training.lock")
    with other, pytest.raises(TrainingRunsError), alone(house.settings):
        pass


def test_the_commands_list_switch_and_go_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVOICER_DATA_DIR", str(house.settings.data_dir))
    run = CliRunner().invoke

    def in_use() -> str:
        lines = run(app, ["models", "list"]).output.splitlines()
        return next(line.split()[1] for line in lines if line.lstrip().startswith("*"))

    version = house.outcome.version
    assert in_use() == version
    assert run(app, ["models", "switch", "shipped"]).exit_code == 0
    assert in_use() == "shipped"
    assert run(app, ["models", "rollback"]).exit_code == 0
    assert in_use() == version
    assert json.loads(run(app, ["models", "show", version]).output)["learning"]["accepted"]
    unknown = run(app, ["models", "switch", "00000000"])
    assert (unknown.exit_code, "没有模型版本" in unknown.output) == (2, True)
    assert "不足 5 项" in run(app, ["retrain", "--if-waiting", "5"]).output


def test_held_decisions_are_listed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVOICER_DATA_DIR", str(house.settings.data_dir))
    listed = CliRunner().invoke(app, ["review", "held"]).output
    (held,) = held_items(house.store)
    assert "不相近" in held["held"]
    assert held["id"] in listed
    assert "共 1 项" in listed


def test_a_table_becomes_review_items(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INVOICER_DATA_DIR", str(house.settings.data_dir))
    table = tmp_path / "lines.csv"
    issue(house.store, "acme", Subject(RULED), FISH, Draft("按注释"), "pc_1")
    table.write_text(
        f"商品名称,数量\n薯片,1\n弹簧床垫,2\n,3\n{PRIVATE},4\n薯片,5\n{RULED},6\n",
        encoding="utf-8",
    )
    run = CliRunner().invoke
    added = run(app, ["review", "add", str(table), "--tenant", "acme"])
    assert added.exit_code == 1  # a row without a name
    assert "5 行:2 行加入审核,1 行为强档,2 行已有裁定或决定" in added.output
    assert "第 4 行 name" in added.output
    listed = run(app, ["review", "list", "--tenant", "acme", "--text", "薯片"]).output
    assert listed.count("薯片") >= 1
    assert "共 1 项" in listed
    missing = run(app, ["review", "add", str(table), "--tenant", "nobody"])
    assert (missing.exit_code, "没有租户" in missing.output) == (2, True)
