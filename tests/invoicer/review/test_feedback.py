"""What was finally printed, kept as it was told."""

from __future__ import annotations

import datetime as dt
import json

from invoicer import InvoiceLine
from invoicer.access.principals import Principal, Role
from invoicer.review import feedback
from invoicer.store import Store

FISH = "1030109050000000000"


def test_what_was_printed_is_kept_with_who_said_so(store: Store) -> None:
    erp = Principal("key:erp", "acme", "ERP", Role.CLIENT)
    line = InvoiceLine("柚子味鱼排'\x00\"; drop table feedback; --", date=dt.date(2026, 7, 1))
    ident = feedback.record(store, erp, line, code=FISH, short_name="水产加工品", rate="0.13")
    (row,) = store.rows("select * from feedback")
    assert (row["id"], row["tenant"], row["principal"]) == (ident, "acme", "key:erp")
    assert (row["code"], row["short_name"], row["rate"]) == (FISH, "水产加工品", "0.13")
    assert InvoiceLine.from_fields(json.loads(row["line"])) == line


def test_every_record_is_its_own(store: Store) -> None:
    erp = Principal("key:erp", "acme", "ERP", Role.CLIENT)
    idents = {feedback.record(store, erp, InvoiceLine("鱼"), code=FISH) for _ in range(3)}
    assert len(idents) == 3
