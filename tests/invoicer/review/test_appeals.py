"""Appeals: filed with a deadline, answered by a reviewer or the panel; their files stay shut."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import os
import stat
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invoicer import Assistant, InvoiceLine
from invoicer.access import tenants
from invoicer.access.principals import ForbiddenError, Principal
from invoicer.errors import InputError, NotFoundError
from invoicer.line import day_of, today
from invoicer.review import appeals, attachments, cases, webhooks
from invoicer.review.appeal_desk import AppealDesk
from invoicer.review.appeals import Contested
from invoicer.review.cases import UNCODABLE
from invoicer.review.decisions import Decisions
from invoicer.review.issuing import Draft
from invoicer.review.memory import with_known
from invoicer.review.panel import Panel
from invoicer.review.queue import Queue
from invoicer.review.rulings import Ruling
from invoicer.review.states import ReviewConflictError, Versions
from invoicer.settings import Settings
from invoicer.store import Store

People = dict[str, Principal]
AddLine = Callable[..., str]
Rule = Callable[..., Ruling]
FRIED, PUFFED = "1030201050000000000", "1030201040000000000"
V = Versions("m", "k")
MOST = 1 << 20
PDF = b"%PDF-1.7\n1 0 obj\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def archive(*members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for member in members:
            file.writestr(member, "x")
    return buffer.getvalue()


XLSX = archive("[Content_Types].xml", "xl/workbook.xml")


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, assistant: Assistant) -> Path:
    """A data directory of its own; `assistant` has been loaded from the common one."""
    monkeypatch.setenv("INVOICER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def desk(panel: Panel, assistant: Assistant) -> AppealDesk:
    return AppealDesk(panel, lambda: assistant)


@pytest.fixture
def appeal(store: Store, people: People) -> Callable[..., dict[str, Any]]:
    def make(name: str = "薯片", code: str = FRIED, rate: str = "") -> dict[str, Any]:
        contested = Contested(code, rate, PUFFED)
        return appeals.insert(
            store, people["erp"], InvoiceLine(name), contested, "配料表第一位是薯粉", 15
        )

    return make


def answered(store: Store, assistant: Assistant, name: str) -> str:
    (line,) = with_known(store, "acme", [InvoiceLine(name)], assistant.rate_table)
    return line.confirmed_code


def keep(store: Store, found: dict[str, Any], name: str, content: bytes, most: int = MOST):
    return attachments.add(store, found, name, io.BytesIO(content), most)


# -- filing and answering -----------------------------------------------------------------------


def test_an_appeal_says_where_it_stands_and_by_when_it_is_answered(store: Store, appeal) -> None:
    found = appeal()
    assert found["state"] == "received"
    assert found["due_on"] == (today() + dt.timedelta(days=15)).isoformat()
    with pytest.raises(NotFoundError):
        appeals.find(store, "other", found["id"])


def test_an_appeal_needs_a_reason(store: Store, people: People) -> None:
    with pytest.raises(InputError):
        appeals.insert(store, people["erp"], InvoiceLine("薯片"), Contested(FRIED), " ", 15)


def test_upheld_the_line_is_answered_by_the_new_code_from_then_on(
    store: Store, desk: AppealDesk, assistant: Assistant, people: People, appeal
) -> None:
    webhooks.add(store, "acme", "https://erp.example/hook", {"erp.example"})
    done = desk.uphold(people["anna"], appeal()["id"], PUFFED, "薯粉制,属膨化食品")
    assert (done["state"], done["code"], done["answer"]) == ("upheld", PUFFED, "薯粉制,属膨化食品")
    assert answered(store, assistant, "薯片") == PUFFED
    told = [json.loads(row["body"]) for row in store.rows("select body from deliveries")]
    assert ("appeal.upheld", done["id"]) in [(t["event"], t.get("appeal_id")) for t in told]
    with pytest.raises(ReviewConflictError, match="异议成立"):
        desk.reject(people["anna"], done["id"], "又想了想")


def test_an_item_made_for_an_appeal_was_not_drawn_for_measuring(
    store: Store, desk: AppealDesk, people: People, appeal
) -> None:
    desk.uphold(people["anna"], appeal("办公椅")["id"], PUFFED, "理由")
    assert store.rows("select sampled from review_items") == [{"sampled": 0}]


def test_rejected_the_code_stands(
    store: Store, desk: AppealDesk, assistant: Assistant, people: People, appeal
) -> None:
    done = desk.reject(people["anna"], appeal()["id"], "实物为鲜切")
    assert (done["state"], done["code"]) == ("rejected", FRIED)
    assert answered(store, assistant, "薯片") == ""


@pytest.mark.parametrize("answer", ["", " ", "长" * 1001])
def test_an_answer_has_a_reason(desk: AppealDesk, people: People, appeal, answer: str) -> None:
    with pytest.raises(InputError):
        desk.reject(people["anna"], appeal()["id"], answer)


def test_upholding_the_contested_code_makes_sense_for_a_rate_only(
    desk: AppealDesk, people: People, appeal
) -> None:
    with pytest.raises(InputError, match="另一个编码"):
        desk.uphold(people["anna"], appeal()["id"], FRIED, "理由")
    assert desk.uphold(people["anna"], appeal(rate="0.13")["id"], FRIED, "按 9%")["code"] == FRIED


def test_nobody_answers_for_a_decision_of_their_own_or_their_own_appeal(
    desk: AppealDesk, decisions: Decisions, people: People, add_line: AddLine, appeal, store: Store
) -> None:
    decisions.decide(people["anna"], add_line("薯片"), FRIED, "", V)
    for act in (lambda: desk.reject(people["anna"], appeal()["id"], "我说过了"),
                lambda: desk.uphold(people["anna"], appeal()["id"], PUFFED, "我错了")):  # fmt: skip
        with pytest.raises(ForbiddenError, match="您决定"):
            act()
    assert desk.reject(people["ben"], appeal()["id"], "同意")["state"] == "rejected"
    own = appeals.insert(store, people["ben"], InvoiceLine("虾"), Contested(FRIED), "理由", 15)
    with pytest.raises(ForbiddenError, match="自己"):
        desk.reject(people["ben"], own["id"], "理由")


def test_against_a_ruling_only_the_panel_helps(
    desk: AppealDesk, people: People, appeal, rule: Rule
) -> None:
    number = rule("薯片", FRIED).number
    with pytest.raises(ReviewConflictError, match=number):
        desk.uphold(people["anna"], appeal()["id"], PUFFED, "理由")


def test_referred_it_joins_the_open_case_of_its_line_or_opens_one(
    store: Store, desk: AppealDesk, panel: Panel, people: People, appeal, add_line: AddLine
) -> None:
    case = panel.open_item(people["eva"], add_line("薯片"), "新品")
    joined = desk.refer(people["anna"], appeal()["id"], "请裁定")
    assert (joined["state"], joined["panel_case"]) == ("referred", case["id"])
    assert joined["due_on"] == day_of(case["deadline"]).isoformat()
    opened = desk.refer(people["anna"], appeal("鱼排")["id"], "请裁定")
    assert cases.find(store, "acme", opened["panel_case"])["line"]["name"] == "鱼排"


@pytest.mark.parametrize(
    ("code", "rate", "upholds", "state"),
    [(PUFFED, "", None, "upheld"), (FRIED, "", None, "rejected"), (UNCODABLE, "", None, "upheld"),
     (FRIED, "0.13", True, "upheld"), (FRIED, "0.13", False, "rejected")],
)  # fmt: skip
def test_the_panels_outcome_closes_it(
    store: Store, desk: AppealDesk, panel: Panel, people: People, appeal, code: str, rate: str,
    upholds: bool | None, state: str,
) -> None:  # fmt: skip
    ident = appeal(rate=rate)["id"]
    case = desk.refer(people["anna"], ident, "请裁定")["panel_case"]
    for who in ("eva", "fay", "gus"):
        panel.vote(people[who], case, code, "注释")
    number = ""
    if code:
        number = panel.rule(people["ada"], case, Draft("按注释"), V, upholds).number
    done = appeals.find(store, "acme", ident)
    assert (done["state"], done["ruling"], done["code"]) == (state, number, code)
    assert done["closed_at"]


def test_on_a_contested_rate_the_chair_has_to_say_it(
    desk: AppealDesk, panel: Panel, people: People, appeal
) -> None:
    case = desk.refer(people["anna"], appeal(rate="0.13")["id"], "请裁定")["panel_case"]
    for who in ("eva", "fay", "gus"):
        panel.vote(people[who], case, FRIED, "注释")
    with pytest.raises(InputError, match="是否成立"):
        panel.rule(people["ada"], case, Draft("按注释"), V)


def test_while_the_panel_has_the_line_no_reviewer_changes_it(
    desk: AppealDesk, panel: Panel, people: People, appeal, add_line: AddLine
) -> None:
    panel.open_item(people["eva"], add_line("薯片"), "新品")
    with pytest.raises(ReviewConflictError, match="编审委员会"):
        desk.uphold(people["anna"], appeal()["id"], PUFFED, "理由")


def test_appeals_are_listed_by_deadline_the_closed_last(
    store: Store, desk: AppealDesk, people: People, appeal, queue: Queue
) -> None:
    first, second = appeal()["id"], appeal("鱼排")["id"]
    desk.reject(people["anna"], first, "理由")
    assert [one["id"] for one in appeals.search(store, "acme")[1]] == [second, first]
    assert appeals.search(store, "acme", "rejected")[0] == 1
    assert appeals.search(store, "other") == (0, [])


# -- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [("配料表.pdf", PDF, "pdf"), ("照片.PNG", PNG, "png"),
     ("照片.jpeg", b"\xff\xd8\xff\xe0", "jpg"),
     ("明细.xlsx", XLSX, "xlsx"), ("说明.docx", archive("word/document.xml"), "docx"),
     ("发票.ofd", archive("OFD.xml"), "ofd")],
)  # fmt: skip
def test_known_kinds_are_kept_as_they_came(
    store: Store, appeal, data_dir: Path, name: str, content: bytes, kind: str
) -> None:
    file = keep(store, appeal(), name, content)
    assert (file["name"], file["kind"], file["size"]) == (name, kind, len(content))
    path = attachments.path_of(file["id"])
    assert path.read_bytes() == content
    assert path.parent == data_dir / "appeals"
    assert (path.suffix, stat.S_IMODE(path.stat().st_mode)) == ("", 0o600)


@pytest.mark.parametrize(
    ("name", "content"),
    [("x.exe", b"MZ"), ("x.html", b"<script>"), ("x.svg", b"<svg>"), ("x", PDF), ("x.pdf", PNG),
     ("x.png", b"<html><script>"), ("x.xlsx", b"PK\x03\x04broken"), ("x.xlsx", archive("a.txt")),
     ("x.xlsx", archive("xl/workbook.xml", "xl/vbaProject.bin")), ("x.docx", XLSX), ("x.pdf", b""),
     ("x.pdf", PDF + bytes(MOST))],
)  # fmt: skip
def test_other_kinds_disguises_macros_and_large_files_are_refused_and_leave_nothing(
    store: Store, appeal, data_dir: Path, name: str, content: bytes
) -> None:
    with pytest.raises(InputError):
        keep(store, appeal(), name, content)
    assert [path for path in (data_dir / "appeals").glob("*")] == []
    assert store.rows("select * from appeal_files") == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [("../../etc/passwd.pdf", "passwd.pdf"), ("C:\\temp\\表.pdf", "表.pdf"),
     ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"), ("长" * 300 + ".pdf", "长" * 116 + ".pdf")],
)  # fmt: skip
def test_a_files_name_is_only_a_name(store: Store, appeal, name: str, shown: str) -> None:
    assert keep(store, appeal(), name, PDF)["name"] == shown


def test_an_appeal_has_so_many_files_and_no_more(store: Store, appeal) -> None:
    found = appeal()
    for number in range(attachments.MAX_FILES):
        keep(store, found, f"{number}.pdf", PDF)
    with pytest.raises(InputError, match="最多"):
        keep(store, found, "more.pdf", PDF)


def test_a_file_belongs_to_its_appeal(store: Store, appeal) -> None:
    file = keep(store, appeal(), "表.pdf", PDF)
    with pytest.raises(NotFoundError):
        attachments.find(store, appeal(), file["id"])


def test_an_export_holds_the_files(store: Store, appeal, tmp_path: Path) -> None:
    keep(store, appeal(), "表.pdf", PDF)
    target = tmp_path / "acme.jsonl"
    tenants.export(store, "acme", target)
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    (file,) = (row["row"] for row in rows if row["table"] == "appeal_files")
    assert base64.b64decode(file["content"]) == PDF


def test_erasing_and_ageing_reach_the_files(
    store: Store, desk: AppealDesk, people: People, appeal, data_dir: Path
) -> None:
    store.db.execute("update tenants set retention_days = 30")
    old, young = appeal(), appeal()
    keep(store, old, "old.pdf", PDF)
    kept = keep(store, young, "young.pdf", PDF)["id"]
    for one in (old, young):
        desk.reject(people["anna"], one["id"], "理由")
    store.db.execute("update appeals set closed_at = '2020-01-01T00:00:00Z' where id = ?",
                     [old["id"]])  # fmt: skip
    tenants.retain(store)
    assert [path.name for path in (data_dir / "appeals").iterdir()] == [kept]
    assert [one["id"] for one in appeals.search(store, "acme")[1]] == [young["id"]]
    tenants.erase(store, "acme")
    assert list((data_dir / "appeals").iterdir()) == []
    assert store.rows("select * from appeal_files") == []


def test_open_appeals_do_not_age(store: Store, appeal) -> None:
    store.db.execute("update tenants set retention_days = 1")
    appeal()
    tenants.retain(store, dt.datetime.now(dt.UTC) + dt.timedelta(days=900))
    assert appeals.search(store, "acme")[0] == 1


def test_what_a_crash_left_is_swept_after_a_day(store: Store, appeal, data_dir: Path) -> None:
    kept = keep(store, appeal(), "表.pdf", PDF)["id"]
    folder = Settings().appeals_dir
    old, fresh = folder / ("af_" + "0" * 40), folder / ("af_" + "1" * 40)
    for path in (old, fresh):
        path.write_bytes(b"half")
    for path in (old, folder / kept):
        os.utime(path, (time.time() - 90_000,) * 2)
    attachments.sweep(store)
    assert {path.name for path in folder.iterdir()} == {kept, fresh.name}
