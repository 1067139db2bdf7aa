"""Every answer names its versions, and one request never mixes two."""

from __future__ import annotations

import asyncio
import copy
import random

import httpx
import pytest
from checks import bearer
from fastapi.testclient import TestClient

from api.app import create_app
from api.service import Service
from invoicer import Assistant

FISH = "1030109050000000000"


def as_version(assistant: Assistant, name: str) -> Assistant:
    """The same assistant under other versions."""
    other = copy.copy(assistant)
    other.model_version, other.kb_version = f"model-{name}", f"kb-{name}"
    return other


def test_every_answer_names_its_versions(client: TestClient, service: Service, auth) -> None:
    headers = auth()
    kb, model = service.assistant.kb_version, service.assistant.model_version
    both = [
        client.post("/v1/classify", json={"name": "停车费"}, headers=headers).json(),
        client.post("/v1/classify", json={"lines": [{"name": ""}]}, headers=headers).json(),
        client.get("/v1/models/current", headers=headers).json(),
    ]
    both.append(both[1]["results"][0])
    assert {(body["model_version"], body["kb_version"]) for body in both} == {(model, kb)}
    for path in ("/v1/codes?q=鱼", f"/v1/codes/{FISH}", f"/v1/rates/{FISH}"):
        assert client.get(path, headers=headers).json()["kb_version"] == kb


def test_a_change_of_the_assistant_never_mixes_within_a_request(
    service: Service, key_of, assistant: Assistant
) -> None:
    app = create_app(service.settings, service)
    versions = [as_version(assistant, name) for name in "ab"]
    headers = bearer(key_of(review="auto"))
    line = {"name": "停车费"}

    async def run() -> list[dict[str, object]]:
        running = True

        async def change() -> None:
            chance = random.Random(1)
            while running:
                service.assistant = chance.choice(versions)
                await asyncio.sleep(0)

        changing = asyncio.create_task(change())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://service", headers=headers
        ) as client:
            bodies: list[dict[str, object]] = [{"lines": [line] * 50}, line] * 15

            async def ask(number: int, body: dict[str, object]) -> httpx.Response:
                for _ in range(number):  # not all in the same turn of the loop
                    await asyncio.sleep(0)
                return await client.post("/v1/classify", json=body)

            found = await asyncio.gather(*(ask(*one) for one in enumerate(bodies)))
        running = False
        await changing
        return [response.json() for response in found]

    answers = asyncio.run(run())
    seen = set()
    for answer in answers:
        rows = answer.get("results", [answer])
        stated = {(r["model_version"], r["kb_version"]) for r in [answer, *rows]}
        assert len(stated) == 1
        seen |= stated
    assert seen == {("model-a", "kb-a"), ("model-b", "kb-b")}


def test_the_dispatcher_answers_each_request_by_the_assistant_it_was_given(
    service: Service, assistant: Assistant
) -> None:
    from invoicer import InvoiceLine

    versions = [as_version(assistant, name) for name in "abc"]

    async def run() -> list[set[str]]:
        work = [
            service.dispatcher.suggest(versions[i % 3], [InvoiceLine("停车费")] * (1 + i % 4 * 20))
            for i in range(24)
        ]
        return [{one.model_version for one in found} for found in await asyncio.gather(*work)]

    assert asyncio.run(run()) == [{f"model-{'abc'[i % 3]}"} for i in range(24)]


def test_type_ahead_follows_the_assistant(
    client: TestClient, service: Service, auth, assistant: Assistant
) -> None:
    headers = auth()
    before = client.get("/v1/codes?q=软体", headers=headers).json()
    other = as_version(assistant, "new")
    other.kb = copy.copy(assistant.kb)
    other.kb.taxonomy = copy.copy(assistant.kb.taxonomy)
    service.assistant = other
    after = client.get("/v1/codes?q=软体", headers=headers).json()
    assert after["results"] == before["results"]
    assert after["kb_version"] == "kb-new"
    assert service.type_ahead._taxonomy is other.kb.taxonomy


@pytest.fixture(autouse=True)
def _restored(service: Service, assistant: Assistant):
    yield
    service.assistant = assistant
