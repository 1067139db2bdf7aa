"""Uncertain lines wait in the review queue, one item a question, and come back decided."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from recoding import Recode, csv_of, table

from invoicer import Assistant
from invoicer.access import keys, tenants
from invoicer.access.principals import Role
from invoicer.batch import Defaults
from invoicer.errors import InputError
from invoicer.recode.apply import apply_reviews
from invoicer.recode.manifest import NotResumableError
from invoicer.recode.options import Options
from invoicer.recode.pipeline import Run
from invoicer.recode.progress import Stage
from invoicer.review.decisions import Decisions
from invoicer.review.issuing import Draft, issue
from invoicer.review.memory import Memory
from invoicer.review.queue import Filter, Queue
from invoicer.review.rules import ReviewRules
from invoicer.review.states import Versions
from invoicer.review.subjects import Subject
from invoicer.settings import Settings
from invoicer.store import Store

HEAD = ["商品名称", "税收分类编码", "税率", "金额", "开票日期"]
TIN, REBAR = "茶叶罐", "1080207050000000000"
TEA, POTTERY = "1030308010000000000", "1080122020000000000"
ROWS = [
    [TIN, TEA, "13%", "100.00", "2024-05-06"],
    ["螺纹钢", REBAR, "13%", "50.00", "2024-05-06"],
    [TIN, TEA, "13%", "20.50", "2024-06-06"],
]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("INVOICER_DATABASE", str(tmp_path / "invoicer.db"))
    store = Store.open(Settings().database)
    tenants.create(store, "acme")
    return store


def waiting(store: Store) -> list[dict[str, object]]:
    return Queue(store).search("acme", Filter())[1]


def test_uncertain_lines_are_one_item_with_times_and_amount(
    tmp_path: Path, store: Store, recode: Recode
) -> None:
    source, out = csv_of(tmp_path / "lines.csv", HEAD, *ROWS), tmp_path / "out.csv"
    outcome = recode(out, source, review=True, tenant="acme")
    (item,) = waiting(store)
    rows = table(out)
    assert outcome.queued == 1
    assert (item["times"], item["amount"]) == (2, 12050)
    assert [row["review_id"] for row in rows] == [item["id"], "", item["id"]]


def test_a_run_killed_while_handing_over_counts_nothing_twice(
    tmp_path: Path, store: Store, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoicer.recode.work.PAGE", 1)
    lines = [*ROWS, ["薯片", TEA, "13%", "7.00", "2024-05-06"]]
    source, out = csv_of(tmp_path / "lines.csv", HEAD, *lines), tmp_path / "out.csv"
    options = Options((str(source),), out, review=True, tenant="acme", workers=1)

    def killed(stage: Stage, done: int, total: int | None) -> None:
        if stage is Stage.REVIEW:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Run(assistant, options, killed).run()
    (first,) = waiting(store)
    assert Run(assistant, options).run(resume=True).queued == 2
    found = {item["id"]: item["times"] for item in waiting(store)}
    assert found[first["id"]] == first["times"]
    assert sorted(found.values()) == [1, 2]
    Run(assistant, options).run()  # asked anew, they count anew
    assert sorted(item["times"] for item in waiting(store)) == [2, 4]


def test_without_the_option_nothing_waits(tmp_path: Path, store: Store, recode: Recode) -> None:
    recode(tmp_path / "out.csv", csv_of(tmp_path / "lines.csv", HEAD, *ROWS))
    assert waiting(store) == []


def test_an_unknown_tenant_is_refused_before_anything_is_done(
    tmp_path: Path, store: Store, recode: Recode
) -> None:
    with pytest.raises(InputError, match="没有租户"):
        recode(
            tmp_path / "out.csv", csv_of(tmp_path / "l.csv", HEAD, *ROWS), review=True, tenant="x"
        )


@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx", "parquet"])
def test_what_was_decided_is_written_back(
    tmp_path: Path, store: Store, recode: Recode, assistant: Assistant, form: str
) -> None:
    out = tmp_path / f"out.{form}"
    recode(out, csv_of(tmp_path / "l.csv", HEAD, *ROWS), review=True, tenant="acme")
    before = _rows(out)
    assert apply_reviews(assistant, out, "acme", raw=False) == (0, 2)
    assert _rows(out) == before
    _decide(store, assistant, POTTERY)
    assert apply_reviews(assistant, out, "acme", raw=False) == (2, 0)
    after = _rows(out)
    assert [row["code"] for row in after] == [POTTERY, REBAR, POTTERY]
    assert [row["tier"] for row in after] == ["strong"] * 3
    assert after[0]["short_name"] == "非金属矿物制品"
    assert after[1] == before[1]
    assert [row["商品名称"] for row in after] == [row[0] for row in ROWS]
    assert apply_reviews(assistant, out, "acme", raw=False) == (0, 0)


def test_a_damaged_output_is_refused_and_left_as_it_is(
    tmp_path: Path, store: Store, recode: Recode, assistant: Assistant
) -> None:
    out = tmp_path / "out.jsonl"
    recode(out, csv_of(tmp_path / "l.csv", HEAD, *ROWS), review=True, tenant="acme")
    damaged = out.read_bytes()[:-20]
    out.write_bytes(damaged)
    with pytest.raises(InputError, match="第 3 行不是 JSON"):
        apply_reviews(assistant, out, "acme", raw=False)
    assert out.read_bytes() == damaged


def _rows(path: Path) -> list[dict[str, str]]:
    from invoicer.readers import read_table

    found = read_table(path)
    return [dict(zip(found.header, row, strict=True)) for row in found.rows]


def _decide(store: Store, assistant: Assistant, code: str) -> None:
    person, _ = keys.create(store, "acme", "expert", Role.EXPERT)
    rules = ReviewRules(second_share=0.0, second_amount=1e9)
    (item,) = Queue(store, rules).lease(person)
    Decisions(Queue(store, rules), assistant.is_usable).decide(
        person, item["id"], code, "", Versions()
    )


def test_what_was_decided_is_written_back_as_the_run_was_told(
    tmp_path: Path, store: Store, recode: Recode, assistant: Assistant
) -> None:
    """Given columns and what holds for rows that do not say are given again."""
    told: dict[str, Any] = {
        "mapping": {"货": "name"}, "defaults": Defaults(dt.date(2018, 6, 1)),
    }  # fmt: skip
    out = tmp_path / "out.csv"
    source = csv_of(tmp_path / "l.csv", ["货", *HEAD[1:]], [TIN, TEA, "16%", "100.00", ""])
    recode(out, source, review=True, tenant="acme", **told)
    _decide(store, assistant, POTTERY)
    with pytest.raises(InputError, match="没有找到商品名称列"):
        apply_reviews(assistant, out, "acme", raw=False)
    assert apply_reviews(assistant, out, "acme", raw=False, **told) == (1, 0)
    (row,) = _rows(out)
    assert (row["code"], row["rate"], row["stake_high"]) == (POTTERY, "0.16", "0.00")


def test_what_was_decided_is_written_back_to_the_rows_of_every_input(
    tmp_path: Path, store: Store, recode: Recode, assistant: Assistant
) -> None:
    out = tmp_path / "out.csv"
    first = csv_of(tmp_path / "a.csv", HEAD, *ROWS)
    second = csv_of(
        tmp_path / "b.csv", ["发票号码", "货物名称", "spbm", "slv", "je", "kprq"],
        ["1", "螺纹钢", REBAR, "13%", "50.00", "20240506101112"],
        ["", TIN, TEA, "13%", "80.00", ""],
    )  # fmt: skip
    recode(out, first, second, review=True, tenant="acme")
    _decide(store, assistant, POTTERY)
    assert apply_reviews(assistant, out, "acme", raw=False) == (3, 0)
    assert [row["code"] for row in _rows(out)] == [POTTERY, REBAR, POTTERY, REBAR, POTTERY]
    assert _rows(out)[-1]["tax_declared"] == "10.40"


def test_a_ruling_is_written_back_before_a_decision(
    tmp_path: Path, store: Store, recode: Recode, assistant: Assistant
) -> None:
    out = tmp_path / "out.csv"
    recode(out, csv_of(tmp_path / "l.csv", HEAD, *ROWS), review=True, tenant="acme")
    _decide(store, assistant, TEA)
    draft = Draft("按注释", effective_on=dt.date(2024, 6, 1))
    issue(store, "acme", Subject(TIN), POTTERY, draft, "pc_1")
    assert apply_reviews(assistant, out, "acme", raw=False) == (2, 0)
    # In May the ruling was not yet in force.
    assert [row["code"] for row in _rows(out)] == [TEA, REBAR, POTTERY]
def _settle(store: Store, code: str) -> None:
    """Decide what waits, for its tenant alone."""
    with store.transaction() as db:
        db.execute("update review_items set state = 'decided', code = ?, decided_at = last_seen",
                   [code])  # fmt: skip


def test_what_was_decided_answers_the_next_history_of_its_tenant(
    tmp_path: Path, store: Store, recode: Recode
) -> None:
    source, out = csv_of(tmp_path / "lines.csv", HEAD, *ROWS), tmp_path / "out.csv"
    recode(out, source, review=True, tenant="acme")
    _settle(store, POTTERY)
    memory = Memory(store.path, "acme")
    outcome = recode(out, source, review=True, tenant="acme", memory=memory)
    rows = table(out)
    assert [(row["code"], row["tier"]) for row in rows] == [
        (POTTERY, "strong"), (REBAR, "strong"), (POTTERY, "strong"),
    ]  # fmt: skip
    assert f"人工确认应为 {POTTERY}" in rows[0]["findings"]
    assert outcome.queued == 0
    recode(out, source, memory=Memory(store.path, "other"))
    assert table(out)[0]["tier"] != "strong"


def test_a_decision_does_not_answer_where_its_code_could_not_be_used(
    tmp_path: Path, store: Store, recode: Recode
) -> None:
    source, out = csv_of(tmp_path / "lines.csv", HEAD, *ROWS), tmp_path / "out.csv"
    recode(out, source, review=True, tenant="acme")
    before = [row["code"] for row in table(out)]
    _settle(store, "1080000000000000000")
    recode(out, source, memory=Memory(store.path, "acme"))
    assert [row["code"] for row in table(out)] == before


def test_an_end_that_is_repeated_hands_nothing_over_twice(
    tmp_path: Path, store: Store, assistant: Assistant
) -> None:
    source, out = csv_of(tmp_path / "lines.csv", HEAD, *ROWS), tmp_path / "out.csv"
    options = Options((str(source),), out, review=True, tenant="acme", workers=1)
    first = Run(assistant, options)
    first.run(keep=True)
    content = out.read_bytes()
    out.unlink()
    again = Run(assistant, options)
    again.run(resume=True)
    assert out.read_bytes() == content
    assert (again.faulty, again.rejected) == (first.faulty, first.rejected)
    (item,) = waiting(store)
    assert (item["times"], item["amount"]) == (2, 12050)
    with pytest.raises(NotResumableError):
        Run(assistant, options).run(resume=True)


def test_another_file_is_not_rewritten(tmp_path: Path, store: Store, assistant: Assistant) -> None:
    source = csv_of(tmp_path / "lines.csv", HEAD, *ROWS)
    with pytest.raises(InputError, match="不是 invoicer recode 的输出"):
        apply_reviews(assistant, source, "acme", raw=False)
