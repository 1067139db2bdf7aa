"""Rulings, cases and appeals at size: how long each list, search and page takes.

    python benchmarks/panel.py [--rulings 1000] [--names 100000] [--keep FOLDER] [--out panel.json]

Fills a database of its own with names that were asked about and decided, rulings, open cases,
appeals and a proposal, then asks the application for every list, search and page that shows them,
and for answers. Milliseconds: the median and the slowest of the runs, and the median of processor
time, client and service together. The database is kept where `--keep` says.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
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
from invoicer.labels import SECTIONS
from invoicer.line import today
from invoicer.review import appeals, feedback, inbox
from invoicer.review.appeals import Contested
from invoicer.review.issuing import Draft, issue
from invoicer.review.items import identity, item_of
from invoicer.review.rulings import Scope
from invoicer.review.subjects import Subject
from invoicer.store import Store
from invoicer.suggestion import Tier
from knowledge_base.tables import columns
from knowledge_base.word_tables import Action, Edit, WordTable

RUNS = 15
CASES = APPEALS = 1_000
FISH, CHAIR = "1030109050000000000", "1050102010000000000"


def fill(service: Service, me: Principal, rulings: int, names: int) -> None:
    """An office that has worked for half a year: names asked about, most of them decided, some
    twice; answered lines by month; rulings, open cases, appeals and a proposal."""
    store, day = service.store, today()
    lines = _ask(service, names)
    ago = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || (rowid * 37 % 180) || ' days')"
    with store.transaction() as db:
        db.execute(
            f"""update review_items set state = 'decided', decided_by = ?, decided_at = {ago},
                code = coalesce(
                  case rowid % 8 when 0 then suggestion ->> '$.candidates[1].code' end,
                  suggestion ->> '$.candidates[0].code')""", [me.id],
        )  # fmt: skip
        db.execute(
            "update review_items set state = 'disputed', code = null where rowid % 100 = 1"
        )
        db.execute(
            """insert into review_events (item, tenant, at, actor, action, from_state, to_state,
                 code, why, model_version, kb_version)
               select id, tenant, coalesce(decided_at, first_seen), ?, 'decide', 'open', state,
                 coalesce(code, ''), '', '', '' from review_items""", [me.id],
        )  # fmt: skip
        for person, differs in (("us_anna", 0), ("us_ben", 1)):
            db.execute(
                """insert into review_votes select id, tenant, ?, decided_at,
                     case when ? and rowid % 6 = 0 then suggestion ->> '$.candidates[1].code'
                     else code end, '' from review_items
                   where state = 'decided' and rowid % 20 < 2""", [person, differs],
            )  # fmt: skip
        chapters = {row["suggested"][:3] for row in store.rows(
            "select distinct suggested from review_items")}  # fmt: skip
        this = day.year * 12 + day.month - 1  # months, counted on
        db.conn.executemany(
            "insert into answered_by values ('acme', ?, ?, ?, ?, ?)",
            [(f"{month // 12}-{month % 12 + 1:02}", chapter, industry, tier.value, 1_000)
             for month in range(this - 5, this + 1)
             for chapter in chapters for industry in SECTIONS for tier in Tier],
        )  # fmt: skip
        for n in range(rulings):
            scope = list(Scope)[n % 3]
            industry = "F" if scope is Scope.INDUSTRY else ""
            draft = Draft("按官方注释。" * 40, scope, industry=industry)
            issue(store, "acme", Subject(lines[n * (names // rulings)].name), CHAIR, draft, "pc")
        suggestion = service.assistant.suggest("薯片").to_dict()
        for n in range(CASES):
            service.panel.open_line(me, lines[n], suggestion, "意见不一")
        for n in range(APPEALS):
            appeals.insert(store, me, lines[n], Contested(FISH, wanted_code=CHAIR), "理由", 15)
            feedback.record(store, me, lines[n], code=FISH)
    edit = Edit(WordTable.EVERYDAY_NAMES, Action.ADD, {"code": FISH, "term": "蓝鲸小脆条"})
    service.proposals.propose(me, service.words, [edit], "行业里都这么叫")


def _ask(service: Service, names: int) -> list[InvoiceLine]:
    """Names of the knowledge base's samples, numbered on, as sellers of some industries ask."""
    known = [name for (name,) in columns("samples", "name")]
    sellers = ("某某超市有限公司", "某某物业服务有限公司", "某某建材贸易有限公司", "")
    lines = [
        InvoiceLine(f"{known[n % len(known)]} {n}号", seller_industry=sellers[n % len(sellers)],
                    amount=Decimal(n % 900))
        for n in range(names)
    ]  # fmt: skip
    for start in range(0, names, 2_000):
        part = lines[start : start + 2_000]
        found = zip(part, service.assistant.suggest(part), strict=True)
        inbox.add(service.store, [
            item_of("acme", line, one, identity("acme", line, service.assistant.rate_table))
            for line, one in found
        ])  # fmt: skip
    return lines


def measured(work: Callable[[], Any]) -> dict[str, float]:
    """Milliseconds of the clock, and of the processors: others may keep them busy."""
    took, cpu = [], []
    work()
    for _ in range(RUNS):
        started, used = time.perf_counter(), time.process_time()
        work()
        took.append((time.perf_counter() - started) * 1000)
        cpu.append((time.process_time() - used) * 1000)
    return {"median": round(statistics.median(took), 1), "slowest": round(max(took), 1),
            "cpu": round(statistics.median(cpu), 1)}  # fmt: skip


def run(rulings: int, names: int, keep: Path | None) -> dict[str, Any]:
    folder = keep or Path(tempfile.mkdtemp(prefix="invoicer-panel-"))
    store = Store.open(folder / "invoicer.db")
    filled = bool(tenants.tenants(store))
    if not filled:
        tenants.create(store, "acme")
    me, key = keys.create(store, "acme", "chair", Role.ADMIN)
    settings = ServiceSettings.load(lines_per_second=1_000_000, jobs=0)
    service = Service(settings, store, Assistant.load())
    if not filled:
        fill(service, me, rulings, names)
    number = store.rows("select number, name from rulings order by number")[rulings // 2]
    case = store.rows("select id from panel_cases limit 1")[0]["id"]
    appeal = store.rows("select id from appeals limit 1")[0]["id"]
    proposal = store.rows("select id from proposals limit 1")[0]["id"]
    item = store.rows("select id from review_items where state = 'disputed' limit 1")[0]["id"]
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
        "page: figures": "/figures",
        "page: figures of the tax lead": "/figures/lead",
        "figures, one sheet": "/v1/desk/figures/chapters.csv",
        "page: code tree": "/desk",
        "page: code tree, search": f"/desk?q={quote('鱼')}",
        "page: one code": f"/desk/codes/{FISH}",
        "page: words": "/desk/words/everyday_names",
        "page: words, search": f"/desk/words/everyday_names?q={quote('鱼')}",
        "page: proposals": "/desk/proposals",
        "page: one proposal": f"/desk/proposals/{proposal}",
        "page: new proposal": "/desk/proposals/new",
        "page: versions": "/desk/versions",
        "page: review queue": "/review",
        "page: alike items": "/review/groups",
        "page: items": "/review/items?state=decided",
        "page: one item": f"/review/items/{item}",
        "page: disputes": "/review/disputed",
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
    parser.add_argument("--keep", type=Path, help="folder of the database; used again if filled")
    options = parser.parse_args()
    found = run(options.rulings, options.names, options.keep)
    text = json.dumps(found, ensure_ascii=False, indent=1)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
