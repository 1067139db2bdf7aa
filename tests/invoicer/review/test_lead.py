"""The tax lead's figures, counted by hand beside what the sheets say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

from invoicer import Assistant, InvoiceLine
from invoicer.access.principals import Principal
from invoicer.line import today
from invoicer.review.decisions import Decisions
from invoicer.review.lead import Lead, Sheet, confusions
from invoicer.review.queue import Queue
from invoicer.review.rules import ReviewRules
from invoicer.review.states import Versions
from invoicer.review.tally import Tally
from invoicer.spreadsheet import safe_csv
from invoicer.store import Store
from models.evaluation import Share

V = Versions()
ALL = ReviewRules(random_slice=1.0, second_share=0.0)
HOTEL = "某某酒店管理有限公司"
People = dict[str, Principal]
AddLine = Callable[..., str]


def lead(store: Store, assistant: Assistant, tenant: str = "acme") -> Lead:
    return Lead(store, tenant, assistant.kb.taxonomy, ALL)


def rows(sheet: Sheet | None) -> list[tuple]:
    assert sheet is not None
    return sheet.rows


def answered(store: Store, assistant: Assistant, *names: str, seller: str = "") -> None:
    lines = [InvoiceLine(name, seller_industry=seller) for name in names]
    tally = Tally(store)
    tally.add_answers("acme", zip(lines, assistant.suggest(lines), strict=True))
    tally.flush()
    tally.flush()  # what was written is not written twice


def test_automation_is_cut_by_kind_of_goods_industry_and_month(
    store: Store, assistant: Assistant
) -> None:
    answered(store, assistant, "弹簧床垫 1.8m", "弹簧床垫 1.5m", "薯片")
    answered(store, assistant, "弹簧床垫 2m", seller=HOTEL)
    found = lead(store, assistant)
    (food, furniture) = rows(found.sheet("chapters"))
    assert (food[0].split()[0], food[1]) == ("103", Share(0, 1))
    assert (furniture[0].split()[0], furniture[1].right) == ("105", furniture[1].total)
    assert furniture[1].total == 3
    assert [(r[0], r[1].total) for r in rows(found.sheet("industries"))] == [
        ("H 住宿和餐饮业", 1), ("未知", 3)
    ]  # fmt: skip
    assert [(r[0], r[1].total) for r in rows(found.sheet("months"))] == [(f"{today():%Y-%m}", 4)]


def test_accuracy_is_that_of_the_random_slice(
    store: Store, assistant: Assistant, decisions: Decisions, people: People, add_line: AddLine
) -> None:
    first, second = (c.code for c in assistant.suggest("薯片").candidates[:2])
    for spec, code in (("70g", first), ("90g", second), ("100g", first)):
        item = add_line("薯片", spec=spec, seller_industry=HOTEL)
        Queue(store, ALL).lease(people["anna"], 9)
        decisions.decide(people["anna"], item, code, "", V)
    (row,) = rows(lead(store, assistant).sheet("industries"))
    assert (row[0], row[3]) == ("H 住宿和餐饮业", Share(2, 3))
    none = Lead(store, "acme", assistant.kb.taxonomy, ReviewRules(random_slice=0.0))
    assert rows(none.sheet("industries")) == []


def test_confusions_name_both_codes_with_lines_and_money(
    store: Store, assistant: Assistant, decisions: Decisions, people: People, add_line: AddLine
) -> None:
    first, second = (c.code for c in assistant.suggest("薯片").candidates[:2])
    item = add_line("薯片", amount="12.50")
    Queue(store, ALL).lease(people["anna"], 9)
    decisions.decide(people["anna"], item, second, "", V)
    (row,) = rows(lead(store, assistant).sheet("confusions"))
    assert (row[0], row[2], row[4:]) == (first, second, (1, 1, Decimal("12.50")))
    assert [one.code for one in confusions(store, "acme", second)] == [second]
    assert confusions(store, "acme", "1010101010000000000") == []
    assert confusions(store, "other") == []


def test_open_disputes_are_counted_by_age(
    store: Store, assistant: Assistant, people: People, add_line: AddLine
) -> None:
    paired = Decisions(Queue(store, ReviewRules(second_share=1.0)), assistant.is_usable)
    first, second = (c.code for c in assistant.suggest("薯片").candidates[:2])
    item = add_line("薯片", amount="100")
    paired.decide(people["anna"], item, first, "", V)
    paired.decide(people["ben"], item, second, "", V)
    found = rows(lead(store, assistant).sheet("disputes"))
    assert found[0] == ("1 天以内", 1, Decimal("100.00"))
    assert sum(row[1] for row in found) == 1
    agreed = rows(lead(store, assistant).sheet("agreement"))
    few = "—(不足 20 项)"
    assert agreed == [(who, Share(0, 1), few) for who in ("全体", "anna", "ben")]
    with store.transaction() as db:
        db.execute("update principals set name = 'anna'")
    again = rows(lead(store, assistant).sheet("agreement"))
    assert [row[0] for row in again] == ["全体", "anna", "anna"]


def test_drift_stands_this_month_beside_the_last(store: Store, assistant: Assistant) -> None:
    last = f"{today().replace(day=1) - dt.timedelta(days=1):%Y-%m}"
    with store.transaction() as db:
        for month, tier, lines in ((last, "strong", 80), (last, "weak", 20),
                                   (f"{today():%Y-%m}", "strong", 60),
                                   (f"{today():%Y-%m}", "weak", 40)):  # fmt: skip
            db.execute("insert into answered_by values ('acme', ?, '103', 'F', ?, ?)",
                       [month, tier, lines])  # fmt: skip
    found = rows(lead(store, assistant).sheet("drift"))
    assert found[:3] == [("档位", "分布变化", "", "", "20.0%"),
                         ("档位", "弱", "20.0%", "40.0%", "+20.0%"),
                         ("档位", "强", "80.0%", "60.0%", "-20.0%")]  # fmt: skip


def test_every_sheet_is_there_without_any_data(store: Store, assistant: Assistant) -> None:
    names = [sheet.name for sheet in lead(store, assistant).sheets()]
    assert names == ["chapters", "industries", "months", "drift", "disputes", "rulings",
                     "agreement", "confusions", "missing"]  # fmt: skip
    assert lead(store, assistant).sheet("unknown") is None


def test_a_sheet_as_csv_spells_a_share_out_and_runs_no_formula() -> None:
    sheet = Sheet("x", "X", ("名", "率", "元"), [("=1+1", Share(9, 10), Decimal("-5.00"))])
    text = safe_csv(*sheet.flat()).decode("utf-8-sig").splitlines()
    assert text[0] == "名,率分子,率分母,率比率,率下限,率上限,元"
    assert text[1].startswith("'=1+1,9,10,0.9,0.")
    assert text[1].endswith(",-5.00")
