"""Many reviewers on one queue: nothing decided twice, nothing lost, and how long it takes.

    python benchmarks/review.py [--small] [--out review.json]

Reviewers are processes of their own that lease an item, decide it and fetch the next through the
HTTP service. In the middle the service is killed (kill -9) and started again. What each figure
means stands in `README.md`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from load import free_port, wait_until_ready

from invoicer import Assistant, InvoiceLine
from invoicer.access import keys, tenants
from invoicer.access.principals import Role
from invoicer.review import inbox
from invoicer.review.items import identity, item_of
from invoicer.store import Store

TENANT = "review"
GIVE_UP_SECONDS = 120
THINKING = (0.1, 0.3)  # seconds a reviewer looks at an item: very quick ones


def fill(store: Store, count: int) -> None:
    """`count` items made from real suggestions, each with a name of its own."""
    assistant = Assistant.load()
    names = [sample.name for sample in assistant.kb.lexicon.samples()]
    lines = [
        InvoiceLine.from_fields({"name": f"{names[i % len(names)]} {i}号", "amount": str(i % 900)})
        for i in range(count)
    ]
    items = [
        item_of(TENANT, line, suggestion, identity(TENANT, line, assistant.rate_table))
        for line, suggestion in zip(lines, assistant.suggest(lines), strict=True)
    ]
    inbox.add(store, items)


def review(number: int, base: str, key: str, results: Any) -> None:
    """One reviewer until the queue is empty: the first candidate, now and then the second."""
    draw = random.Random(number)
    decided: dict[str, str] = {}
    seconds: list[float] = []
    refused = 0
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=base, headers=headers, timeout=30, trust_env=False) as client:
        waiting: list[dict[str, Any]] = []
        down_since: float | None = None
        while True:
            try:
                if not waiting:
                    waiting = client.post("/v1/reviews/lease", json={"count": 1}).json()["items"]
                    if not waiting:
                        break
                item = waiting[0]
                codes = [c["code"] for c in item["suggestion"]["candidates"]]
                code = codes[draw.random() < 0.1 and len(codes) > 1]
                time.sleep(draw.uniform(*THINKING))
                start = time.perf_counter()
                answer = client.post(f"/v1/reviews/{item['id']}/decide", json={"code": code})
                if answer.status_code == 200:
                    decided[item["id"]] = code
                else:
                    refused += 1
                waiting = client.post("/v1/reviews/lease", json={"count": 1}).json()["items"]
                seconds.append(time.perf_counter() - start)
                down_since = None
                if not waiting:
                    break
            except (httpx.HTTPError, KeyError, ValueError):
                # The service is down: wait, and ask anew.
                waiting = []
                down_since = down_since or time.monotonic()
                if time.monotonic() - down_since > GIVE_UP_SECONDS:
                    break
                time.sleep(0.2)
    results.put((number, decided, seconds, refused))


def start_service(port: int, database: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "serve", "--port", str(port), "--workers", "2"],
        env={**os.environ, "INVOICER_DATABASE": str(database), "OMP_NUM_THREADS": "1",
             "INVOICER_SECOND_SHARE": "0", "INVOICER_SECOND_AMOUNT": "1e12",
             "INVOICER_LINES_PER_SECOND": "1e6", "INVOICER_RETRAIN_AFTER": "0"},
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    wait_until_ready(port, process)
    return process


def measure(reviewers: int, items: int, folder: Path) -> dict[str, Any]:
    database = folder / "review.db"
    store = Store.open(database)
    tenants.create(store, TENANT)
    people = [keys.create(store, TENANT, f"r{i}", Role.REVIEWER)[1] for i in range(reviewers)]
    fill(store, items)
    port = free_port()
    service = start_service(port, database)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [
        context.Process(target=review, args=(i, f"http://127.0.0.1:{port}", key, results))
        for i, key in enumerate(people)
    ]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    while (store.row("select count(*) as n from review_items where state = 'decided'") or {})[
        "n"
    ] < items // 2:
        time.sleep(0.05)
    os.killpg(service.pid, signal.SIGKILL)
    service.wait()
    service = start_service(port, database)
    answers = [results.get() for _ in workers]
    elapsed = time.perf_counter() - started
    for worker in workers:
        worker.join()
    os.killpg(service.pid, signal.SIGTERM)
    service.wait(60)
    acknowledged = [(item, code) for _, decided, _, _ in answers for item, code in decided.items()]
    kept = {r["id"]: r["code"] for r in store.rows("select id, code, state from review_items")}
    twice = [i for i, n in Counter(item for item, _ in acknowledged).items() if n > 1]
    events = store.row("select count(*) as n from review_events where action = 'decide'") or {}
    times = np.array([s for _, _, seconds, _ in answers for s in seconds]) * 1e3
    p50, p95, p99 = np.percentile(times, [50, 95, 99])
    return {
        "reviewers": reviewers,
        "items": items,
        "decided": sum(code is not None for code in kept.values()),
        "decide_events": events["n"],
        "acknowledged": len(acknowledged),
        "acknowledged_lost": sum(kept[item] != code for item, code in acknowledged),
        "decided_twice": len(twice),
        "refused": sum(refused for *_, refused in answers),
        "decisions_per_s": round(len(times) / elapsed, 1),
        "decide_and_next_p50_ms": round(float(p50), 1),
        "decide_and_next_p95_ms": round(float(p95), 1),
        "decide_and_next_p99_ms": round(float(p99), 1),
        "target_p95_ms": 150.0,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="4 reviewers, 200 items")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        size = (4, 200) if given.small else (20, 10_000)
        result = {
            "date": dt.date.today().isoformat(),
            "cores": os.cpu_count(),
            "load_at_start": os.getloadavg()[0],
            **measure(*size, Path(folder)),
        }
    text = json.dumps(result, ensure_ascii=False, indent=1)
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
