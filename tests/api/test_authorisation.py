"""Closed by default: every route, every role, every tenant."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

import pytest
from checks import problem
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute

from api.app import create_app
from api.security import allowed
from api.service import Service
from api.settings import ServiceSettings
from invoicer.access import keys, tenants
from invoicer.access.principals import Role

Auth = Callable[..., dict[str, str]]
LINE = {"name": "其他", "amount": 100}
# Health, and what somebody needs to sign in.
OPEN = {
    ("GET", "/healthz"): 200,
    ("GET", "/readyz"): 200,
    ("GET", "/sign-in"): 200,
    ("POST", "/sign-in"): 403,  # not from our own page
    ("POST", "/sign-out"): 403,
    ("GET", "/static/fingerprint/name"): 404,
}


def leaves(found: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """Routes, those of included routers too, which newer versions of FastAPI keep apart."""
    for route in found:
        router = getattr(route, "original_router", None)
        yield from [route] if router is None else leaves(router.routes)


def routes(app: FastAPI) -> Iterator[tuple[str, str, APIRoute]]:
    """(method, path with something in its places, route) of every address."""
    for route in leaves(app.routes):
        assert isinstance(route, APIRoute), f"{route} is outside the reach of `authorise`"
        for method in sorted(route.methods):
            yield method, route.path.replace("{", "").replace("}", ""), route


def test_every_route_says_who_may_call_it(service: Service) -> None:
    for _, path, route in routes(create_app(service.settings, service)):
        assert allowed(route.endpoint) is not None, path


def test_without_a_key_only_health_is_answered(client: TestClient) -> None:
    for method, path, _ in routes(client.app):
        response = client.request(method, path)
        if (method, path) in OPEN:
            assert response.status_code == OPEN[method, path]
        else:
            problem(response, 401, "not_authenticated")
            assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("role", list(Role))
def test_each_role_reaches_its_routes_and_no_other(
    client: TestClient, auth: Auth, role: Role
) -> None:
    headers = auth(role)
    reached = 0
    for method, path, route in routes(client.app):
        response = client.request(method, path, headers=headers)
        needed = allowed(route.endpoint)
        if isinstance(needed, Role) and not role.includes(needed):
            problem(response, 403, "not_allowed")
        elif (method, path) not in OPEN:
            assert response.status_code not in (401, 403), path
            reached += 1
    assert reached >= 8


def test_a_route_that_does_not_say_who_may_call_it_is_closed_to_all(
    service: Service, auth: Auth
) -> None:
    app = create_app(service.settings, service)

    @app.get("/forgotten")
    async def forgotten() -> dict[str, str]:
        return {"secret": "open"}

    with TestClient(app) as client:
        problem(client.get("/forgotten"), 401, "not_authenticated")
        problem(client.get("/forgotten", headers=auth(Role.ADMIN)), 403, "not_allowed")


def test_documentation_and_figures_need_a_role(client: TestClient, auth: Auth) -> None:
    for path in ("/docs", "/docs/start.js", "/openapi.json"):
        problem(client.get(path), 401, "not_authenticated")
        assert client.get(path, headers=auth(Role.CLIENT)).status_code == 200
    problem(client.get("/metrics", headers=auth(Role.EXPERT)), 403, "not_allowed")
    assert "invoicer_requests_total" in client.get("/metrics", headers=auth(Role.ADMIN)).text


def test_documentation_and_figures_open_where_the_settings_say_so(service: Service) -> None:
    service.settings = service.settings.model_copy(update={"open_docs": True, "open_metrics": True})
    with TestClient(create_app(service.settings, service)) as client:
        for path in ("/docs", "/docs/swagger-ui.css", "/openapi.json", "/metrics"):
            assert client.get(path).status_code == 200
        problem(client.post("/v1/classify", json=LINE), 401, "not_authenticated")


def test_a_key_comes_in_either_header_and_nowhere_else(client: TestClient, key_of) -> None:
    key = key_of()
    for headers in ({"Authorization": f"Bearer {key}"}, {"Authorization": f"bearer {key}"},
                    {"X-API-Key": key}):  # fmt: skip
        assert client.post("/v1/classify", json=LINE, headers=headers).status_code == 200
    for headers in ({}, {"Authorization": key}, {"Authorization": f"Basic {key}"},
                    {"Cookie": f"key={key}"}, {"Authorization": "Bearer "},
                    {"X-API-Key": key[:-1]}):  # fmt: skip
        response = client.post(f"/v1/classify?key={key}", json=LINE, headers=headers)
        problem(response, 401, "not_authenticated")


def test_a_revoked_key_is_refused_from_the_next_request_on(
    client: TestClient, service: Service, key_of
) -> None:
    key = key_of()
    headers = {"X-API-Key": key}
    assert client.get("/v1/codes?q=鱼", headers=headers).status_code == 200
    keys.revoke(service.store, key.split("_")[1])
    problem(client.get("/v1/codes?q=鱼", headers=headers), 401, "not_authenticated")


def test_an_erased_tenant_is_refused_from_the_next_request_on(
    client: TestClient, service: Service, auth: Auth
) -> None:
    headers = auth()
    tenants.erase(service.store, "acme")
    problem(client.get("/v1/codes?q=鱼", headers=headers), 401, "not_authenticated")


def test_tenants_neither_see_nor_touch_each_other(
    client: TestClient, service: Service, auth: Auth
) -> None:
    ours, theirs = auth(tenant="acme", review="auto"), auth(tenant="other", review="auto")
    first = client.post("/v1/classify", json=LINE, headers={**ours, "Idempotency-Key": "k"})
    second = client.post(
        "/v1/classify", json={**LINE, "amount": 1}, headers={**theirs, "Idempotency-Key": "k"}
    )
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["review_id"] != second.json()["review_id"]
    told = {"line": LINE, "code": "3040502020200000000", "review_id": first.json()["review_id"]}
    assert client.post("/v1/feedback", json=told, headers=theirs).status_code == 201
    service.inbox.close()
    for tenant, amount in (("acme", 10_000), ("other", 100)):
        items = service.store.rows("select * from review_items where tenant = ?", [tenant])
        assert [(row["times"], row["amount"], row["state"]) for row in items] == [
            (1, amount, "open")
        ]
    assert service.store.rows("select tenant from feedback") == [{"tenant": "other"}]
    tenants.erase(service.store, "other")
    assert service.store.rows("select tenant from review_items") == [{"tenant": "acme"}]


def test_the_tenant_of_a_row_is_the_keys_whatever_the_body_says(
    client: TestClient, service: Service, auth: Auth
) -> None:
    body = {**LINE, "tenant": "other", "review": "auto", "principal": "key:0"}
    assert client.post("/v1/classify", json=body, headers=auth()).status_code == 200
    service.inbox.close()
    assert service.store.rows("select tenant from review_items") == [{"tenant": "acme"}]


def test_no_other_web_page_may_call_unless_it_is_named(service: Service, auth: Auth) -> None:
    page = {"Origin": "https://erp.example"}
    ask = {**page, "Access-Control-Request-Method": "POST"}
    with TestClient(create_app(service.settings, service)) as client:
        response = client.get("/healthz", headers=page)
        assert not [name for name in response.headers if name.startswith("access-control")]
        problem(client.options("/v1/classify", headers=ask), 405, "method_not_allowed")
    named = service.settings.model_copy(update={"cors_origins": ("https://erp.example",)})
    with TestClient(create_app(named, service)) as client:
        response = client.options("/v1/classify", headers=ask)
        assert response.headers["access-control-allow-origin"] == "https://erp.example"
        assert "access-control-allow-credentials" not in response.headers
        other = client.get("/healthz", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


def test_below_a_path_of_a_proxy_the_addresses_stay_right(
    settings: ServiceSettings, service: Service, auth: Auth
) -> None:
    below = settings.model_copy(update={"root_path": "/tax"})
    with TestClient(create_app(below, service)) as client:
        # Some proxies take the path off, others leave it.
        for path in ("/healthz", "/tax/healthz"):
            assert client.get(path).status_code == 200
        schema = client.get("/openapi.json", headers=auth()).json()
        assert schema["servers"] == [{"url": "/tax"}]
        page = client.get("/tax/docs", headers=auth()).text
        assert 'src="docs/start.js"' in page  # relative: right below any path
        problem(client.post("/tax/v1/classify", json=LINE), 401, "not_authenticated")


def test_the_openapi_description_names_both_ways_to_give_a_key(
    client: TestClient, auth: Auth
) -> None:
    schema = client.get("/openapi.json", headers=auth()).json()
    kinds = {scheme["type"] for scheme in schema["components"]["securitySchemes"].values()}
    assert kinds == {"http", "apiKey"}
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            assert json.dumps(operation["security"]), path
