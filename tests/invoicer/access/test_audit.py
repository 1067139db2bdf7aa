"""The audit only ever grows."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from invoicer.access import audit, tenants
from invoicer.store import Store


@pytest.mark.parametrize(
    "statement",
    [
        "delete from audit",
        "delete from audit where id = 1",
        "update audit set actor = 'somebody else'",
        "update or replace audit set id = 99 where id = 1",
        "insert or replace into audit values (1, '', '', 'somebody else', '', '', '')",
        "insert into audit values (1, '', '', 'x', '', '', '')"
        " on conflict (id) do update set actor = 'somebody else'",
    ],
)
def test_no_statement_changes_what_was_written(store: Store, statement: str) -> None:
    before = audit.acts(store)
    # As any other program would, without the settings of this one.
    with closing(sqlite3.connect(store.path)) as plain, pytest.raises(sqlite3.IntegrityError):
        plain.execute(statement)
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as db:
        db.execute(statement)
    assert audit.acts(store) == before


def test_acts_are_listed_newest_first_by_tenant(store: Store) -> None:
    tenants.create(store, "other", retention_days=30)
    audit.record(store, "acme", "key:1", "key.create", "key:2", role="client")
    assert [act["subject"] for act in audit.acts(store)] == ["key:2", "other", "acme"]
    (first, _) = audit.acts(store, "acme")
    assert (first["actor"], first["action"]) == ("key:1", "key.create")
    assert first["detail"] == '{"role": "client"}'
    assert audit.acts(store, "nobody") == []
    assert len(audit.acts(store, limit=1)) == 1
