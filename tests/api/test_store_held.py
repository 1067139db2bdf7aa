"""While somebody else holds the store's write lock, only who has to write waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
from checks import problem
from fastapi.testclient import TestClient
from httpx import Response

from api.app import create_app
from api.service import Service
from invoicer.access.principals import Role
from invoicer.store import Store
from invoicer.store.database import connect

FISH = "1030109050000000000"
TOLD = {"line": {"name": "鱼排"}, "code": FISH}
Auth = Callable[..., dict[str, str]]
Act = Callable[[], Response]


@contextmanager
def held(store: Store) -> Iterator[None]:
    """The write lock, in the hands of another connection."""
    with closing(connect(store.path, "rw")) as other:
        other.execute("begin immediate")
        yield


@pytest.fixture
def begun(service: Service, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set once a change that a request asks for wants the write lock."""
    event, transaction = threading.Event(), service.store.transaction

    def asked(durable: bool = True):
        # Not what is done in the background.
        if threading.current_thread().name.startswith("changes"):
            event.set()
        return transaction(durable)

    monkeypatch.setattr(service.store, "transaction", asked)
    return event


def a_line_with_a_key(client: TestClient, service: Service, auth: Auth) -> Act:
    headers = {**auth(), "Idempotency-Key": "order-4711"}
    return lambda: client.post("/v1/classify", json={"name": "停车费"}, headers=headers)


def feedback(client: TestClient, service: Service, auth: Auth) -> Act:
    headers = auth()
    return lambda: client.post("/v1/feedback", json=TOLD, headers=headers)


def an_experts_decision(client: TestClient, service: Service, auth: Auth) -> Act:
    body = {"name": "其他", "review": "auto"}
    ident = client.post("/v1/classify", json=body, headers=auth()).json()["review_id"]
    service.inbox.close()
    headers = auth(Role.EXPERT)
    url, decided = f"/v1/reviews/{ident}/decide", {"code": FISH}
    return lambda: client.post(url, json=decided, headers=headers)


def a_new_key_on_its_page(client: TestClient, service: Service, auth: Auth) -> Act:
    headers = auth(Role.ADMIN)
    return lambda: client.post("/people/keys", data={"name": "ERP"}, headers=headers)


@pytest.mark.parametrize(
    "changing", [a_line_with_a_key, feedback, an_experts_decision, a_new_key_on_its_page]
)
def test_a_change_waits_for_the_write_lock_and_others_are_answered_meanwhile(
    client: TestClient, service: Service, auth: Auth, begun: threading.Event, changing
) -> None:
    act, headers = changing(client, service, auth), auth()
    begun.clear()
    with ThreadPoolExecutor(1) as beside:
        with held(service.store):
            change = beside.submit(act)
            assert begun.wait(30)
            line = client.post("/v1/classify", json={"name": "弹簧床垫"}, headers=headers)
            alive = client.get("/healthz")
            read = client.get("/v1/appeals", headers=headers)
            assert [a.status_code for a in (line, alive, read)] == [200, 200, 200]
            assert not change.done()
        assert change.result().is_success


def test_what_has_begun_when_its_time_is_over_is_done_and_answered_what_has_not_is_neither(
    service: Service, auth: Auth, begun: threading.Event
) -> None:
    service.settings = service.settings.model_copy(update={"request_seconds": 0.5})
    headers, colleague = auth(), auth()
    with TestClient(create_app(service.settings, service)) as client:
        begun.clear()
        with ThreadPoolExecutor(1) as beside:
            with held(service.store):
                first = beside.submit(client.post, "/v1/feedback", json=TOLD, headers=headers)
                assert begun.wait(30)
                # It came later: once its time is over, so is that of the first.
                late = client.post("/v1/feedback", json=TOLD, headers=colleague)
                problem(late, 503, "timeout")
                assert not first.done()
            done = first.result()
        assert done.status_code == 201
    assert len(service.store.rows("select * from feedback")) == 1


def test_a_key_whose_time_ends_while_it_waits_is_free_again(
    service: Service, auth: Auth, begun: threading.Event
) -> None:
    service.settings = service.settings.model_copy(update={"request_seconds": 0.5})
    headers, colleague = {**auth(), "Idempotency-Key": "order-4711"}, auth()
    with TestClient(create_app(service.settings, service)) as client:
        begun.clear()
        with ThreadPoolExecutor(1) as beside:
            with held(service.store):
                first = beside.submit(client.post, "/v1/feedback", json=TOLD, headers=headers)
                assert begun.wait(30)
                late = client.post("/v1/feedback", json=TOLD, headers=colleague)
                problem(late, 503, "timeout")
            problem(first.result(), 503, "timeout")
        assert service.store.rows("select * from feedback") == []
        assert client.post("/v1/feedback", json=TOLD, headers=headers).status_code == 201
