"""Signing in: where one is sent, lock-out and limits, the cookie, requests from elsewhere."""

from __future__ import annotations

import logging
import re
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.web import pages
from invoicer.access import keys, tenants, users
from invoicer.access.principals import Role
from invoicer.errors import UnavailableError

PASSWORD = "correct horse battery"
HTTPS = "https://testserver"
OWN = {"Sec-Fetch-Site": "same-origin"}
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def web(service) -> TestClient:
    """The service as a browser meets it over https; anna reviews for acme."""
    tenants.create(service.store, "acme")
    users.add(service.store, "acme", "anna", "安娜", Role.REVIEWER, PASSWORD)
    app = create_app(service.settings, service)
    with TestClient(
        app, base_url=HTTPS, raise_server_exceptions=False, follow_redirects=False,
        headers=BROWSER,
    ) as client:
        yield client


def sign_in(web: TestClient, password: str = PASSWORD, login: str = "anna", **given):
    form = {"login": login, "password": password}
    return web.post("/sign-in", data=form, headers=OWN, **given)


@pytest.mark.parametrize("path", ["/", "/review", "/review/items/rv_1", "/figures", "/people"])
def test_nobody_sees_a_page_before_signing_in(web: TestClient, path: str) -> None:
    answer = web.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=")


@pytest.mark.parametrize("path", [path for path, _, _ in pages.NAVIGATION])
def test_every_page_is_come_back_to(web: TestClient, path: str) -> None:
    for wanted in (path, f"{path}/裁定2026-0001?page=2"):
        assert unquote(sign_in(web, params={"next": wanted}).headers["location"]) == wanted


def test_what_breaks_behind_a_page_is_in_the_log(
    web: TestClient, service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(web)

    def gone(*_: object) -> None:
        raise UnavailableError("数据库不可用")

    monkeypatch.setattr(service.queue, "counts", gone)
    with caplog.at_level(logging.ERROR):
        answer = web.get("/review/items")
    assert (answer.status_code, "数据库不可用" in answer.text) == (503, True)
    assert "unavailable" in caplog.text


def test_after_signing_in_one_is_where_one_wanted_to_be(web: TestClient) -> None:
    answer = sign_in(web, params={"next": "/review/items?state=decided"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/review/items?state=decided")
    assert web.get("/review").status_code == 200


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "/sign-out"]
)
def test_nobody_is_sent_to_another_site(web: TestClient, target: str) -> None:
    assert sign_in(web, params={"next": target}).headers["location"] == "/"


def test_the_cookie_is_for_this_host_over_https_and_out_of_reach_of_scripts(
    web: TestClient,
) -> None:
    cookie = sign_in(web).headers["set-cookie"]
    assert cookie.startswith("__Host-invoicer=")
    for part in ("HttpOnly", "SameSite=lax", "Secure", "Path=/"):
        assert part in cookie


def test_within_the_machine_the_cookie_may_go_unencrypted(web: TestClient) -> None:
    answer = web.post("http://127.0.0.1/sign-in", data={"login": "anna", "password": PASSWORD},
                      headers=OWN)  # fmt: skip
    assert answer.headers["set-cookie"].startswith("invoicer=")
    assert "Secure" not in answer.headers["set-cookie"]


def test_no_password_is_taken_unencrypted_from_elsewhere(web: TestClient) -> None:
    answer = web.post("http://invoicer.example/sign-in", headers=OWN,
                      data={"login": "anna", "password": PASSWORD})  # fmt: skip
    assert answer.status_code == 401
    assert "HTTPS" in answer.text
    assert "set-cookie" not in answer.headers


def test_an_unknown_login_and_a_wrong_password_read_the_same(web: TestClient) -> None:
    said = [re.search(r'role="alert">(.*?)<', answer.text)[1]
            for answer in (sign_in(web, "wrong wrong"), sign_in(web, login="nobody"))]  # fmt: skip
    assert said[0] == said[1] == users.WRONG


def test_five_wrong_passwords_lock_the_account(web: TestClient) -> None:
    for _ in range(users.MAX_FAILURES):
        assert sign_in(web, "wrong wrong").status_code == 401
    assert sign_in(web).status_code == 401
    assert web.get("/review").status_code == 303


@pytest.mark.parametrize("whose", ["from testclient", "of " + sha256(b"anna").hexdigest()])
def test_attempts_are_limited_by_address_and_by_login(
    web: TestClient, service, whose: str
) -> None:
    for _ in range(10):
        service.sign_ins.take(f"sign-in {whose}")
    assert sign_in(web).status_code == 429


def test_signing_out_ends_the_session_itself(web: TestClient) -> None:
    sign_in(web)
    token = web.cookies["__Host-invoicer"]
    web.post("/sign-out", headers=OWN)
    web.cookies.set("__Host-invoicer", token, domain="testserver.local")
    assert web.get("/review").status_code == 303


def test_a_disabled_user_is_out_at_once(web: TestClient, service) -> None:
    sign_in(web)
    users.disable(service.store, "anna")
    assert web.get("/review").status_code == 303


FOREIGN = [
    {},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site", "Origin": HTTPS},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_an_act_that_does_not_come_from_our_page_is_refused(
    web: TestClient, headers: dict[str, str]
) -> None:
    sign_in(web)
    answer = web.post("/v1/reviews/lease", json={}, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "not_allowed"
    assert "本站" in answer.json()["error"]["message"]
    assert web.post("/sign-in", data={"login": "anna"}, headers=headers).status_code == 403


@pytest.mark.parametrize("headers", [OWN, {"Origin": HTTPS}], ids=str)
def test_an_act_from_our_page_is_done(web: TestClient, headers: dict[str, str]) -> None:
    sign_in(web)
    assert web.post("/v1/reviews/lease", json={}, headers=headers).json() == {"items": []}


def test_a_program_that_asks_for_a_page_gets_the_one_error_shape(web: TestClient) -> None:
    answer = web.get("/review", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authenticated")


def test_a_key_needs_no_page(web: TestClient, service) -> None:
    key = keys.create(service.store, "acme", "tool", Role.REVIEWER)[1]
    answer = web.post("/v1/reviews/lease", json={}, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200


def test_a_page_above_ones_role_is_refused_as_a_page(web: TestClient) -> None:
    sign_in(web)
    answer = web.get("/people")
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert "没有权限" in answer.text


@pytest.mark.parametrize("path", ["/review", "/review/items", "/figures", "/jobs", "/sign-in"])
def test_every_page_runs_our_scripts_and_styles_only(web: TestClient, path: str) -> None:
    sign_in(web)
    policy = web.get(path).headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy


def test_no_template_holds_a_script_or_a_style() -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=|javascript:|https?://")
    for path in (Path(pages.__file__).parent / "templates").iterdir():
        assert not inline.search(path.read_text(encoding="utf-8")), path.name


def test_files_of_the_pages_are_kept_for_ever_and_nothing_else_is_served(web: TestClient) -> None:
    answer = web.get(f"/static/{pages.FINGERPRINT}/app.css")
    assert "immutable" in answer.headers["cache-control"]
    for name in ("..%2Fpages.py", "%2E%2E", "nothing.css"):
        assert web.get(f"/static/{pages.FINGERPRINT}/{name}").status_code == 404


def test_an_administrator_cannot_lock_herself_out(web: TestClient, service) -> None:
    users.add(service.store, "acme", "eva", "", Role.ADMIN, PASSWORD)
    sign_in(web, login="eva")
    answer = web.post("/people/users/disable", data={"login": "eva"}, headers=OWN)
    assert answer.status_code == 422
    assert web.get("/people").status_code == 200


def test_an_administrator_sees_the_own_tenant_only(web: TestClient, service) -> None:
    tenants.create(service.store, "other")
    users.add(service.store, "other", "otto", "", Role.REVIEWER, PASSWORD)
    users.add(service.store, "acme", "eva", "", Role.ADMIN, PASSWORD)
    sign_in(web, login="eva")
    assert "otto" not in web.get("/people").text
    answer = web.post("/people/users/disable", data={"login": "otto"}, headers=OWN)
    assert answer.status_code == 422
    assert users.sign_in(service.store, "otto", PASSWORD)[0].tenant == "other"
