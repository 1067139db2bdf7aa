"""Rulings, cases and appeals at size: how long each list, search and page takes.

    python benchmarks/panel.py [--rulings 1000] [--names 100000] [--out panel.json]

Fills a database of its own with decided names, rulings, open cases and appeals, then asks the
application for every list, search and page that shows them, and for answers. Milliseconds, the
median and the slowest of the runs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi.testclient import TestClient

from api.app import create_app
from api.service import Service
from api.settings import ServiceSettings
from invoicer import Assistant, InvoiceLine
from invoicer.access import keys, tenants
from invoicer.access.principals import Principal, Role
from invoicer.review import appeals, feedback, inbox
from invoicer.review.appeals import Contested
from invoicer.review.issuing import Draft, issue
from invoicer.review.items import Identity, item_of
from invoicer.review.rulings import Scope
from invoicer.review.subjects import Subject
from invoicer.store import Store, utc_text
from knowledge_base.tables import columns

RUNS = 15
CASES = APPEALS = 1_000
FISH, CHAIR = "1030109050000000000", "1050102010000000000"


def fill(service: Service, me: Principal, rulings: int, names: int) -> None:
    """Names of the knowledge base's samples, numbered on where there are not enough."""
    store, suggestion = service.store, service.assistant.suggest("薯片")
    known = [name for (name,) in columns("samples", "name")]
    lines = [InvoiceLine(f"{known[n % len(known)]}{n // len(known) or ''}") for n in range(names)]
    for start in range(0, names, 10_000):
        inbox.add(store, [
            item_of("acme", line, suggestion, Identity(f"q{n}", f"rv_{n}"))
            for n, line in enumerate(lines[start : start + 10_000], start)
        ])  # fmt: skip
    with store.transaction() as db:
        db.execute("update review_items set state = 'decided', code = ?, decided_at = ?",
                   [FISH, utc_text()])  # fmt: skip
        for n in range(rulings):
            scope = list(Scope)[n % 3]
            industry = "F" if scope is Scope.INDUSTRY else ""
            draft = Draft("按官方注释。" * 40, scope, industry=industry)
            issue(store, "acme", Subject(lines[n * (names // rulings)].name), CHAIR, draft, "pc")
        for n in range(CASES):
            service.panel.open_line(me, lines[n], suggestion.to_dict(), "意见不一")
        for n in range(APPEALS):
            contested = Contested(FISH, wanted_code=CHAIR)
            appeals.insert(store, me, lines[n], contested, "理由", 15)
            feedback.record(store, me, replace(lines[n]), code=FISH)


def measured(work: Callable[[], Any]) -> dict[str, float]:
    took = []
    work()
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        took.append((time.perf_counter() - started) * 1000)
    return {"median": round(statistics.median(took), 1), "slowest": round(max(took), 1)}


def run(rulings: int, names: int) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="invoicer-panel-"))
    store = Store.open(folder / "invoicer.db")
    tenants.create(store, "acme")
    me, key = keys.create(store, "acme", "chair", Role.ADMIN)
    settings = ServiceSettings.load(lines_per_second=1_000_000, jobs=0)
    service = Service(settings, store, Assistant.load())
    fill(service, me, rulings, names)
    number = store.rows("select number, name from rulings order by number")[rulings // 2]
    case = store.rows("select id from panel_cases limit 1")[0]["id"]
    appeal = store.rows("select id from appeals limit 1")[0]["id"]
    ruled, shown = number["name"], quote(number["number"])
    lines = {"lines": [{"name": f"新商品{n}号"} for n in range(999)] + [{"name": ruled}]}
    paths = {
        "rulings, first page": "/v1/rulings",
        "rulings, last page": f"/v1/rulings?page={rulings // 50}",
        "rulings by name": f"/v1/rulings?q={quote(ruled)}",
        "rulings by text, none": f"/v1/rulings?q={quote('没有这样的裁定')}",
        "rulings in force on a day": "/v1/rulings?on=2030-01-01",
        "one ruling": f"/v1/rulings/{shown}",
        "affected lines": f"/v1/rulings/{shown}/affected",
        "cases": "/v1/panel/cases",
        "one case": f"/v1/panel/cases/{case}",
        "appeals": "/v1/appeals",
        "one appeal": f"/v1/appeals/{appeal}",
        "page: cases": "/panel",
        "page: one case": f"/panel/{case}",
        "page: rulings": "/rulings",
        "page: rulings by name": f"/rulings?q={quote(ruled)}",
        "page: one ruling": f"/rulings/{shown}",
        "page: appeals": "/appeals",
        "page: one appeal": f"/appeals/{appeal}",
    }
    found: dict[str, Any] = {}
    with TestClient(create_app(settings, service)) as client:
        client.headers["Authorization"] = f"Bearer {key}"

        def get(path: str) -> None:
            answer = client.get(path)
            assert answer.status_code == 200, answer.text

        for title, path in paths.items():
            found[title] = measured(lambda path=path: get(path))
        one = client.post("/v1/classify", json={"name": ruled}).json()
        assert one["evidence"][0].startswith("依据 裁定"), one
        found["a line with a ruling"] = measured(
            lambda: client.post("/v1/classify", json={"name": ruled})
        )
        found["1000 lines"] = measured(lambda: client.post("/v1/classify", json=lines))
    return {"rulings": rulings, "names": names, "milliseconds": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rulings", type=int, default=1_000)
    parser.add_argument("--names", type=int, default=100_000)
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    options = parser.parse_args()
    text = json.dumps(run(options.rulings, options.names), ensure_ascii=False, indent=1)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
