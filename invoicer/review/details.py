"""All that a reviewer needs beside an item: its name read, each candidate with its notes and
rates, what was decided about the like, and what the caller replied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from invoicer.assistant import Assistant
from invoicer.labels import ROLES
from invoicer.line import InvoiceLine, today
from invoicer.review.marks import marks
from invoicer.review.queue import Queue
from invoicer.review.states import history
from invoicer.suggestion import advice_dict, rate_text
from knowledge_base.rate_advice import RateError, TaxpayerType

MAX_NOTES = 60  # words of a code's includes that are shown
OWN_ROLES = {"size": "规格", "model": "型号", "declared": "票面简称", "": ""}


def details(assistant: Assistant, queue: Queue, item: dict[str, Any]) -> dict[str, Any]:
    """What is shown beside an item; nothing of anybody's vote on it."""
    line = InvoiceLine.from_fields(item["line"])
    day = line.date or today()
    reading = assistant.query(line).reading
    suggestion = item["suggestion"]
    codes = [c["code"] for c in suggestion["candidates"]]
    for question in suggestion["questions"]:
        codes += [option["code"] for option in question["options"]]
    return {
        "name": [
            {"text": m.text, "core": m.core, "role": (ROLES | OWN_ROLES).get(m.role, m.role)}
            for m in marks(line.name, reading)
        ],
        "core": reading.core,
        "codes": notes_of(assistant, line, codes),
        "similar": [
            {
                "id": one["id"],
                "name": one["line"]["name"],
                "spec": one["line"].get("spec", ""),
                "code": one["code"],
                **_named(assistant, one["code"], day),
                "decided_at": one["decided_at"],
            }
            for one in queue.similar(item)
        ],
        **_exchange(queue, item),
    }


def notes_of(
    assistant: Assistant, line: InvoiceLine, codes: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """Codes as a reviewer checks them for a line: place, official notes, and the rates on its day
    for its taxpayer."""
    day, taxpayer = line.date or today(), line.taxpayer or TaxpayerType.GENERAL
    return {code: about(assistant, code, day, taxpayer) for code in dict.fromkeys(codes) if code}


def about(
    assistant: Assistant, code: str, day: dt.date, taxpayer: TaxpayerType = TaxpayerType.GENERAL
) -> dict[str, Any]:
    """A code by itself: its place, its official notes, its rates on a day."""
    named = {"code": code, **_named(assistant, code, day)}
    row = assistant.kb.taxonomy.get(code)
    if row is None:  # the table has changed since
        return {**named, "usable": False, "path": [], "rates": []}
    try:
        rates = assistant.rate_table.advise(row, day, taxpayer)
    except RateError:
        rates = []
    return {
        **named,
        "usable": row.is_leaf and row.is_valid_on(day),
        "path": [step.name for step in assistant.kb.taxonomy.path(code)],
        "catch_all": row.is_catch_all,
        "keywords": row.keywords[:MAX_NOTES],
        "includes": row.includes[:MAX_NOTES],
        "excludes": [
            {"term": e.term, "code": e.code, **_named(assistant, e.code, day)} for e in row.excludes
        ],
        "rates": [{"text": rate_text(one), **advice_dict(one)} for one in rates],
    }


def _named(assistant: Assistant, code: str, day: dt.date) -> dict[str, str]:
    """Name and 简称 of a code on a day; empty where the table does not know it."""
    taxonomy = assistant.kb.taxonomy
    row = taxonomy.get(code)
    if row is None:
        return {"code_name": "", "short_name": ""}
    return {"code_name": row.name, "short_name": taxonomy.short_name(code, day)}


def _exchange(queue: Queue, item: dict[str, Any]) -> dict[str, str]:
    """What was last asked of the caller, and the reply."""
    events = history(queue.store, item["tenant"], item["id"])
    last = {e["action"]: e["why"] for e in events if e["action"] in ("send_back", "reply")}
    return {"asked": last.get("send_back", ""), "reply": last.get("reply", "")}
