"""A running service follows a switch: no request is lost, each answer is of one model."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from checks import bearer

from invoicer import Assistant
from invoicer.learning.versions import ModelStore
from knowledge_base.supplement import FILE, write_supplement
from models.learned import load_learned, save_learned

WAIT_SECONDS = 120
PAUSE_SECONDS = 0.02
LINES = ["柚子味鱼排", "停车费", "弹簧床垫", "薯片"] * 5


def another_model(models: ModelStore) -> str:
    """A version that answers alike under another name."""
    shipped = load_learned()

    def fill(folder: Path) -> None:
        write_supplement(folder / FILE, [])
        save_learned(folder, shipped.ranker, replace(shipped.calibration, strong=0.99), {})

    return models.add(fill)


class Callers:
    """Clients that ask all the time; every answer is kept."""

    def __init__(self, server: Any, count: int):
        self._url, self._key = server.url, server.key_of()
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(count)
        self.answers: list[httpx.Response] = []
        for number in range(count):
            self._pool.submit(self._call, number % 2 == 0)

    def _call(self, many: bool) -> None:
        body: dict[str, Any] = {"lines": [{"name": n} for n in LINES]} if many else {"name": "薯片"}
        with httpx.Client(base_url=self._url, headers=bearer(self._key), timeout=60) as client:
            while not self._ended.is_set():
                self.answers.append(client.post("/v1/classify", json=body))
                time.sleep(PAUSE_SECONDS)

    def wait_for(self, version: str) -> None:
        """Until every worker process answers with the version."""
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            seen = len(self.answers)
            time.sleep(1.0)
            late = [versions_of(answer) for answer in self.answers[seen:]]
            if late and set().union(*late) == {version}:
                return
        pytest.fail(f"{version} does not answer; last: {self.answers[-1].text[:300]}")

    def end(self) -> None:
        self._ended.set()
        self._pool.shutdown(wait=True)


def versions_of(answer: httpx.Response) -> set[str]:
    data = answer.json()
    return {data["model_version"], *(row["model_version"] for row in data.get("results", ()))}


def test_requests_that_run_during_a_switch_all_succeed(
    assistant: Assistant, serve, tmp_path: Path
) -> None:
    with serve(tmp_path, INVOICER_LINES_PER_SECOND="1000000") as server:
        models = ModelStore(server.data_dir / "models")
        version = another_model(models)
        callers = Callers(server, 4)
        try:
            callers.wait_for(assistant.model_version)
            models.switch(version)
            callers.wait_for(version)
        finally:
            callers.end()
        assert Counter(answer.status_code for answer in callers.answers).keys() == {200}
        seen = [versions_of(answer) for answer in callers.answers]
        assert all(len(versions) == 1 for versions in seen)
        assert set().union(*seen) == {assistant.model_version, version}
        log = (tmp_path / "serve.log").read_text(encoding="utf-8")
        assert log.count("switch begins") == log.count("switch done") == 2  # a worker each


def test_a_model_that_cannot_be_loaded_leaves_the_old_one_answering(
    assistant: Assistant, serve, tmp_path: Path
) -> None:
    with serve(tmp_path) as server:
        models = ModelStore(server.data_dir / "models")
        version = another_model(models)
        models.switch(version)
        (models.path / version / "ranker.json").write_text("{", encoding="utf-8")
        log = tmp_path / "serve.log"
        until = time.monotonic() + WAIT_SECONDS
        while "switch failed" not in log.read_text(encoding="utf-8"):
            assert time.monotonic() < until
            time.sleep(0.2)
        answer = httpx.post(
            f"{server.url}/v1/classify", json={"name": "薯片"}, headers=bearer(server.key_of())
        )
        assert versions_of(answer) == {assistant.model_version}
