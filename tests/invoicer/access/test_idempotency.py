"""A repeated request gets the first answer; another request under its key is a conflict."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from invoicer.access import idempotency, tenants
from invoicer.access.idempotency import ConflictError, FirstAnswer
from invoicer.access.principals import Principal, Role
from invoicer.store import Store, utc_text

ERP = Principal("key:erp", "acme", "ERP", Role.CLIENT)
ANSWER = FirstAnswer(200, '{"code": "柚子"}\n'.encode())


def age(store: Store, **ago: float) -> None:
    """Let time pass for every kept answer."""
    with store.transaction() as db:
        moment = utc_text(dt.datetime.now(dt.UTC) - dt.timedelta(**ago))
        db.execute("update first_answers set at = ?", [moment])


def test_a_repeat_gets_the_first_answer_byte_for_byte(store: Store) -> None:
    assert idempotency.claim(store, ERP, "k", b"body") is None
    idempotency.keep(store, ERP, "k", ANSWER)
    assert idempotency.claim(store, ERP, "k", b"body") == ANSWER
    assert idempotency.claim(store, ERP, "k", b"body") == ANSWER


def test_another_request_under_the_key_is_a_conflict_before_and_after(store: Store) -> None:
    idempotency.claim(store, ERP, "k", b"body")
    with pytest.raises(ConflictError, match="另一个请求"):
        idempotency.claim(store, ERP, "k", b"other")
    idempotency.keep(store, ERP, "k", ANSWER)
    with pytest.raises(ConflictError, match="另一个请求"):
        idempotency.claim(store, ERP, "k", b"other")


def test_a_repeat_while_the_first_runs_is_a_conflict(store: Store) -> None:
    idempotency.claim(store, ERP, "k", b"body")
    with pytest.raises(ConflictError, match="正在处理"):
        idempotency.claim(store, ERP, "k", b"body")


def test_a_failed_request_releases_its_key_but_never_a_kept_answer(store: Store) -> None:
    idempotency.claim(store, ERP, "k", b"body")
    idempotency.release(store, ERP, "k")
    assert idempotency.claim(store, ERP, "k", b"other") is None
    idempotency.keep(store, ERP, "k", ANSWER)
    idempotency.release(store, ERP, "k")
    assert idempotency.claim(store, ERP, "k", b"other") == ANSWER


def test_a_request_that_died_with_its_worker_can_be_repeated(store: Store) -> None:
    idempotency.claim(store, ERP, "k", b"body")
    age(store, seconds=idempotency.ABANDONED_SECONDS + 1)
    assert idempotency.claim(store, ERP, "k", b"body") is None


def test_keys_of_different_principals_do_not_meet(store: Store) -> None:
    idempotency.claim(store, ERP, "k", b"body")
    idempotency.keep(store, ERP, "k", ANSWER)
    assert idempotency.claim(store, replace(ERP, id="key:shop"), "k", b"other") is None


def test_an_answer_is_kept_for_a_day(store: Store) -> None:
    idempotency.claim(store, ERP, "k", b"body")
    idempotency.keep(store, ERP, "k", ANSWER)
    age(store, hours=23.9)
    assert idempotency.forget_old(store) == 0
    assert idempotency.claim(store, ERP, "k", b"body") == ANSWER
    age(store, hours=24.1)
    assert idempotency.claim(store, ERP, "k", b"other") is None
    age(store, hours=24.1)
    assert idempotency.forget_old(store) == 1


def test_what_a_principal_has_kept_is_bounded_and_the_oldest_goes_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants.create(store, "other")
    kept = {}
    for who in (ERP, Principal("key:x", "other", "x", Role.CLIENT)):
        for number in range(4):
            idempotency.claim(store, who, str(number), b"body")
            idempotency.keep(store, who, str(number), FirstAnswer(200, bytes(10_000)))
        kept[who.id] = who
    (row,) = store.rows("select length(body) as size from first_answers limit 1")
    assert row["size"] < 100  # compressed
    monkeypatch.setattr(idempotency, "KEPT_BYTES", row["size"] * 2)
    assert idempotency.forget_old(store) == 4
    for who in kept.values():
        assert idempotency.claim(store, who, "1", b"body") is None
        assert idempotency.claim(store, who, "3", b"body") == FirstAnswer(200, bytes(10_000))
