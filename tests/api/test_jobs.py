"""`/v1/jobs`: files in, result files out, over the service as it runs."""

from __future__ import annotations

import io
import json
import os
import re
import signal
from collections.abc import Iterator

import httpx
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from handing_in import (
    LINES,
    accepted,
    children_of,
    ended,
    error,
    job_of,
    reach,
    submit,
    table,
    until,
    when,
)

from invoicer.access.principals import Role
from invoicer.jobs import files
from invoicer.settings import Settings


@pytest.fixture
def idle(settings, monkeypatch) -> None:
    """The service runs no jobs: they stay queued."""
    monkeypatch.setattr(settings, "jobs", 0)


# -- a file's way -----------------------------------------------------------------------------


def test_a_file_becomes_a_result_with_its_failed_rows_listed(client, auth) -> None:
    headers = auth()
    response = submit(client, headers, on="2026-07-01")
    assert response.status_code == 202
    ident = response.json()["id"]
    assert response.headers["location"] == f"/v1/jobs/{ident}"
    job = ended(client, headers, ident)
    assert (job["state"], job["rows_total"], job["rows_done"], job["rows_failed"]) == (
        "done", 4, 4, 1,
    )  # fmt: skip
    assert job["rows_per_second"] > 0 and job["seconds_left"] is None and job["error"] is None
    assert job["created_at"] <= job["started_at"] <= job["ended_at"]
    response = client.get(f"/v1/jobs/{ident}/result", headers=headers)
    rows = table(response)
    assert [row["商品名称"] for row in rows] == ["柚子味鱼排 200g", "停车费", "", "弹簧床垫 1.8m"]
    assert rows[0]["code"] == "1030109050000000000" and rows[0]["rate"] == "0.13"
    assert rows[2]["error"].startswith("name: ")
    disposition = response.headers["content-disposition"]
    assert disposition == f'attachment; filename="{ident}-result.csv"'
    rejects = table(client.get(f"/v1/jobs/{ident}/rejects", headers=headers))
    assert rejects == [{"row": "4", "field": "name", "reason": "商品名称为空,请填写"}]
    left = {path.name for path in files.folder(ident).iterdir()}
    assert left == {"input.csv", "result.csv", "rejects.csv"}


def parquet() -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table({"spmc": ["停车费", "柚子味鱼排"]}), target)
    return target.getvalue()


def workbook() -> bytes:
    book, target = openpyxl.Workbook(), io.BytesIO()
    for name in ("货物名称", "停车费", "柚子味鱼排"):
        book.active.append([name])
    book.save(target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.PARQUET", parquet()),
        ("a.xlsx", workbook()),
        ("a.jsonl", '{"goodsName": "停车费"}\n{"goodsName": "柚子味鱼排"}\n'.encode()),
        ("a.tsv", "项目名称\t单位\n停车费\t\n柚子味鱼排\t袋\n".encode("gb18030")),
    ],
)
def test_every_kind_of_file_can_be_handed_in(client, auth, name, content) -> None:
    headers = auth()
    ident = accepted(client, headers, content, name, format="jsonl", rates="true", taxpayer="small")
    job = ended(client, headers, ident)
    assert job["state"] == "done", job
    text = client.get(f"/v1/jobs/{ident}/result", headers=headers).text
    rows = [json.loads(line) for line in text.splitlines()]
    assert [row["candidates"][0]["short_name"] for row in rows] == ["生产生活服务", "水产加工品"]
    assert all(row["rates"] for row in rows)


def test_a_workbook_comes_out_as_asked(client, auth) -> None:
    headers = auth()
    ident = accepted(client, headers, format="xlsx")
    assert ended(client, headers, ident)["state"] == "done"
    content = client.get(f"/v1/jobs/{ident}/result", headers=headers).content
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert [cell.value for cell in sheet["A"]][1:3] == ["柚子味鱼排 200g", "停车费"]


def test_uncertain_rows_go_to_the_review_queue_with_their_amounts(client, auth, service) -> None:
    headers = auth()
    twice = LINES + "柚子味鱼排 200g,袋,7.50\n"
    ident = accepted(client, headers, twice, review="auto")
    assert ended(client, headers, ident)["state"] == "done"
    items = {
        json.loads(row["line"])["name"]: (row["times"], row["amount"], row["tenant"])
        for row in service.store.rows("select * from review_items")
    }
    assert items["柚子味鱼排 200g"] == (2, 2000, "acme")
    tiers = [r["tier"] for r in table(client.get(f"/v1/jobs/{ident}/result", headers=headers))]
    assert sum(times for times, _, _ in items.values()) == 5 - 1 - tiers.count("strong")


def test_what_people_decided_holds_for_jobs_too(client, auth, service) -> None:
    headers, frozen = auth(), "1030109010000000000"
    first = accepted(client, headers, review="auto")
    assert ended(client, headers, first)["state"] == "done"
    with service.store.transaction() as db:
        db.execute(
            "update review_items set state = 'decided', code = ?, decided_at = last_seen"
            " where json_extract(line, '$.name') = '柚子味鱼排 200g'", [frozen],
        )  # fmt: skip
    again = accepted(client, headers)
    assert ended(client, headers, again)["state"] == "done"
    row = table(client.get(f"/v1/jobs/{again}/result", headers=headers))[0]
    assert (row["code"], row["tier"]) == (frozen, "strong")


def test_a_column_may_be_named_for_a_field(client, auth) -> None:
    headers = auth()
    given = {"map": ["货=name", "称重=unit"]}
    ident = accepted(client, headers, "货,称重\n柚子味鱼排,袋\n", **given)
    job = ended(client, headers, ident)
    assert (job["state"], job["map"]) == ("done", given["map"])
    (row,) = table(client.get(f"/v1/jobs/{ident}/result", headers=headers))
    assert json.loads(row["candidates"])[0]["short_name"] == "水产加工品"


def test_the_lines_of_a_job_are_in_the_figures(client, auth, service) -> None:
    headers, admin = auth(), auth(Role.ADMIN)

    def counted() -> float:
        text = client.get("/metrics", headers=admin).text
        found = re.findall(r'^invoicer_lines_total{tier="\w+"} (.+)$', text, re.MULTILINE)
        return sum(map(float, found))

    before = counted()
    ident = accepted(client, headers)
    assert ended(client, headers, ident)["state"] == "done"
    when(lambda: counted() == before + 4)
    days = service.store.rows("select tier, lines from answered where tenant = 'acme'")
    assert sum(row["lines"] for row in days) == 4
    assert {"tier": "failed", "lines": 1} in days
    cuts = service.store.row("select sum(lines) as n from answered_by where tenant = 'acme'")
    assert cuts == {"n": 3}


def test_the_lines_of_a_job_delay_the_next_job_of_its_key_and_nothing_else(client, auth) -> None:
    headers, colleague = auth(lines_per_second=10), auth()
    ident = accepted(client, headers, "商品名称\n" + "停车费\n" * 3_000)
    assert ended(client, colleague, ident)["state"] == "done"
    when(lambda: submit(client, headers).status_code == 429)
    refused = submit(client, headers)
    assert error(refused, 429)["code"] == "too_many_requests"
    assert 10 < int(refused.headers["retry-after"]) <= 300
    assert client.get("/v1/jobs", headers=headers).status_code == 200
    accepted(client, colleague)


def test_without_review_nothing_goes_to_the_queue(client, auth, service) -> None:
    headers = auth(review="auto")
    ident = accepted(client, headers, review="none")
    assert ended(client, headers, ident)["state"] == "done"
    assert service.store.rows("select * from review_items") == []


# -- what cannot be done ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "甲,乙\n1,2\n", "没有找到商品名称列"),
        ("a.csv", "商品名称\n", "没有数据行"),
        ("a.xlsx", b"PK\x03\x04not a workbook", "无法读取 input.xlsx"),
        ("a.parquet", b"PAR1 nonsense PAR1", "无法读取 input.parquet"),
        ("a.jsonl", "\n[1]\n", "第 2 行不是 JSON 对象"),
    ],
)
def test_a_file_that_cannot_be_used_fails_with_the_reason(
    client, auth, name, content, message
) -> None:
    headers = auth()
    ident = accepted(client, headers, content, name)
    job = ended(client, headers, ident)
    assert (job["state"], job["attempts"], job["error"]["code"]) == ("failed", 1, "bad_input")
    assert message in job["error"]["message"]
    assert str(Settings().data_dir) not in json.dumps(job), "no path of ours is told"
    refused = error(client.get(f"/v1/jobs/{ident}/result", headers=headers), 409)
    assert refused["code"] == "job_not_done"


def bomb() -> bytes:
    """A small file that fills the memory when it is read: one long name, eight thousand times."""
    names = pa.DictionaryArray.from_arrays(pa.array([0] * 8192), pa.array(["鱼" * 300_000]))
    target = io.BytesIO()
    pq.write_table(pa.table({"品名": names}), target, compression="zstd")
    return target.getvalue()


@pytest.mark.parametrize(
    ("limit", "most", "name", "content", "message"),
    [
        ("job_rows", 3, "a.csv", LINES, "文件有 4 行,超过 3 行"),
        ("job_disk", 2 << 20, "a.csv", "品名\n" + "停车费\n" * 4_000, "结果文件过大"),
        ("job_memory", 1 << 30, "a.parquet", bomb(), "占用内存过多"),
    ],
    ids=["rows", "disk", "memory"],
)
def test_a_file_that_takes_too_much_fails_with_the_reason(
    settings, monkeypatch, request, auth, limit, most, name, content, message
) -> None:
    monkeypatch.setattr(settings, limit, most)
    client, headers = request.getfixturevalue("client"), auth()
    job = ended(client, headers, accepted(client, headers, content, name, rates="true"))
    assert (job["state"], job["attempts"]) == ("failed", 1)
    assert message in job["error"]["message"]


@pytest.mark.usefixtures("idle")
class TestRefusedAtOnce:
    @pytest.mark.parametrize("name", ["a.exe", "a", "", "../../x.py", "a.csv.zip"])
    def test_only_tables_are_taken(self, client, auth, name) -> None:
        response = submit(client, auth(), name=name or "x")
        assert error(response, 422)["context"]["field"] == "file"

    def test_an_empty_file_is_refused(self, client, auth) -> None:
        assert "空" in error(submit(client, auth(), b""), 422)["message"]

    def test_a_form_without_a_file_is_refused(self, client, auth) -> None:
        response = client.post("/v1/jobs", headers=auth(), files={"other": ("a.csv", b"x")})
        assert "file" in error(response, 422)["message"]
        response = client.post("/v1/jobs", headers=auth(), json={"file": "x"})
        assert "multipart" in error(response, 422)["message"]

    @pytest.mark.parametrize(
        ("field", "value", "problem"),
        [
            ("format", "pdf", "只能是"),
            ("on", "昨天", ""),
            ("on", "2010-01-01", ""),
            ("taxpayer", "大", "只能是"),
            ("review", "yes", "只能是"),
            ("seller_industry", "长" * 1001, "超过 1000 个字符"),
            ("fromat", "csv", "没有这个字段"),
            ("kind", "audit", "只能是"),
            ("format", "parquet", "结果格式只能是"),
            ("report", "true", "只用于 kind=recode"),
            ("map", "货品", "应写成 列名=字段"),
            ("map", "货品=gibt", "不是可用的字段"),
        ],
    )
    def test_a_wrong_field_is_named(self, client, auth, field, value, problem) -> None:
        refused = error(submit(client, auth(), **{field: value}), 422)
        assert refused["context"]["field"] == field and problem in refused["message"]

    def test_a_body_that_is_no_form_is_refused(self, client, auth) -> None:
        headers = auth() | {"Content-Type": "multipart/form-data"}
        response = client.post("/v1/jobs", headers=headers, content=b"x")
        assert error(response, 400)["code"] == "bad_request"

    def test_too_large_a_file_is_refused(self, client, auth, settings, monkeypatch) -> None:
        monkeypatch.setattr(settings, "max_upload", 10_000)
        assert error(submit(client, auth(), b"x" * 20_000), 413)["code"] == "too_large"

        def trickle() -> Iterator[bytes]:
            head = 'Content-Disposition: form-data; name="file"; filename="a.csv"'
            yield f"--b\r\n{head}\r\n\r\n".encode()
            for _ in range(20):
                yield b"x" * 1000

        headers = auth() | {"Content-Type": "multipart/form-data; boundary=b"}
        response = client.post("/v1/jobs", headers=headers, content=trickle())
        assert error(response, 413)["code"] == "too_large"
        assert not list(Settings().data_dir.glob("jobs/*"))

    def test_a_tenant_may_have_only_so_many_waiting(
        self, client, auth, settings, monkeypatch
    ) -> None:
        monkeypatch.setattr(settings, "jobs_waiting", 2)
        headers = auth()
        accepted(client, headers), accepted(client, headers)
        response = submit(client, headers)
        assert error(response, 429)["code"] == "too_many_jobs"
        assert int(response.headers["retry-after"]) > 0
        accepted(client, auth(tenant="other"))


# -- whose it is ------------------------------------------------------------------------------


@pytest.mark.usefixtures("idle")
class TestWhoseItIs:
    def test_another_tenant_finds_nothing(self, client, auth) -> None:
        ident, other = accepted(client, auth()), auth(Role.ADMIN, "other")
        for method, path in [
            ("GET", ""), ("GET", "/result"), ("GET", "/rejects"), ("DELETE", ""),
        ]:  # fmt: skip
            response = client.request(method, f"/v1/jobs/{ident}{path}", headers=other)
            assert error(response, 404)["code"] == "not_found"
        assert client.get("/v1/jobs", headers=other).json() == {"results": [], "next": ""}
        assert job_of(client, auth(), ident)["state"] == "queued"

    def test_the_list_goes_page_by_page(self, client, auth) -> None:
        headers = auth()
        made = [accepted(client, headers) for _ in range(3)]
        first = client.get("/v1/jobs?limit=2", headers=headers).json()
        assert [job["id"] for job in first["results"]] == made[:0:-1]
        rest = client.get(f"/v1/jobs?limit=2&before={first['next']}", headers=headers).json()
        assert [job["id"] for job in rest["results"]] == made[:1]
        assert rest["next"] == ""

    def test_the_same_key_and_file_is_one_job(self, client, auth) -> None:
        headers = auth() | {"Idempotency-Key": "history-2026-11"}
        first, second = submit(client, headers), submit(client, headers)
        assert second.json() == first.json()
        assert second.headers["idempotency-replayed"] == "true"
        assert second.headers["location"] == first.headers["location"]
        assert len(client.get("/v1/jobs", headers=headers).json()["results"]) == 1
        other = submit(client, headers, LINES + "停车费,,1\n")
        assert error(other, 409)["code"] == "idempotency_conflict"
        assert len(list(Settings().jobs_dir.iterdir())) == 1

    def test_a_waiting_job_is_cancelled_then_deleted(self, client, auth) -> None:
        headers = auth()
        ident = accepted(client, headers)
        response = client.delete(f"/v1/jobs/{ident}", headers=headers)
        assert (response.status_code, response.json()["state"]) == (200, "cancelled")
        assert client.delete(f"/v1/jobs/{ident}", headers=headers).status_code == 204
        assert error(client.get(f"/v1/jobs/{ident}", headers=headers), 404)
        assert not list(Settings().jobs_dir.iterdir())


# -- processes that end -----------------------------------------------------------------------

MANY = "商品名称\n" + "".join(f"柚子味鱼排{n}号\n" for n in range(30_000))


def test_a_running_job_can_be_cancelled(client, auth) -> None:
    headers = auth()
    ident = accepted(client, headers, MANY)
    running = until(client, headers, ident, {"running"})
    assert running["started_at"] is not None
    assert client.delete(f"/v1/jobs/{ident}", headers=headers).json()["state"] == "cancelled"
    assert client.delete(f"/v1/jobs/{ident}", headers=headers).status_code == 204
    after = accepted(client, headers)
    assert ended(client, headers, after)["state"] == "done", "the place is free again"
    assert [path.name for path in Settings().jobs_dir.iterdir()] == [after]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc to find the process")
def test_a_killed_process_is_started_again_and_counts_questions_once(client, auth, service) -> None:
    headers = auth(review="auto")
    ident = accepted(client, headers, MANY)
    reach(client, headers, ident, rows_done=1000)
    before = service.store.row("select count(*) as n, sum(times) as t from review_items")
    assert before["n"] == before["t"]
    (child,) = children_of(ident)
    os.kill(child, signal.SIGKILL)
    reach(client, headers, ident, attempts=2)
    reach(client, headers, ident, rows_done=2000)
    after = service.store.row("select count(*) as n, max(times) as most from review_items")
    assert after["n"] >= before["n"] and after["most"] == 1
    client.delete(f"/v1/jobs/{ident}", headers=headers)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc to find the process")
def test_stopping_the_service_ends_its_jobs_and_starting_it_takes_them_up(serve, tmp_path) -> None:
    with serve(tmp_path) as server:
        headers = {"X-API-Key": server.key_of()}
        with httpx.Client(base_url=server.url) as client:
            ident = accepted(client, headers, MANY)
            until(client, headers, ident, {"running"})
    assert children_of(ident) == []
    # One worker may take up what the other has just given back, before it is stopped as well.
    row = server.store.row("select state, deaths, attempts from jobs")
    attempts = row.pop("attempts")
    assert row == {"state": "queued", "deaths": 0}
    with serve(tmp_path) as server, httpx.Client(base_url=server.url) as client:
        job = until(client, headers, ident, {"running"})
        assert job["attempts"] == attempts + 1
        client.delete(f"/v1/jobs/{ident}", headers=headers)
