"""API keys: long, shown once, kept as a hash, ended at once."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import math
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from invoicer.access import audit, keys, tenants
from invoicer.access.principals import AuthenticationError, Role
from invoicer.cli import app
from invoicer.errors import InputError
from invoicer.store import Store, utc_text


def dump(store: Store) -> str:
    """Every value in the database."""
    return "\n".join(store.db.conn.iterdump())


def test_a_key_has_at_least_160_random_bits(store: Store) -> None:
    texts = {keys.create(store, "acme", "ERP", Role.CLIENT)[1] for _ in range(20)}
    secrets = {text.split("_", 2)[2] for text in texts}
    assert len(secrets) == 20
    # 64 different characters carry six bits each.
    assert all(len(secret) * 6 >= 160 for secret in secrets)
    assert all(text.startswith("ivk_") for text in texts)


def test_only_the_hash_of_a_key_is_kept(store: Store) -> None:
    _, text = keys.create(store, "acme", "ERP", Role.CLIENT)
    assert text not in dump(store)
    assert text.split("_", 2)[2] not in dump(store)
    assert hashlib.sha256(text.encode()).hexdigest() in dump(store)


def test_a_key_says_whose_it_is(store: Store) -> None:
    made, text = keys.create(
        store, "acme", " ERP ", Role.REVIEWER, review="auto", lines_per_second=50
    )
    assert keys.authenticate(store, text) == made
    assert (made.tenant, made.name, made.role) == ("acme", "ERP", Role.REVIEWER)
    assert (made.review, made.lines_per_second) == ("auto", 50)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "", lambda text: "ivk_", lambda text: text[:-1], lambda text: text + "A",
        lambda text: text.upper(), lambda text: text.replace("ivk", "ivx"),
        lambda text: "ivk__" + text.split("_", 2)[2], lambda text: text.rsplit("_", 1)[0],
        lambda text: f"{text}\x00", lambda text: text.split("_", 2)[2],
        lambda text: "ivk_' or 1=1 --_x", lambda text: "ivk_" + "x" * 100_000 + "_y",
    ],
)  # fmt: skip
def test_anything_but_the_whole_key_is_nobody(store: Store, spoil) -> None:
    _, text = keys.create(store, "acme", "ERP", Role.CLIENT)
    with pytest.raises(AuthenticationError):
        keys.authenticate(store, spoil(text))


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_breaks_authentication(tmp_path_factory, text: str) -> None:
    store = Store.open(tmp_path_factory.getbasetemp() / "nobody.db")
    with pytest.raises(AuthenticationError):
        keys.authenticate(store, text)
    store.close()


def test_a_hash_is_compared_in_constant_time_even_where_there_is_no_key(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(
        keys.hmac, "compare_digest", lambda a, b: compared.append((a, b)) or real(a, b)
    )
    with pytest.raises(AuthenticationError):
        keys.authenticate(store, "ivk_0000000000_nothing")
    _, text = keys.create(store, "acme", "ERP", Role.CLIENT)
    keys.authenticate(store, text)
    assert [len(a) == len(b) == 64 for a, b in compared] == [True, True]


def test_an_expired_key_is_nobody(store: Store) -> None:
    made, text = keys.create(store, "acme", "ERP", Role.CLIENT, days=1)
    assert keys.authenticate(store, text) == made
    past = utc_text(dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))
    with store.transaction() as db:
        db.execute("update keys set expires_at = ?", [past])
    with pytest.raises(AuthenticationError):
        keys.authenticate(store, text)


def test_a_revoked_key_is_nobody_at_once_and_every_reason_reads_the_same(store: Store) -> None:
    made, text = keys.create(store, "acme", "ERP", Role.CLIENT)
    other, still = keys.create(store, "acme", "Shop", Role.CLIENT)
    keys.revoke(store, made.id)
    with pytest.raises(AuthenticationError) as revoked:
        keys.authenticate(store, text)
    with pytest.raises(AuthenticationError) as unknown:
        keys.authenticate(store, "ivk_x_y")
    assert revoked.value.to_dict() == unknown.value.to_dict()
    assert keys.authenticate(store, still) == other


def test_a_key_is_revoked_once_and_only_by_its_tenant(store: Store) -> None:
    tenants.create(store, "other")
    made, text = keys.create(store, "acme", "ERP", Role.CLIENT)
    with pytest.raises(InputError):
        keys.revoke(store, made.id, tenant="other")
    assert keys.authenticate(store, text)
    keys.revoke(store, made.id.removeprefix("key:"), tenant="acme")
    with pytest.raises(InputError):
        keys.revoke(store, made.id)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tenant": "nobody"}, {"name": "  "}, {"name": "名" * 101}, {"review": "always"},
        {"lines_per_second": 0}, {"lines_per_second": math.nan}, {"lines_per_second": math.inf},
        {"days": 0}, {"days": 10**9},
    ],
    ids=str,
)  # fmt: skip
def test_a_key_that_makes_no_sense_is_refused(store: Store, wrong: dict[str, object]) -> None:
    given = {"tenant": "acme", "name": "ERP", "role": Role.CLIENT, **wrong}
    with pytest.raises(InputError):
        keys.create(store, **given)
    assert keys.keys(store) == []


def test_roles_stand_one_above_the_other() -> None:
    order = [Role.CLIENT, Role.REVIEWER, Role.EXPERT, Role.ADMIN]
    for place, role in enumerate(order):
        assert [role.includes(needed) for needed in order] == [i <= place for i in range(4)]


def test_the_database_knows_no_other_role(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as db:
        db.execute("insert into principals values ('key:x', 'acme', 'key', 'x', 'god', '', null)")


def test_the_command_shows_a_key_once_and_lists_it_without(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVOICER_DATABASE", str(store.path))

    def run(*args: str) -> str:
        done = CliRunner().invoke(app, ["keys", *args])
        assert done.exit_code == 0, done.output
        return done.stdout

    text = run("create", "--tenant", "acme", "--name", "ERP", "--role", "expert").strip()
    principal = keys.authenticate(store, text)
    assert principal.role is Role.EXPERT
    listed = run("list")
    assert principal.id in listed
    assert text.split("_", 2)[2] not in listed
    run("revoke", principal.id)
    with pytest.raises(AuthenticationError):
        keys.authenticate(store, text)
    acts = [(act["action"], act["actor"], act["subject"]) for act in audit.acts(store, "acme")]
    assert acts[:2] == [
        ("key.revoke", "operator", principal.id), ("key.create", "operator", principal.id),
    ]  # fmt: skip
    assert text not in dump(store)
