"""All that is known of a code, for whoever looks after its words."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from invoicer.assistant import Assistant
from invoicer.desk.words import WordIndex
from invoicer.review.details import about
from invoicer.review.lead import confusions, has_rulings
from invoicer.store import Store
from invoicer.suggestion import rate_text
from knowledge_base.rate_advice import RateError, TaxpayerType
from knowledge_base.taxonomy import TaxCode
from knowledge_base.word_tables import WordTable

PAGE = 60
MAX_RULINGS = 50
OTHER_TABLES = (WordTable.AMBIGUOUS, WordTable.SCENARIOS)


def code_notes(
    assistant: Assistant, words: WordIndex, store: Store, tenant: str, row: TaxCode, day: dt.date,
    number: int = 1,
) -> dict[str, Any]:  # fmt: skip
    """What is known of a code, and what a tenant's people made of it. number: page of the lists."""
    code, taxonomy = row.code, assistant.kb.taxonomy
    marked = words.marked(code)
    names = [*marked, *(name for name in words.names(code) if name not in marked)]
    samples = words.samples(code)
    part = slice((number - 1) * PAGE, number * PAGE)
    total, decided = _decisions(store, tenant, code, number)
    longest = max(len(names), len(samples), total)
    return {
        **about(assistant, code, day),
        "is_leaf": row.is_leaf,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "special_treatments": row.special_treatments,
        "tariff_names": row.tariff_names,
        "children": [
            {"code": child.code, "name": child.name, "is_leaf": child.is_leaf,
             "usable": child.is_valid_on(day)}
            for child in taxonomy.children(code)
        ],
        "page": number,
        "pages": max(1, -(-longest // PAGE)),
        "everyday_names": {"total": len(names), "rows": names[part]},
        "provisional_names": marked,
        "samples": {"total": len(samples), "rows": samples[part]},
        "decisions": {"total": total, "rows": decided},
        "mentions": {
            table.value: words.mentions(table, code) for table in OTHER_TABLES
        },
        "confusions": [
            {
                "suggested": one.suggested, "suggested_name": _name(assistant, one.suggested),
                "code": one.code, "code_name": _name(assistant, one.code),
                "items": one.items, "times": one.times, "amount": one.amount,
            }
            for one in confusions(store, tenant, code)
        ],
        "rulings": _rulings(store, tenant, code),
        "rates_by_date": _rates(assistant, row),
    }  # fmt: skip


def _name(assistant: Assistant, code: str) -> str:
    known = assistant.kb.taxonomy.get(code)
    return known.name if known else ""


def _decisions(
    store: Store, tenant: str, code: str, number: int
) -> tuple[int, list[dict[str, Any]]]:
    """(how many there are, those of a page), newest first."""
    where = "tenant = ? and state = 'decided' and code = ?"
    count = store.row(f"select count(*) as n from review_items where {where}", [tenant, code])
    rows = store.rows(
        f"""select id, line, suggested, times, amount, decided_at, why from review_items
            where {where} order by decided_on desc, id limit ? offset ?""",
        [tenant, code, PAGE, (number - 1) * PAGE],
    )
    for row in rows:
        row["name"] = json.loads(row.pop("line"))["name"]
    return int(count["n"]) if count else 0, rows


def _rulings(store: Store, tenant: str, code: str) -> list[dict[str, Any]]:
    """Rulings on the code that hold for the tenant; none where no panel rules here."""
    if not has_rulings(store):
        return []
    return store.rows(
        """select r.number, r.ruled_on, r.effective_on, r.scope, r.name, r.text,
             s.number as superseded_by from rulings r
           left join rulings s on s.supersedes = r.number
           where r.code = ? and (r.tenant is null or r.tenant = ?)
           order by r.ruled_on desc, r.number desc limit ?""",
        [code, tenant, MAX_RULINGS],
    )


def _rates(assistant: Assistant, row: TaxCode) -> list[dict[str, Any]]:
    """The rates in each period, newest first: of the general taxpayer and of the small one."""
    if not row.is_leaf:
        return []
    table = assistant.rate_table
    found = []
    for start in reversed(table.period_starts):
        try:
            general = table.advise(row, start, TaxpayerType.GENERAL)
            small = table.advise(row, start, TaxpayerType.SMALL)
        except RateError:
            continue
        found.append({
            "since": start,
            "general": [{"text": rate_text(a), "condition": a.condition} for a in general],
            "small": rate_text(small[0]) if small else "",
            "basis": general[0].basis if general else "",
        })  # fmt: skip
    return found
