"""From a key on the queue page to a model that has learned from it, while the service runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from office import Office, OpenPage

from invoicer.access import keys, tenants
from invoicer.access.principals import Role

ROOT = Path(__file__).resolve().parents[3]
NICKNAME = "蓝鲸小脆条"  # nobody outside the trade can read it
WAIT_SECONDS = 120
SAME = 8  # answers in a row by which every worker has had its turn


@pytest.fixture(scope="module")
def site(serve, tmp_path_factory) -> Iterator[Any]:
    """A service of its own: its model changes."""
    variables = {"INVOICER_SECOND_SHARE": "0", "INVOICER_RANDOM_SLICE": "0"}
    with serve(tmp_path_factory.mktemp("learning"), **variables) as server:
        yield server


def retrain(site: Any) -> str:
    """What `invoicer retrain` says beside the running service."""
    done = subprocess.run(
        [sys.executable, "-m", "invoicer.cli", "retrain"],
        capture_output=True, encoding="utf-8", cwd=ROOT, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "INVOICER_DATA_DIR": str(site.data_dir),
             "INVOICER_DATABASE": str(site.store.path)},
    )  # fmt: skip
    return done.stdout


def test_what_an_expert_confirms_is_learned_for_everybody(
    site: Any, office: Office, open_page: OpenPage
) -> None:
    office.put(NICKNAME)
    before = office.classify(NICKNAME)
    code = before["candidates"][2]["code"]
    page = open_page(office.user("eva", Role.EXPERT), "/review")
    page.wait_for_selector("#work:not([hidden])")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.getElementById('status').textContent.includes('已定')")

    tenants.create(site.store, "stranger")
    stranger = Office(office.url, site.store, "stranger",
                      keys.create(site.store, "stranger", "ERP", Role.CLIENT)[1])  # fmt: skip
    at_once = stranger.classify(NICKNAME)
    assert (at_once["tier"], at_once["code"]) == ("strong", code)
    assert stranger.classify(f"{NICKNAME} 200g")["candidates"][0]["code"] != code

    assert "已启用模型" in retrain(site)
    until, in_row = time.monotonic() + WAIT_SECONDS, 0
    while in_row < SAME:
        assert time.monotonic() < until, "the service does not follow"
        learned = stranger.classify(f"{NICKNAME} 200g")
        in_row = in_row + 1 if learned["model_version"] != before["model_version"] else 0
        time.sleep(0.1)
    assert learned["candidates"][0]["code"] == code
    same = stranger.classify(NICKNAME)
    assert (same["tier"], same["code"]) == ("strong", code)
