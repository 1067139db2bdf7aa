"""Limits of rate, size and time, each with its own refusal."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from checks import bearer, problem
from fastapi.testclient import TestClient
from handing_in import when

from api.app import create_app
from api.middleware import ANONYMOUS_BODY
from api.service import Service
from invoicer.access.limits import RateLimit

LINE = {"name": "停车费"}


@pytest.fixture
def limited(service: Service, tmp_path) -> Iterator[TestClient]:
    """A service that hardly pays off: a burst of ten lines for keys without their own rate."""
    service.limit = RateLimit(tmp_path / "slow.db", 0.01, burst_seconds=1000)
    with TestClient(create_app(service.settings, service)) as client:
        yield client


def test_too_many_requests_are_refused_with_the_time_to_wait(limited: TestClient, auth) -> None:
    headers = auth()
    for _ in range(10):
        assert limited.get("/v1/codes?q=鱼", headers=headers).status_code == 200
    response = limited.get("/v1/codes?q=鱼", headers=headers)
    error = problem(response, 429, "too_many_requests")
    assert int(response.headers["retry-after"]) == error["context"]["retry_after"] > 50
    # Another key has not spent anything.
    assert limited.get("/v1/codes?q=鱼", headers=auth()).status_code == 200


def test_every_line_of_a_batch_counts(limited: TestClient, auth) -> None:
    headers = auth()
    first = limited.post("/v1/classify", json={"lines": [LINE] * 8}, headers=headers)
    assert first.status_code == 200
    second = limited.post("/v1/classify", json={"lines": [LINE] * 8}, headers=headers)
    problem(second, 429, "too_many_requests")
    assert limited.post("/v1/classify", json=LINE, headers=headers).status_code == 200


def test_a_key_may_have_a_rate_of_its_own_and_still_send_a_large_batch(
    limited: TestClient, auth
) -> None:
    slow = auth(lines_per_second=2)
    batch = {"lines": [LINE] * 200}  # a hundred seconds' worth: far more than any burst
    assert limited.post("/v1/classify", json={"lines": [LINE] * 20}, headers=auth(
        lines_per_second=50)).status_code == 200  # fmt: skip
    assert limited.post("/v1/classify", json=batch, headers=slow).status_code == 200


def test_refused_attempts_count_too(limited: TestClient, auth) -> None:
    headers = auth()
    answers = [limited.get("/metrics", headers=headers).status_code for _ in range(12)]
    assert Counter(answers) == {403: 10, 429: 2}


def test_worker_processes_share_the_limit_of_a_key(serve, tmp_path) -> None:
    variables = {"INVOICER_WORKERS": "2", "INVOICER_LINES_PER_SECOND": "1"}  # a burst of ten
    with serve(tmp_path, **variables) as live:
        headers = bearer(live.key_of())
        answers: list[int] = []

        def send() -> None:
            for _ in range(20):
                # A connection each, so that both processes get their share.
                answers.append(httpx.get(f"{live.url}/v1/codes?q=鱼", headers=headers).status_code)

        started = time.monotonic()
        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counted = Counter(answers)
        assert set(counted) == {200, 429}
        # One account: processes that count for themselves would let twice as many through.
        assert 10 <= counted[200] <= 10 + (time.monotonic() - started) + 1


def test_the_running_service_forgets_accounts_that_are_paid_off(service: Service) -> None:
    RateLimit(service.limit.path, 1_000_000).take("sign-in from 192.0.2.1")
    service.limit.owe("key:1/jobs", 1_000_000_000)
    with TestClient(create_app(service.settings, service)):
        when(lambda: accounts(service.limit.path) == ["key:1/jobs"])


def accounts(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as limits:
        return [name for (name,) in limits.execute("select principal from spent")]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(client: TestClient, auth, chunked: bool) -> None:
    most = client.app.state.service.settings.max_body
    body = json.dumps({"name": "停车费", "spec": "x" * most}).encode()
    content = iter([body[:1000], body[1000:]]) if chunked else body
    headers = {**auth(), "Content-Type": "application/json"}
    problem(client.post("/v1/classify", content=content, headers=headers), 413, "too_large")


def test_a_body_as_large_as_allowed_is_read(client: TestClient, auth) -> None:
    most = client.app.state.service.settings.max_body
    body = json.dumps({"name": "停车费"}).ljust(most)
    headers = {**auth(), "Content-Type": "application/json"}
    for content in (body.encode(), iter([body.encode()])):
        assert client.post("/v1/classify", content=content, headers=headers).status_code == 200


def test_a_large_body_from_nobody_is_not_even_read(service: Service) -> None:
    """Called as a server calls it, to see that the body is left where it is."""
    app = create_app(service.settings, service)
    size = str(ANONYMOUS_BODY + 1).encode()

    async def call(headers: list[tuple[bytes, bytes]]) -> int:
        sent = []

        async def receive():
            raise AssertionError("the body was read")

        async def send(message) -> None:
            sent.append(message)

        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1",
                 "method": "POST", "path": "/v1/classify", "raw_path": b"/v1/classify",
                 "query_string": b"", "root_path": "", "scheme": "http", "client": None,
                 "headers": [(b"content-type", b"application/json"), *headers]}  # fmt: skip
        await app(scope, receive, send)
        return sent[0]["status"]

    assert asyncio.run(call([(b"content-length", size)])) == 401
    assert asyncio.run(call([(b"transfer-encoding", b"chunked")])) == 401
    assert asyncio.run(call([(b"content-length", b"9" * 5000)])) == 413


def test_a_request_that_takes_too_long_is_ended(service: Service, auth) -> None:
    service.settings = service.settings.model_copy(update={"request_seconds": 0.05})

    async def slow(*_: object) -> None:
        await asyncio.sleep(30)

    service.dispatcher.suggest = slow
    with TestClient(create_app(service.settings, service)) as client:
        headers = {**auth(), "Idempotency-Key": "k"}
        for _ in range(2):  # the key is released, so the second is no conflict
            response = client.post("/v1/classify", json=LINE, headers=headers)
            problem(response, 503, "timeout")
        assert client.get("/healthz").status_code == 200
