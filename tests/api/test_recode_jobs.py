"""`/v1/jobs` with kind=recode: a history goes in; verdicts, report and template come out."""

from __future__ import annotations

import csv
import io
import os
import signal
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from handing_in import (
    Headers,
    accepted,
    children_of,
    ended,
    error,
    reach,
    submit,
    table,
    that,
    until,
    when,
)

from invoicer.access.principals import Role
from invoicer.jobs import files
from invoicer.recode.verdict import RECODE_COLUMNS

FISH, REBAR = "1030109050000000000", "1080207050000000000"
TIN, TEA, POTTERY = "茶叶罐", "1030308010000000000", "1080122020000000000"
HEAD = ["商品名称", "税收分类编码", "税率", "金额", "税额", "开票日期"]
LINES = [
    ["*水产加工品*柚子味鱼排", FISH, "13%", "100.00", "13.00", "2024-05-06"],
    ["螺纹钢", REBAR, "9%", "1000.00", "90.00", "2024-05-06"],
    ["合计", "", "", "1100.00", "", ""],
    [f"{TIN}<script>alert(1)</script>", TEA, "13%", "50.00", "6.50", "2024-05-06"],
]
XML = """<EInvoice><SellerName>四海商贸有限公司</SellerName><IssueTime>2024-05-06</IssueTime>
<Item><ItemName>螺纹钢</ItemName><Amount>1000</Amount><TaxRate>0.09</TaxRate>
<TaxClassificationCode>1080207050000000000</TaxClassificationCode></Item></EInvoice>"""


def text_of(*rows: list[str]) -> str:
    target = io.StringIO()
    csv.writer(target).writerows([HEAD, *rows])
    return target.getvalue()


def recoded(client, headers: Headers, *args: Any, **form: Any) -> dict[str, Any]:
    job = ended(client, headers, accepted(client, headers, *args, kind="recode", **form))
    assert job["state"] == "done", job
    return job


def get(client, headers: Headers, job: dict[str, Any], what: str):
    return client.get(f"/v1/jobs/{job['id']}/{what}", headers=headers)


def test_a_history_becomes_verdicts_a_report_and_rejects(client, auth, service) -> None:
    headers = auth()
    job = recoded(client, headers, text_of(*LINES))
    assert (job["kind"], job["stage"], job["report"]) == ("recode", None, True)
    assert (job["rows_total"], job["rows_done"], job["rows_failed"]) == (4, 4, 1)
    assert job["rows_with_findings"] == 2
    assert job["downloads"] == ["result", "rejects", "report"]
    rows = table(get(client, headers, job, "result"))
    assert list(rows[0]) == [*HEAD, *RECODE_COLUMNS]
    assert [row["code"] for row in rows[:2]] == [FISH, REBAR]
    assert "税率错误" in rows[1]["findings"] and rows[1]["stake_high"] == "40.00"
    (reject,) = table(get(client, headers, job, "rejects"))
    assert (reject["row"], reject["field"]) == ("4", "name")
    days = service.store.rows("select tier, lines from answered")
    assert sum(row["lines"] for row in days) == 4
    cuts = service.store.row("select sum(lines) as n from answered_by")
    assert cuts == {"n": 3}
    assert not files.work(job["id"]).exists()


def test_the_report_is_a_download_in_which_names_are_text(client, auth) -> None:
    headers = auth()
    job = recoded(client, headers, text_of(*LINES))
    report = get(client, headers, job, "report")
    assert report.headers["content-type"] == "text/html; charset=utf-8"
    assert report.headers["content-disposition"].startswith("attachment;")
    assert report.headers["x-content-type-options"] == "nosniff"
    assert report.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert "茶叶罐" in report.text and "<script" not in report.text


@pytest.mark.parametrize(
    ("name", "content"),
    [("发票.xml", XML), ("a.tsv", text_of(LINES[1]).replace(",", "\t")), ("a.OFD", None)],
    ids=["xml", "tsv", "ofd"],
)
def test_what_only_recode_reads_is_taken_and_parquet_is_given(client, auth, name, content) -> None:
    if content is None:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("Doc_0/Attachs/original_invoice.xml", XML)
        content = target.getvalue()
    headers = auth()
    job = recoded(client, headers, content, name, format="parquet", report="false")
    assert job["downloads"] == ["result"]
    found = pq.read_table(io.BytesIO(get(client, headers, job, "result").content))
    assert found["code"].to_pylist() == [REBAR]
    assert error(get(client, headers, job, "report"), 404)["code"] == "not_found"


def template() -> bytes:
    """A workbook laid out as the administration's own."""
    book, target = openpyxl.Workbook(), io.BytesIO()
    book.active.title = "1-发票基本信息"
    book.create_sheet("excelVersion")["A4"] = "pt:20260401"
    sheet = book.create_sheet("2-发票明细信息")
    for number, title in enumerate(("项目名称", "商品和服务税收编码", "金额", "税率"), 1):
        sheet.cell(2, number, "必填(限100字符)")
        sheet.cell(3, number, title)
    book.save(target)
    return target.getvalue()


def test_the_official_template_is_filled(client, auth) -> None:
    headers = auth()
    job = recoded(client, headers, text_of(*LINES[:3]), template=template())
    assert job["template"] and "template" in job["downloads"]
    assert job["notes"] == ["官方模板版本 pt:20260401,共 1 个文件"]
    with zipfile.ZipFile(io.BytesIO(get(client, headers, job, "template").content)) as archive:
        assert archive.namelist() == ["模板-001.xlsx"]
        book = openpyxl.load_workbook(io.BytesIO(archive.read("模板-001.xlsx")))
    rows = list(book["2-发票明细信息"].iter_rows(min_row=4, values_only=True))
    assert rows[0] == ("柚子味鱼排", FISH, "100.00", "0.13")


def test_a_template_that_is_none_fails_the_job_with_the_reason(client, auth) -> None:
    headers = auth()
    ident = accepted(
        client, headers, text_of(LINES[0]), kind="recode", template=b"PK\x03\x04 nothing"
    )
    job = ended(client, headers, ident)
    assert (job["state"], job["error"]["code"]) == ("failed", "bad_input")
    assert "template.xlsx" in job["error"]["message"]


def test_a_file_that_is_no_history_fails_with_the_reason(client, auth) -> None:
    headers = auth()
    job = ended(client, headers, accepted(client, headers, "甲,乙\n1,2\n", kind="recode"))
    assert job["state"] == "failed" and "没有找到商品名称列" in job["error"]["message"]
    when(lambda: not files.work(job["id"]).exists())


def test_too_many_rows_fail_with_the_reason(settings, monkeypatch, request, auth) -> None:
    monkeypatch.setattr(settings, "job_rows", 3)
    client, headers = request.getfixturevalue("client"), auth()
    job = ended(client, headers, accepted(client, headers, text_of(*LINES), kind="recode"))
    assert job["state"] == "failed" and "超过 3 行" in job["error"]["message"]


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("rates", "true", "只用于 kind=classify"),
        ("report", "vielleicht", "应为 true 或 false"),
        ("format", "ods", "只能是"),
    ],
)
def test_a_field_that_does_not_go_with_recode_is_named(client, auth, field, value, problem) -> None:
    refused = error(submit(client, auth(), kind="recode", **{field: value}), 422)
    assert refused["context"]["field"] == field and problem in refused["message"]


def test_a_template_has_to_be_a_workbook(client, auth) -> None:
    headers, history = auth(), ("a.csv", text_of(LINES[0]))
    for given in (("a.xls", b"x"), ("a.xlsx", b"")):
        form = {"files": {"file": history, "template": given}, "data": {"kind": "recode"}}
        refused = error(client.post("/v1/jobs", headers=headers, **form), 422)
        assert refused["context"]["field"] == "template"
    form = {"files": {"file": history}, "data": {"kind": "recode", "template": "text"}}
    refused = error(client.post("/v1/jobs", headers=headers, **form), 422)
    assert refused["context"]["field"] == "template"


def test_classify_takes_no_invoice_file_and_no_template(client, auth) -> None:
    refused = error(submit(client, auth(), XML, "a.xml"), 422)
    assert refused["context"]["field"] == "file"
    refused = error(submit(client, auth(), template=template()), 422)
    assert refused["context"]["field"] == "template"


def test_another_tenant_finds_neither_report_nor_template(client, auth) -> None:
    headers = auth()
    job = recoded(client, headers, text_of(*LINES[:2]), template=template())
    other = auth(Role.ADMIN, "other")
    for what in job["downloads"]:
        assert error(get(client, other, job, what), 404)["code"] == "not_found"


def test_what_people_decided_answers_and_what_is_uncertain_is_asked(client, auth, service) -> None:
    headers = auth(review="auto")
    tins = [[TIN, TEA, "13%", amount, "", "2024-05-06"] for amount in ("100.00", "20.50")]
    first = recoded(client, headers, text_of(*tins))
    (item,) = service.store.rows("select * from review_items")
    assert (item["tenant"], item["times"], item["amount"]) == ("acme", 2, 12050)
    asked = table(get(client, headers, first, "result"))
    assert [row["review_id"] for row in asked] == [item["id"]] * 2
    with service.store.transaction() as db:
        db.execute("update review_items set state = 'decided', code = ?, decided_at = last_seen",
                   [POTTERY])  # fmt: skip
    again = recoded(client, headers, text_of(*tins))
    rows = table(get(client, headers, again, "result"))
    assert [(row["code"], row["tier"], row["review_id"]) for row in rows] == [
        (POTTERY, "strong", "")
    ] * 2
    others = auth(tenant="other", review="none")
    stranger = recoded(client, others, text_of(*tins))
    assert table(get(client, others, stranger, "result"))[0]["tier"] != "strong"


# -- processes that end -----------------------------------------------------------------------

LONG = text_of(*([f"{TIN} {n % 50}", TEA, "13%", "10", "", "2024-05-06"] for n in range(12_000)))


def test_a_running_recode_can_be_cancelled(client, auth) -> None:
    headers = auth()
    ident = accepted(client, headers, LONG, kind="recode")
    running = that(client, headers, ident, lambda job: job["stage"] is not None)
    assert running["stage"]["name"] in ("read", "classify", "judge")
    assert client.delete(f"/v1/jobs/{ident}", headers=headers).json()["state"] == "cancelled"
    after = accepted(client, headers, text_of(LINES[0]), kind="recode")
    assert ended(client, headers, after)["state"] == "done", "the place is free again"
    assert not files.work(ident).exists()


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc to find the process")
def test_a_killed_recode_goes_on_where_it_was(client, auth, service) -> None:
    headers = auth(review="auto")
    ident = accepted(client, headers, LONG, kind="recode")
    reach(client, headers, ident, rows_done=2000)
    part = files.work(ident) / ".result.csv.work" / "part-000000.json"
    written = part.stat().st_mtime_ns
    (child,) = children_of(ident)
    os.kill(child, signal.SIGKILL)
    that(client, headers, ident, lambda job: job["attempts"] == 2 and job["rows_done"] >= 4000)
    assert part.stat().st_mtime_ns == written, "a part that is there is not judged again"
    job = until(client, headers, ident, {"done", "failed"})
    assert (job["state"], job["rows_done"], job["attempts"]) == ("done", 12_000, 2)
    times = service.store.row("select count(*) as items, sum(times) as times from review_items")
    rows = table(get(client, headers, job, "result"))
    asked = [row["review_id"] for row in rows if row["review_id"]]
    assert times == {"items": len(set(asked)), "times": len(asked)}
    whole = recoded(client, headers, LONG)
    assert (
        get(client, headers, whole, "result").content == get(client, headers, job, "result").content
    )


def test_options_and_progress_are_told_while_it_waits(settings, monkeypatch, request, auth) -> None:
    monkeypatch.setattr(settings, "jobs", 0)
    client, headers = request.getfixturevalue("client"), auth()
    given = {"kind": "recode", "format": "xlsx", "taxpayer": "small", "on": "2024-05-06"}
    job = submit(client, headers, text_of(LINES[0]), map="货=name", **given).json()
    assert {name: job[name] for name in given} == given
    assert (job["state"], job["map"], job["downloads"]) == ("queued", ["货=name"], [])
    folder = Path(files.folder(job["id"]))
    assert [path.name for path in folder.iterdir()] == ["input.csv"]
