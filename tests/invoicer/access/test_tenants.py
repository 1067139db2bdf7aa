"""Tenants: apart from one another, exported without secrets, erased without a rest."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from pathlib import Path

import pytest
from typer.testing import CliRunner

from invoicer import InvoiceLine
from invoicer.access import audit, idempotency, keys, tenants, users
from invoicer.access.idempotency import FirstAnswer
from invoicer.access.principals import AuthenticationError, Principal, Role
from invoicer.cli import app
from invoicer.errors import InputError
from invoicer.jobs import files
from invoicer.review import appeals, cases, feedback, inbox, states, webhooks
from invoicer.review.appeals import Contested
from invoicer.review.issuing import Draft, issue
from invoicer.review.items import ReviewItem
from invoicer.review.subjects import Subject
from invoicer.store import Store
from invoicer.suggestion import Tier

NAME = "柚子味鱼排机密品"
NOW = dt.datetime.now(dt.UTC)


def item_of(ident: str, tenant: str) -> ReviewItem:
    """A question that holds a name nobody else may see."""
    return ReviewItem(
        ident, tenant, "question", NAME, False, {"name": NAME}, {"code": ""}, Tier.WEAK, 0.2, 100
    )


def fill(store: Store, tenant: str) -> str:
    """Something of the tenant in every table; returns the text of its key."""
    if tenant != "acme":
        tenants.create(store, tenant)
    principal, text = keys.create(store, tenant, "ERP", Role.CLIENT)
    inbox.add(store, [item_of(f"rv_{tenant}", tenant)])
    item = store.row("select * from review_items where tenant = ?", [tenant])
    assert item is not None
    states.record(store, item, principal.id, "skip", "open", why=NAME)
    users.add(store, tenant, f"{tenant}-anna", "Anna", Role.REVIEWER, "a long password")
    users.sign_in(store, f"{tenant}-anna", "a long password")
    webhooks.add(store, tenant, "https://erp.example/hook", ["erp.example"])
    with store.transaction() as db:
        db.execute("insert into review_votes values (?, ?, ?, '', '', ?)",
                   [item["id"], tenant, principal.id, NAME])  # fmt: skip
        webhooks.enqueue(store, item, "review.decided", "", NAME)
    feedback.record(store, principal, InvoiceLine(NAME), code="1030109050000000000")
    idempotency.claim(store, principal, "k", b"body")
    idempotency.keep(store, principal, "k", FirstAnswer(200, NAME.encode()))
    with store.transaction() as db:
        db.execute(
            "insert into jobs (id, tenant, principal, state, suffix, options, created_at)"
            " values (?, ?, ?, 'failed', '.csv', '{}', '2026-11-27')",
            [files.new_id(), tenant, principal.id],
        )
        db.execute("insert into answered values (?, '2026-11-27', 'weak', 1)", [tenant])
        db.execute("insert into recode_handovers values (?, ?, 1, '2026-11-27')",
                   [f"run-{tenant}", tenant])  # fmt: skip
        db.execute("insert into answered_by values (?, '2026-11', '101', '', 'weak', 1)", [tenant])
        db.execute(
            "insert into proposals (id, tenant, edits, why, provisional, item, ruling, proposed_by,"
            " proposed_at) values (?, ?, ?, '', 0, '', '', ?, '2026-11-27')",
            [f"pp_{tenant}", tenant, NAME, principal.id],
        )
    contest(store, principal)
    return text


def contest(store: Store, principal: Principal) -> None:
    """A case whose vote is closed, its ruling, and an appeal with a file."""
    line = InvoiceLine(NAME)
    case = cases.insert(store, principal, line, {"candidates": []}, NAME, "2026-11-27", None)
    draft = Draft(NAME)
    issue(store, principal.tenant, Subject(NAME), "1030109050000000000", draft, case)
    appeal = appeals.insert(store, principal, line, Contested("1030109050000000000"), NAME, 15)
    with store.transaction() as db:
        db.execute("insert into panel_votes values (?, ?, ?, '', '', ?)",
                   [case, principal.tenant, principal.id, NAME])  # fmt: skip
        db.execute("update panel_cases set state = 'counted' where id = ?", [case])
        db.execute("insert into appeal_files values (?, ?, ?, ?, 'pdf', 1, '', '')",
                   ["af_" + secrets.token_hex(20), appeal["id"], principal.tenant,
                    NAME])  # fmt: skip


def rows_of(store: Store, tenant: str) -> dict[str, int]:
    """Rows of a tenant by table."""
    return {
        table: len(store.rows(f"select 1 from [{table}] where tenant = ?", [tenant]))
        for table in tenants.owned_tables(store)
    }


def add_table(store: Store) -> None:
    """A table that nobody had thought of when erasing and exporting were written."""
    with store.transaction() as db:
        db.execute(
            "create table pictures (id integer primary key, tenant text not null references"
            " tenants, item text references review_items, image blob, upload_token text)"
        )
        db.execute("insert into pictures values (1, 'acme', 'rv_acme', x'00ff', 'geheim')")


def test_every_table_of_ours_says_whose_a_row_is(store: Store) -> None:
    ours = {name for name in store.db.table_names() if not name.startswith(("_", "sqlite_"))}
    for_all = {"promoted", "trainings", "previews", "ruling_numbers"}
    assert set(tenants.owned_tables(store)) == ours - for_all


def test_every_table_ages_or_is_known_to_stay(store: Store) -> None:
    stay = {"tenants", "principals", "keys", "users", "sessions", "webhooks", "audit"}
    stay |= {"review_votes", "review_events"}  # they go with their item
    stay |= {"panel_votes", "panel_events", "appeal_files"}  # with their case or appeal
    stay |= {"rulings", "answered", "answered_by"}  # what binds; numbers without a name
    assert set(tenants.owned_tables(store)) == stay | set(tenants.AGEING)


def test_an_erased_tenant_leaves_nothing_but_its_audit(store: Store) -> None:
    text = fill(store, "acme")
    fill(store, "other")
    before = rows_of(store, "other")
    add_table(store)
    assert all(rows_of(store, "acme").values())
    assert tenants.erase(store, "acme") >= 5
    left = rows_of(store, "acme")
    assert {table for table, count in left.items() if count} == {"tenants", "audit"}
    assert rows_of(store, "other") == {**before, "pictures": 0}
    with pytest.raises(AuthenticationError):
        keys.authenticate(store, text)
    assert audit.acts(store, "acme")[0]["action"] == "tenant.erase"
    assert NAME not in json.dumps(audit.acts(store), ensure_ascii=False)


def test_nothing_of_an_erased_tenant_lingers_in_the_file(store: Store) -> None:
    fill(store, "acme")
    store.rows("pragma wal_checkpoint(truncate)")
    assert NAME.encode() in store.path.read_bytes()
    tenants.erase(store, "acme")
    for path in store.path.parent.iterdir():
        assert NAME.encode() not in path.read_bytes(), path.name


def test_what_was_on_its_way_when_the_tenant_was_erased_is_dropped_or_swept(store: Store) -> None:
    fill(store, "acme")
    tenants.erase(store, "acme")
    inbox.add(store, [item_of("rv_1", "acme")])
    assert rows_of(store, "acme")["review_items"] == 0
    principal = Principal("key:gone", "acme", "ERP", Role.CLIENT)
    feedback.record(store, principal, InvoiceLine(NAME), code="1030109050000000000")
    assert tenants.retain(store) == 1
    assert rows_of(store, "acme")["feedback"] == 0


def test_the_name_of_an_erased_tenant_is_never_given_again(store: Store) -> None:
    tenants.erase(store, "acme")
    for act in (tenants.create, tenants.erase, tenants.require):
        with pytest.raises(InputError):
            act(store, "acme")


def test_an_export_holds_every_row_and_no_secret(store: Store, tmp_path: Path) -> None:
    text = fill(store, "acme")
    fill(store, "other")
    add_table(store)
    target = tmp_path / "acme.jsonl"
    count = tenants.export(store, "acme", target)
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == count == sum(rows_of(store, "acme").values()) - 1  # its own audit line
    assert {row["table"] for row in rows} == set(tenants.owned_tables(store))
    assert {row["row"]["tenant"] for row in rows} == {"acme"}
    (picture,) = (row["row"] for row in rows if row["table"] == "pictures")
    assert picture == {"id": 1, "tenant": "acme", "item": "rv_acme", "image": "AP8="}
    written = target.read_text(encoding="utf-8")
    (stored,) = store.rows("select sha256 from keys where tenant = 'acme'")
    assert stored["sha256"] not in written
    assert text not in written
    assert target.stat().st_mode & 0o777 == 0o600
    assert audit.acts(store, "acme")[0]["action"] == "tenant.export"


def test_an_export_that_cannot_be_written_is_a_clear_error(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="无法写入"):
        tenants.export(store, "acme", tmp_path / "missing" / "acme.jsonl")


def test_retention_deletes_what_is_older_and_of_that_tenant_only(store: Store) -> None:
    fill(store, "acme")
    fill(store, "keeps")
    tenants.create(store, "short", retention_days=30)
    inbox.add(store, [item_of("rv_short", "short")])
    assert tenants.retain(store, NOW + dt.timedelta(days=29)) == 0
    assert tenants.retain(store, NOW + dt.timedelta(days=31)) == 1
    assert rows_of(store, "short")["review_items"] == 0
    assert rows_of(store, "keeps")["review_items"] == 1


@pytest.mark.parametrize("name", ["", "-a", "A", "甲", "a b", "a/b", "a" * 41, "a\n", "a;drop"])
def test_a_tenant_has_a_plain_name(store: Store, name: str) -> None:
    with pytest.raises(InputError):
        tenants.create(store, name)


@pytest.mark.parametrize("days", [0, -1, 10**9])
def test_a_retention_that_makes_no_sense_is_refused(store: Store, days: int) -> None:
    with pytest.raises(InputError):
        tenants.create(store, "short", retention_days=days)


def test_the_commands(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVOICER_DATABASE", str(store.path))

    def run(*args: str, answer: str = "") -> tuple[int, str]:
        done = CliRunner().invoke(app, ["tenants", *args], input=answer)
        return done.exit_code, done.output

    assert run("create", "shop", "--name", "小店", "--retention-days", "30")[0] == 0
    assert "小店" in run("list")[1]
    code, said = run("create", "shop")
    assert (code, said.startswith("错误:租户“shop”已存在")) == (2, True)
    assert run("export", "shop", "-o", str(tmp_path / "shop.jsonl"))[0] == 0
    assert run("erase", "shop", answer="n\n")[0] == 1
    assert tenants.require(store, "shop")
    assert run("erase", "shop", "--yes")[0] == 0
    assert run("export", "shop", "-o", str(tmp_path / "again.jsonl"))[0] == 2
