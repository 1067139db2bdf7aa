"""The desk through the interface: who may, what is refused, what comes out."""

from __future__ import annotations

import csv
import datetime as dt
import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from invoicer.access.principals import Role
from invoicer.desk.words import edit_of
from invoicer.settings import Settings
from knowledge_base import tables
from knowledge_base.official.manifest import VersionInfo
from knowledge_base.official.versions import VersionStore
from knowledge_base.word_tables import WordTable, read_rows, write_rows

FISH = "1030109050000000000"
ADD = {"table": "everyday_names", "action": "add", "row": {"code": FISH, "term": "蓝鲸小脆条"}}
Auth = Callable[..., dict[str, str]]


@pytest.fixture
def older_program(tmp_path: Path) -> Path:
    """The tables of a program that did not know 弹簧床垫 yet."""
    root = tmp_path / "shipped"
    shutil.copytree(tables.DATA, root)
    names = read_rows(root, WordTable.EVERYDAY_NAMES)
    write_rows(root, WordTable.EVERYDAY_NAMES, [r for r in names if r["term"] != "弹簧床垫"])
    return root


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", f"/v1/desk/codes/{FISH}", Role.EXPERT),
        ("GET", "/v1/desk/words/descriptors", Role.EXPERT),
        ("GET", "/v1/desk/proposals", Role.REVIEWER),
        ("POST", "/v1/desk/proposals", Role.REVIEWER),
        ("GET", "/v1/desk/proposals/pp_1", Role.REVIEWER),
        ("GET", "/v1/desk/proposals/pp_1/effect", Role.REVIEWER),
        ("POST", "/v1/desk/proposals/pp_1/preview", Role.EXPERT),
        ("POST", "/v1/desk/proposals/pp_1/accept", Role.EXPERT),
        ("POST", "/v1/desk/proposals/pp_1/reject", Role.EXPERT),
        ("GET", "/v1/desk/versions", Role.EXPERT),
        ("GET", "/v1/desk/diff?old=builtin&new=builtin", Role.EXPERT),
        ("POST", "/v1/desk/rollback", Role.ADMIN),
        ("POST", "/v1/desk/rebase", Role.ADMIN),
        ("GET", "/v1/desk/export", Role.EXPERT),
        ("GET", "/v1/desk/figures/months.csv", Role.EXPERT),
    ],
)
def test_each_address_is_closed_below_its_role(
    client: TestClient, auth: Auth, method: str, path: str, role: Role
) -> None:
    below = list(Role)[list(Role).index(role) - 1]
    assert client.request(method, path, json={}).status_code == 401
    assert client.request(method, path, json={}, headers=auth(below)).status_code == 403
    assert client.request(method, path, json={}, headers=auth(role)).status_code not in (401, 403)


def test_a_code_is_told_with_names_samples_and_rates_by_date(
    client: TestClient, auth: Auth
) -> None:
    known = client.get(f"/v1/desk/codes/{FISH}", headers=auth(Role.EXPERT)).json()
    assert known["code_name"] == "鱼糜（熟肉）制品"
    assert known["everyday_names"]["total"] >= len(known["everyday_names"]["rows"]) > 5
    rates = {one["since"]: one["general"][0]["text"] for one in known["rates_by_date"]}
    assert (rates["2016-05-01"], rates["2018-05-01"], rates["2019-04-01"]) == ("17%", "16%", "13%")
    assert known["rulings"] == []


def test_a_proposal_that_rests_on_no_ruling_is_refused_with_the_field(
    client: TestClient, auth: Auth
) -> None:
    given = {"edits": [ADD], "why": "行业叫法", "ruling": "裁定1999-0001"}
    refused = client.post("/v1/desk/proposals", json=given, headers=auth(Role.REVIEWER))
    error = refused.json()["error"]
    assert (refused.status_code, error["context"]["field"]) == (422, "ruling")
    assert "没有编号为“裁定1999-0001”的裁定" in error["message"]


def test_a_proposal_goes_in_waits_and_is_rejected(client: TestClient, auth: Auth) -> None:
    anna, eva = auth(Role.REVIEWER), auth(Role.EXPERT)
    made = client.post(
        "/v1/desk/proposals", json={"edits": [ADD], "why": "行业叫法", "provisional": True},
        headers=anna,
    ).json()  # fmt: skip
    mark = {**ADD, "table": "provisional"}
    assert (made["state"], made["edits"], made["provisional"]) == ("open", [ADD, mark], True)
    listed = client.get("/v1/desk/proposals?provisional=true", headers=anna).json()
    assert (listed["total"], listed["proposals"]) == (1, [made])
    path = f"/v1/desk/proposals/{made['id']}"
    assert client.get(path + "/effect", headers=anna).json()["state"] == "none"
    early = client.post(path + "/accept", json={"why": "好"}, headers=eva)
    assert (early.status_code, early.json()["error"]["code"]) == (409, "not_previewed")
    rejected = client.post(path + "/reject", json={"why": "太生僻"}, headers=eva).json()
    assert (rejected["state"], rejected["answer"]) == ("rejected", "太生僻")
    assert client.get(path, headers=auth(Role.ADMIN, tenant="other")).status_code == 404


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({**ADD, "row": {"code": FISH, "term": "弹簧床垫"}}, "已是另一编码的俗名"),
        ({**ADD, "row": {"code": FISH, "word": "甲"}}, "没有 word 列"),
        ({**ADD, "table": "rates"}, "edits"),
        ({**ADD, "action": "remove"}, "没有这一行"),
    ],
)
def test_a_bad_edit_is_refused_naming_what_is_wrong(
    client: TestClient, auth: Auth, edit: dict, message: str
) -> None:
    body = {"edits": [edit], "why": "试试"}
    answer = client.post("/v1/desk/proposals", json=body, headers=auth(Role.REVIEWER))
    assert answer.status_code == 422
    assert message in answer.json()["error"]["message"]


def test_words_are_searched_page_by_page(client: TestClient, auth: Auth) -> None:
    eva = auth(Role.EXPERT)
    first = client.get("/v1/desk/words/everyday_names", headers=eva).json()
    assert (first["total"] > 100_000, len(first["rows"])) == (True, 100)
    found = client.get("/v1/desk/words/exceptions?q=味精", headers=eva).json()
    assert {"term": "味精"}.items() <= found["rows"][0].items()


def test_versions_differences_export_and_an_unknown_version(client: TestClient, auth: Auth) -> None:
    eva, admin = auth(Role.EXPERT), auth(Role.ADMIN)
    (only,) = client.get("/v1/desk/versions", headers=eva).json()["versions"]
    assert (only["id"], only["is_current"]) == ("builtin", True)
    same = client.get("/v1/desk/diff?old=builtin&new=builtin", headers=eva).json()
    assert same == {"codes": "两个版本没有差别", "words": []}
    assert client.get("/v1/desk/diff?old=a&new=b", headers=eva).status_code == 422
    assert client.post("/v1/desk/rollback", json={}, headers=admin).status_code == 422
    data = client.get("/v1/desk/export", headers=eva).content
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert "PROVENANCE.md" in archive.namelist()
        edits = archive.read("edits.csv").decode().splitlines()
    assert edits == ["version,at,proposed_by,accepted_by,ruling,reason,table,action,row"]


def test_a_version_of_an_older_program_says_so_and_is_laid_on_the_tables_of_this_one(
    client: TestClient, auth: Auth, older_program: Path
) -> None:
    admin = auth(Role.ADMIN)
    edit = edit_of(ADD)
    taken = edit_of({**ADD, "row": {"code": FISH, "term": "弹簧床垫"}})
    note = VersionInfo("", dt.date.min, ())
    VersionStore(Settings().knowledge_dir, older_program).edit([edit, taken], "builtin", note)
    before = client.get("/v1/desk/versions", headers=admin).json()
    assert before["outdated"] is True
    after = client.post("/v1/desk/rebase", headers=admin).json()
    newest = after["versions"][0]
    assert (after["outdated"], newest["is_current"]) == (False, True)
    assert newest["left_out"] == [taken.to_json()]
    rows = set(Settings().knowledge_base().lexicon.everyday_names())
    assert (FISH, "蓝鲸小脆条") in rows and (FISH, "弹簧床垫") not in rows
    assert client.post("/v1/desk/rebase", headers=admin).json() == after


def test_figures_are_csv_that_a_spreadsheet_reads(client: TestClient, auth: Auth) -> None:
    headers = auth(Role.EXPERT)
    line = {"name": "薯片", "seller_industry": "某某酒店管理有限公司"}
    assert client.post("/v1/classify", json=line, headers=headers).status_code == 200
    client.app.state.service.tally.flush()
    answer = client.get("/v1/desk/figures/industries.csv", headers=headers)
    assert answer.headers["content-type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["行业"], row["自动化率分母"]) == ("H 住宿和餐饮业", "1")
    assert client.get("/v1/desk/figures/secrets.csv", headers=headers).status_code == 404
