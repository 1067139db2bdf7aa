"""Handing files in as jobs, and waiting for what becomes of them."""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Callable
from typing import Any

SECONDS = 300
LINES = "商品名称,单位,金额\n柚子味鱼排 200g,袋,12.50\n停车费,,300\n,个,1\n弹簧床垫 1.8m,张,2000\n"
Headers = dict[str, str]


def submit(
    client, headers: Headers, content: bytes | str = LINES, name="行.csv",
    template: bytes | None = None, **form: Any,
):  # fmt: skip
    content = content.encode() if isinstance(content, str) else content
    files = {"file": (name, content)} | ({"template": ("模板.xlsx", template)} if template else {})
    return client.post("/v1/jobs", headers=headers, files=files, data=form)


def accepted(client, headers: Headers, *args: Any, **form: Any) -> str:
    response = submit(client, headers, *args, **form)
    assert response.status_code == 202, response.text
    return response.json()["id"]


def job_of(client, headers: Headers, ident: str) -> dict[str, Any]:
    response = client.get(f"/v1/jobs/{ident}", headers=headers)
    assert response.status_code == 200, response.text
    return response.json()


def ended(client, headers: Headers, ident: str) -> dict[str, Any]:
    return until(client, headers, ident, {"done", "failed", "cancelled"})


def until(client, headers: Headers, ident: str, states: set[str]) -> dict[str, Any]:
    return that(client, headers, ident, lambda job: job["state"] in states)


def reach(client, headers: Headers, ident: str, **least: int) -> dict[str, Any]:
    ((field, number),) = least.items()
    return that(client, headers, ident, lambda job: job[field] >= number)


def that(client, headers: Headers, ident: str, true: Callable[[dict[str, Any]], bool]) -> Any:
    """The job, once something is true of it."""
    job: dict[str, Any] = {}

    def is_so() -> bool:
        job.update(job_of(client, headers, ident))
        return true(job)

    when(is_so)
    return job


def when(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.1)


def table(response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


def error(response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    return response.json()["error"]


def children_of(ident: str) -> list[int]:
    """Processes that work on a job."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                with open(f"/proc/{entry.name}/cmdline", "rb") as file:
                    command = file.read()
            except OSError:
                continue
            if ident.encode() in command:
                found.append(int(entry.name))
    return found
