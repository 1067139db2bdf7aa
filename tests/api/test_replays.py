"""`Idempotency-Key`: repeated as often as wanted, done once."""

from __future__ import annotations

import asyncio
import threading

import pytest
from checks import problem
from fastapi.testclient import TestClient

from api.service import Service

FISH = "1030109050000000000"
LINE = {"name": "其他", "amount": 5, "review": "auto"}
TOLD = {"line": {"name": "鱼排"}, "code": FISH}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/classify", LINE),
        ("/v1/classify", {"lines": [LINE, {"name": ""}], "review": "auto"}),
        ("/v1/feedback", TOLD),
    ],
)
def test_a_repeat_gets_the_first_answer_byte_for_byte_and_writes_once(
    client: TestClient, service: Service, auth, path, body
) -> None:
    headers = {**auth(), "Idempotency-Key": "order-4711"}
    first = client.post(path, json=body, headers=headers)
    repeats = [client.post(path, json=body, headers=headers) for _ in range(3)]
    assert first.status_code in (200, 201)
    for repeat in repeats:
        assert (repeat.status_code, repeat.content) == (first.status_code, first.content)
        assert repeat.headers["content-type"] == first.headers["content-type"]
        assert repeat.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    service.inbox.close()
    written = service.store.rows("select times from review_items union all select 1 from feedback")
    assert written == [{"times": 1}]


def test_without_a_key_every_request_is_its_own(client: TestClient, auth) -> None:
    headers = auth()
    answers = {client.post("/v1/feedback", json=TOLD, headers=headers).text for _ in range(3)}
    assert len(answers) == 3


def test_another_request_under_the_same_key_is_a_conflict(client: TestClient, auth) -> None:
    headers = {**auth(), "Idempotency-Key": "k"}
    assert client.post("/v1/classify", json=LINE, headers=headers).status_code == 200
    for path, body in (
        ("/v1/classify", {**LINE, "amount": 6}),
        ("/v1/classify?x=1", LINE),
        ("/v1/feedback", TOLD),
    ):
        problem(client.post(path, json=body, headers=headers), 409, "idempotency_conflict")


def test_keys_of_different_principals_do_not_meet(client: TestClient, auth) -> None:
    ours, colleague = auth(), auth()
    first = client.post("/v1/feedback", json=TOLD, headers={**ours, "Idempotency-Key": "k"})
    second = client.post("/v1/feedback", json=TOLD, headers={**colleague, "Idempotency-Key": "k"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() != second.json()


def test_a_repeat_while_the_first_is_running_is_a_conflict(
    client: TestClient, service: Service, auth
) -> None:
    headers = {**auth(), "Idempotency-Key": "k"}
    started, release = threading.Event(), threading.Event()
    real = service.dispatcher.suggest

    async def held(*given):
        started.set()
        while not release.is_set():
            await asyncio.sleep(0.01)
        return await real(*given)

    service.dispatcher.suggest = held
    answers = []
    first = threading.Thread(
        target=lambda: answers.append(client.post("/v1/classify", json=LINE, headers=headers))
    )
    first.start()
    try:
        assert started.wait(30)
        repeat = client.post("/v1/classify", json=LINE, headers=headers)
        problem(repeat, 409, "idempotency_conflict")
    finally:
        release.set()
        first.join()
    again = client.post("/v1/classify", json=LINE, headers=headers)
    assert again.content == answers[0].content


def test_a_failed_first_request_releases_the_key(
    client: TestClient, service: Service, auth, monkeypatch
) -> None:
    headers = {**auth(), "Idempotency-Key": "k"}
    with monkeypatch.context() as broken:
        broken.setattr(service.dispatcher, "suggest", None)
        problem(client.post("/v1/classify", json=LINE, headers=headers), 500, "internal")
    empty = client.post("/v1/classify", json={"name": " "}, headers=headers)
    problem(empty, 422, "bad_line")
    assert client.post("/v1/classify", json=LINE, headers=headers).status_code == 200


def test_a_key_has_a_length(client: TestClient, auth) -> None:
    headers = auth()
    for key, status in (("k" * 200, 200), ("k" * 201, 422), ("", 422)):
        given = {**headers, "Idempotency-Key": key}
        assert client.post("/v1/classify", json=LINE, headers=given).status_code == status


def test_a_large_answer_is_kept_small(client: TestClient, service: Service, auth) -> None:
    headers = {**auth(), "Idempotency-Key": "k"}
    lines = {"lines": [{"name": f"停车费 {i}"} for i in range(1000)]}
    first = client.post("/v1/classify", json=lines, headers=headers)
    assert len(first.json()["results"]) == 1000
    again = client.post("/v1/classify", json=lines, headers=headers)
    assert again.content == first.content
    (row,) = service.store.rows("select length(body) as size from first_answers")
    assert row["size"] * 5 < len(first.content)
