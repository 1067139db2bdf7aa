"""`review`: which lines reach the queue, under which number, and how they are counted."""

from __future__ import annotations

from collections import Counter

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.service import Service
from invoicer.review.items import identity

NAMES = ["停车费", "薯片", "其他", "弹簧床垫 1.8m", "服务费"]


def items(service: Service) -> dict[str, dict[str, object]]:
    service.inbox.close()
    return {row["id"]: row for row in service.store.rows("select * from review_items")}


def test_medium_and_weak_lines_reach_the_queue_under_the_number_that_was_answered(
    client: TestClient, service: Service, auth
) -> None:
    body = {"lines": [{"name": name, "amount": 2.5} for name in NAMES], "review": "auto"}
    results = client.post("/v1/classify", json=body, headers=auth()).json()["results"]
    assert {row["tier"] for row in results} == {"strong", "medium", "weak"}
    sent = {row["review_id"]: row for row in results if row["review_id"]}
    assert [bool(row["review_id"]) for row in results] == [
        row["tier"] != "strong" for row in results
    ]
    found = items(service)
    assert set(found) == set(sent)
    for ident, row in found.items():
        assert row["tier"] == sent[ident]["tier"]
        assert row["confidence"] == pytest.approx(sent[ident]["confidence"], abs=1e-3)
        assert (row["times"], row["amount"], row["tenant"]) == (1, 250, "acme")


def test_repeated_questions_count_up(client: TestClient, service: Service, auth) -> None:
    headers = auth(review="auto")
    line = {"name": "其他", "amount": "1.50"}
    one = client.post("/v1/classify", json=line, headers=headers).json()
    many = client.post(
        "/v1/classify", json={"lines": [line, {"name": " 其他 ", "amount": -0.5}, line]},
        headers=headers,
    ).json()  # fmt: skip
    assert {row["review_id"] for row in many["results"]} == {one["review_id"]}
    ((ident, row),) = items(service).items()
    assert ident == one["review_id"]
    assert (row["times"], row["amount"]) == (4, 400)


@pytest.mark.parametrize(
    ("asked", "default", "reaches"),
    [
        ("none", "none", False), ("none", "auto", False), ("auto", "none", True),
        ("auto", "auto", True), (None, "none", False), (None, "auto", True),
    ],
)  # fmt: skip
def test_the_call_decides_and_the_key_where_the_call_is_silent(
    client: TestClient, service: Service, auth, asked, default, reaches: bool
) -> None:
    headers = auth(review=default)
    extra = {"review": asked} if asked else {}
    one = client.post("/v1/classify", json={"name": "其他", **extra}, headers=headers).json()
    body = {"lines": [{"name": "服务费"}], **extra}
    (row,) = client.post("/v1/classify", json=body, headers=headers).json()["results"]
    assert [bool(one["review_id"]), bool(row["review_id"])] == [reaches, reaches]
    assert len(items(service)) == (2 if reaches else 0)


def test_a_stop_of_the_service_writes_what_is_waiting(service: Service, auth) -> None:
    body = {"lines": [{"name": f"其他 {i}{i}"} for i in range(300)], "review": "auto"}
    with TestClient(create_app(service.settings, service)) as client:
        results = client.post("/v1/classify", json=body, headers=auth()).json()["results"]
    sent = Counter(row["review_id"] for row in results if row["review_id"])
    rows = service.store.rows("select id, times from review_items")
    assert {row["id"]: row["times"] for row in rows} == dict(sent)


def test_the_number_is_that_of_the_question(client: TestClient, service: Service, auth) -> None:
    from invoicer import InvoiceLine

    body = {"spmc": "其他", "单位": "项", "review": "auto"}
    answer = client.post("/v1/classify", json=body, headers=auth()).json()
    line = InvoiceLine("其他", unit="项")
    assert answer["review_id"] == identity("acme", line, service.assistant.rate_table).item
