"""Reviewers at their desks: a live service, a tenant of its own a test, pages in headless
Chromium. Every page a test opens is watched: it loads nothing from elsewhere and logs no error."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from office import PASSWORD, Office, OpenPage

from invoicer.access import keys, tenants, users
from invoicer.access.principals import Role

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pages are not tested"
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip
_tenants = count(1)


@pytest.fixture(scope="session")
def site(serve, tmp_path_factory) -> Iterator[Any]:
    """A service on which one vote is enough, unless the amount asks for two, and what many tests
    decide alike in tenants of their own is not taken for agreement."""
    variables = {
        "INVOICER_SECOND_SHARE": "0",
        "INVOICER_RANDOM_SLICE": "0",
        "INVOICER_AGREEING_TENANTS": "1000",
    }
    with serve(tmp_path_factory.mktemp("site"), **variables) as server:
        yield server


@pytest.fixture(scope="module")
def browser():
    """Of the module: while it runs, no other event loop can run in this thread."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: pages are not tested")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def office(site) -> Office:
    tenant = f"office-{next(_tenants)}"
    tenants.create(site.store, tenant)
    client = keys.create(site.store, tenant, "ERP", Role.CLIENT)[1]
    return Office(site.url, site.store, tenant, client)


@pytest.fixture
def open_page(browser, site) -> Iterator[OpenPage]:
    """Open a page as somebody who has signed in; or as nobody."""
    contexts, foreign, problems = [], [], []

    def open_as(login: str, path: str, width: int = 1280):
        context = browser.new_context(
            locale="zh-CN", viewport={"width": width, "height": 900}, accept_downloads=True
        )
        contexts.append(context)
        if login:
            token = users.sign_in(site.store, login, PASSWORD)[1]
            context.add_cookies([{"name": "invoicer", "value": token, "url": site.url}])
        page = context.new_page()
        page.on("request", lambda request: request.url.startswith(site.url + "/")
                or foreign.append(request.url))  # fmt: skip
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: said.type == "error"
                and "status of 4" not in said.text and problems.append(said.text))  # fmt: skip
        page.goto(site.url + path)
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert foreign == []
    assert problems == []
