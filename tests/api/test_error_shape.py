"""Every failure has one shape and a stable code, names the field, and tells nothing internal."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest
from checks import INTERNAL, problem
from fastapi.testclient import TestClient

from api.middleware import SECURITY_HEADERS
from api.service import Service
from invoicer.access.principals import Role

FISH = "1030109050000000000"
Post = Callable[..., object]


@pytest.fixture
def post(client: TestClient, auth):
    """Sends text to an address as JSON, with a key."""
    headers = {**auth(review="auto"), "Content-Type": "application/json"}

    def send(path: str, body: object, **more: str):
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return client.post(path, content=text, headers={**headers, **more})

    return send


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/codes/", 404, "not_found"),
        ("POST", "/v1/classify/", 404, "not_found"),
        ("GET", "/../../etc/passwd", 404, "not_found"),
        ("GET", "/docs/..%2f..%2fsecret", 404, "not_found"),
        ("GET", "/docs/nothing.js", 404, "not_found"),
        ("GET", "/v1/classify", 405, "method_not_allowed"),
        ("DELETE", "/v1/codes", 405, "method_not_allowed"),
        ("PATCH", "/healthz", 405, "method_not_allowed"),
        ("TRACE", "/v1/classify", 405, "method_not_allowed"),
        ("GET", f"/v1/codes/{FISH[:-1]}", 404, "not_found"),
        ("GET", "/v1/codes/%00", 404, "not_found"),
        ("GET", "/v1/rates/" + "9" * 5000, 404, "not_found"),
        ("GET", "/v1/codes/%ED%A0%80", 404, "not_found"),
        ("GET", "/v1/codes", 422, "bad_request"),
        ("GET", "/v1/codes?q=", 422, "bad_request"),
        ("GET", "/v1/codes?q=a&limit=0", 422, "bad_request"),
        ("GET", "/v1/codes?q=a&limit=" + "9" * 5000, 422, "bad_request"),
        ("GET", "/v1/codes?q=a&limit=nan", 422, "bad_request"),
        ("GET", "/v1/codes?q=a&on=2015-01-01", 422, "bad_request"),
        ("GET", "/v1/codes?q=a&on=gestern", 422, "bad_request"),
        ("GET", f"/v1/rates/{FISH}?taxpayer=big", 422, "bad_request"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_answered(client, auth, method, path, status, code) -> None:
    problem(client.request(method, path, headers=auth(Role.ADMIN)), status, code)


def test_a_query_may_be_any_text(client: TestClient, auth) -> None:
    headers = auth()
    for typed in ("%00", "%ED%A0%80", "'%20or%201=1", "%F0%9F%90%9F", "%", "[", "\\", "*"):
        assert client.get(f"/v1/codes?q={typed}", headers=headers).status_code == 200, typed


@pytest.mark.parametrize(
    "body",
    ["", "{", "[", "{'name': 1}", '{"name": "鱼"', '{"name": "鱼"} {}', b"\xff\xfe", b"\x00", "{]"],
    ids=str,
)
def test_json_that_is_none_is_refused(post, body) -> None:
    response = post("/v1/classify", body)
    assert response.status_code in (400, 422)
    problem(response, response.status_code, "bad_request")


def test_numbers_too_long_and_nesting_too_deep_are_refused(post) -> None:
    problem(post("/v1/classify", '{"name": ' + "9" * 5000 + "}"), 400, "bad_request")
    deep = "[" * 100_000 + "]" * 100_000
    problem(post("/v1/classify", deep), 400, "bad_request")
    problem(post("/v1/classify", '{"name": ' + deep + "}"), 400, "bad_request")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"), ({"name": None}, "name"), ({"name": ""}, "name"), ({"name": "  "}, "name"),
        ({"name": "鱼" * 10_000}, "name"), ({"name": ["鱼"]}, "name"), ({"name": {}}, "name"),
        ({"name": "鱼", "spec": "x" * 1001}, "spec"), ({"name": "鱼", "spec": [1]}, "spec"),
        ({"name": "鱼", "date": "gestern"}, "date"), ({"name": "鱼", "date": "2015-1-1"}, "date"),
        ({"name": "鱼", "taxpayer": "big"}, "taxpayer"),
        ({"name": "鱼", "review": "always"}, "review"),
        ({"lines": []}, "lines"), ({"lines": None}, "lines"), ({"lines": "鱼"}, "lines"),
        ({"lines": {"0": {"name": "鱼"}}}, "lines"),
        ({"lines": [{"name": "鱼"}] * 1001}, "lines"),
        ({"lines": [{"name": "鱼"}], "review": 1}, "review"),
        ([], ""), ("鱼", ""), (1, ""), (None, ""), (True, ""),
    ],
    ids=lambda value: str(value)[:50],
)  # fmt: skip
def test_a_bad_field_is_named(post, body, field: str) -> None:
    response = post("/v1/classify", json.dumps(body))
    code = response.json()["error"]["code"]
    assert code in ("bad_request", "bad_line")
    error = problem(response, 422, code)
    assert error["context"].get("field", "") == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"line": {}}, "line.name"), ({"line": None}, "line"), ({"line": "鱼"}, "line"),
        ({"line": {"name": "鱼", "spec": "x" * 1001}}, "line.spec"),
        ({"code": "123"}, "code"), ({"code": 123}, "code"), ({"code": "{0}"}, "code"),
        ({"code": FISH + "\n"}, "code"), ({"short_name": "\ud800"}, "short_name"),
        ({"short_name": "名" * 41}, "short_name"), ({"review_id": "r" * 61}, "review_id"),
    ],
    ids=str,
)  # fmt: skip
def test_a_bad_field_of_feedback_is_named_with_its_place(post, change, field: str) -> None:
    body = {"line": {"name": "鱼"}, "code": FISH, **change}
    error = problem(post("/v1/feedback", body), 422, "bad_request")
    assert error["context"] == {"field": field}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "nonsense", ""]
)
def test_another_content_type_is_refused(post, kind: str) -> None:
    response = post("/v1/classify", {"name": "鱼"}, **{"Content-Type": kind})
    problem(response, 415, "bad_media_type")


@pytest.mark.parametrize(
    "name",
    [
        "\ud800鱼排\udfff", "鱼\x00排", "\x00", "鱼" * 1000, "{0}{name}%s", "<script>x</script>",
        "';drop table review_items;--", "\u202e鱼排\u202d", "=cmd|' /C calc'!A0", 123, 1e300, 0.5,
        True, "😀" * 500, "a" * 999 + "鱼",
    ],
    ids=lambda value: ascii(value)[:30],
)  # fmt: skip
def test_any_text_is_a_name(post, service: Service, name) -> None:
    body = {"lines": [{"name": name, "spec": name if len(str(name)) < 999 else ""}]}
    response = post("/v1/classify", body)
    assert response.status_code == 200, response.text
    (row,) = response.json()["results"]
    assert row["error"] == "" or row["error"].startswith("name: ")
    service.inbox.close()


def test_amounts_that_are_no_numbers_do_not_break_the_line(post) -> None:
    for amount in ("NaN", "Infinity", "-Infinity", "1e400", "1e13", '"∞"', "-0.0", "9" * 400):
        response = post("/v1/classify", f'{{"name": "鱼排", "amount": {amount}}}')
        assert response.status_code == 200, amount


def test_unknown_fields_are_named_even_where_they_are_no_text(post) -> None:
    response = post("/v1/classify", '{"name": "鱼排", "\\ud800x": 1, "a{0}": {"b": [1]}}')
    assert response.status_code == 200
    assert "a{0}" in response.json()["warnings"][-1]
    many = {f"x{i}": i for i in range(50_000)}
    assert post("/v1/classify", {"name": "鱼排", **many}).status_code == 200


def test_in_a_batch_a_bad_line_stays_in_place_and_the_others_are_answered(post) -> None:
    bad = ["鱼排", None, 1, [], {}, {"name": ""}, {"name": "鱼" * 10_000}, {"name": ["鱼"]},
           {"name": "鱼", "date": "31.12.2026"}, {"name": "鱼", "spec": "x" * 1001}]  # fmt: skip
    lines = [{"name": "停车费"}, *bad, {"name": "弹簧床垫 1.8m"}]
    results = post("/v1/classify", {"lines": lines, "review": "auto"}).json()["results"]
    assert [bool(row["error"]) for row in results] == [False, *[True] * len(bad), False]
    assert (results[0]["code"], results[-1]["short_name"]) == ("3040502020200000000", "家具")
    assert {row["review_id"] for row in results[1:-1]} == {""}
    assert {row["tier"] for row in results[1:-1]} == {"weak"}
    errors = [row["error"] for row in results[1:-1]]
    assert errors[:4] == ["应为 JSON 对象"] * 4
    assert [error.partition(":")[0] for error in errors[4:]] == ["name"] * 4 + ["date", "spec"]
    assert all(row["model_version"] and row["kb_version"] for row in results)


def test_a_mistake_of_ours_tells_nothing_but_the_id(
    client: TestClient, service: Service, auth, monkeypatch, caplog
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret-detail at /srv/invoicer/models/matcher.py")

    monkeypatch.setattr(service.assistant, "suggest", broken)
    headers = {**auth(), "X-Request-ID": "ask-me-0001"}
    with caplog.at_level(logging.ERROR):
        response = client.post("/v1/classify", json={"name": "鱼"}, headers=headers)
    error = problem(response, 500, "internal")
    assert error["request_id"] == "ask-me-0001"
    assert error["context"] == {}
    assert "secret-detail" not in response.text
    assert not INTERNAL.search(response.text)
    # The log has what the caller has not.
    (record,) = [r for r in caplog.records if r.name == "invoicer.service"]
    assert "secret-detail" in str(record.exc_info)
    assert record.__dict__["request_id"] == "ask-me-0001"


def test_a_database_that_is_gone_is_503_and_says_no_path(
    client: TestClient, service: Service, auth
) -> None:
    headers = auth()
    service.store.close()
    service.store.path.rename(service.store.path.with_name("moved.db"))
    for response in (client.get("/readyz"), client.get("/v1/codes?q=鱼", headers=headers)):
        error = problem(response, 503, "store_unavailable")
        assert error["context"] == {}


def test_every_answer_carries_the_security_headers(
    client: TestClient, service: Service, auth, monkeypatch
) -> None:
    headers = auth(Role.ADMIN)
    monkeypatch.setattr(service.dispatcher, "suggest", None)
    answers = [
        client.get("/healthz"), client.get("/nothing"), client.get("/v1/classify"),
        client.get("/v1/codes?q=鱼"), client.get("/v1/codes?q=鱼", headers=headers),
        client.get("/metrics", headers=headers), client.get("/docs", headers=headers),
        client.get("/docs/start.js", headers=headers),
        client.get("/docs/swagger-ui.css", headers=headers),
        client.post("/v1/classify", json={"name": "鱼"}, headers=headers),
        client.post("/v1/classify", json={}, headers=headers),
        client.post("/v1/classify", content=b"x" * 5_000_000, headers=headers),
    ]  # fmt: skip
    found = {answer.status_code for answer in answers}
    assert found == {200, 401, 404, 405, 413, 422, 500}
    for answer in answers:
        for name, value in SECURITY_HEADERS.items():
            given = answer.headers[name]
            assert given == value or name == "Content-Security-Policy", (answer.url, name)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe-eval" not in answer.headers["content-security-policy"]
        assert "server" not in answer.headers


def test_a_request_id_is_the_callers_only_where_it_is_harmless(client: TestClient) -> None:
    def answered(given: str) -> str:
        return client.get("/healthz", headers={"X-Request-ID": given}).headers["x-request-id"]

    assert answered("erp-2026.11.27_1") == "erp-2026.11.27_1"
    for given in ("short", "x" * 65, 'a"b c{}d e', "<script>alert(1)"):
        assert answered(given) != given
