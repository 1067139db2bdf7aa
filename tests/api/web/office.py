"""A tenant with its people and the system that sends its lines, and their password."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from invoicer.access import users
from invoicer.access.principals import Role
from invoicer.store import Store

PASSWORD = "correct horse battery"
# (login or "" for nobody, path, width of the window) → the page
OpenPage = Callable[..., Any]


@dataclass
class Office:
    """A tenant with its people and the system that sends its lines."""

    url: str
    store: Store
    tenant: str
    client: str

    def user(self, name: str, role: Role = Role.REVIEWER) -> str:
        """A person's login."""
        login = f"{name}@{self.tenant}"
        users.add(self.store, self.tenant, login, name, role, PASSWORD)
        return login

    def call(self, method: str, path: str, key: str = "", **given) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key or self.client}"}
        return httpx.request(method, self.url + path, headers=headers, timeout=30, **given)

    def classify(self, name: str, **fields) -> dict:
        """The answer to a line; what is uncertain goes to the queue."""
        answer = self.call("POST", "/v1/classify", json={"name": name, "review": "auto", **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put(self, *names: str, **fields) -> list[str]:
        """Items of the queue, each there when this returns."""
        answers = [self.classify(name, **fields) for name in names]
        ids = [answer["review_id"] for answer in answers]
        assert all(ids), [answer["tier"] for answer in answers]
        until = time.monotonic() + 30
        while any(self.call("GET", f"/v1/reviews/{ident}").status_code == 404 for ident in ids):
            assert time.monotonic() < until, "the items did not reach the queue"
        return ids

    def state(self, item: str) -> dict:
        return self.call("GET", f"/v1/reviews/{item}").json()
