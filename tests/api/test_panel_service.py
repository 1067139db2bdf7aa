"""The panel through the service: from a dispute to a ruling, an appeal and its successor; and a
vote is nobody's but the voter's until the count, whatever is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.service import Service
from api.settings import ServiceSettings
from invoicer.access.principals import Role
from invoicer.batch import Defaults, answer_rows
from invoicer.cli import app as cli
from invoicer.line import today
from invoicer.readers import read_table
from invoicer.review.memory import Memory
from invoicer.suggestion import OUTPUT_COLUMNS
from knowledge_base.rate_advice import TaxpayerType

Auth = Callable[..., dict[str, str]]
FRIED, PUFFED = "1030201050000000000", "1030201040000000000"
FAR = "1050102020000000000"  # a code that nothing else about crisps would bring up
SECRET = "只有投票人知道的理由"
PDF = b"%PDF-1.7\n"


@pytest.fixture
def settings(settings: ServiceSettings) -> ServiceSettings:
    """Every item needs two votes."""
    return settings.model_copy(update={"second_share": 1.0})


@pytest.fixture
def experts(auth: Auth) -> list[dict[str, str]]:
    return [auth(Role.EXPERT) for _ in range(3)]


@pytest.fixture
def chair(auth: Auth) -> dict[str, str]:
    return auth(Role.ADMIN)


@pytest.fixture
def erp(auth: Auth) -> dict[str, str]:
    return auth(Role.CLIENT)


@pytest.fixture
def post(client: TestClient) -> Callable[..., dict[str, Any]]:
    """What the service answers to a body; fails where it refuses."""

    def send(path: str, who: dict[str, str], **body: Any) -> dict[str, Any]:
        answer = client.post(path, json=body, headers=who)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    return send


@pytest.fixture
def item(client: TestClient, service: Service, post, erp, auth: Auth) -> str:
    """A disputed item: 薯片, on which two reviewers disagree."""
    ident = post("/v1/classify", erp, name="薯片", amount="800", review="auto")["review_id"]
    service.inbox.close()
    for code in (FRIED, PUFFED):
        state = post(f"/v1/reviews/{ident}/decide", auth(Role.REVIEWER), code=code, why="看图")
    assert state["state"] == "disputed"
    return ident


def vote(post, case: str, experts: list[dict[str, str]], code: str) -> None:
    for who in experts:
        post(f"/v1/panel/cases/{case}/vote", who, code=code, why="官方注释")


def told_by_cli(*args: str) -> str:
    result = CliRunner().invoke(cli, list(args))
    assert result.exit_code == 0, result.output
    return result.output


def test_from_a_dispute_to_the_successor_of_its_ruling(
    client: TestClient, service: Service, post, item: str, experts, chair, erp, auth: Auth
) -> None:
    # The dispute goes to the panel, which rules.
    case = post("/v1/panel/cases", experts[0], item=item, why="意见不一")["id"]
    vote(post, case, experts, PUFFED)
    first = post(f"/v1/panel/cases/{case}/ruling", chair, text="以薯粉制,按膨化食品",
                 rate_note="13%")["number"]  # fmt: skip
    assert first == f"裁定{today().year}-0001"
    assert client.get(f"/v1/reviews/{item}", headers=erp).json()["code"] == PUFFED

    # The same name is answered strong, with the ruling cited, by API and CLI.
    answer = post("/v1/classify", erp, name="*膨化食品*薯片")
    assert (answer["tier"], answer["code"]) == ("strong", PUFFED)
    assert f"依据 {first}(薯片," in answer["evidence"][0]
    assert f"依据 {first}(薯片," in told_by_cli("explain", "薯片", "--tenant", "acme")
    assert first not in told_by_cli("explain", "薯片")
    row = json.loads(told_by_cli("classify", "薯片", "--tenant", "acme", "--format", "jsonl"))
    assert (row["tier"], row["code"]) == ("strong", PUFFED)
    assert row["prompt"] == answer["basis"] == answer["evidence"][0]

    # The enterprise prints it, then contests it; the panel sees it otherwise now.
    post("/v1/feedback", erp, line={"name": "薯片"}, code=PUFFED)
    appeal = post("/v1/appeals", erp, line={"name": "薯片"}, contested_code=PUFFED,
                  wanted_code=FRIED, reason="实物为鲜切油炸")["id"]  # fmt: skip
    upheld = client.post(f"/v1/appeals/{appeal}/uphold", headers=auth(Role.REVIEWER),
                         json={"code": FRIED, "answer": "有理"})  # fmt: skip
    assert upheld.status_code == 409
    referred = post(f"/v1/appeals/{appeal}/refer", auth(Role.REVIEWER), answer="请复议")
    assert referred["state"] == "referred"
    again = referred["panel_case"]
    vote(post, again, experts, FRIED)
    refused = client.post(f"/v1/panel/cases/{again}/ruling", headers=chair, json={"text": "鲜切"})
    assert (refused.status_code, refused.json()["error"]["context"]["field"]) == (422, "supersedes")
    second = post(f"/v1/panel/cases/{again}/ruling", chair, text="鲜切油炸的按原编码",
                  supersedes=first)["number"]  # fmt: skip
    done = client.get(f"/v1/appeals/{appeal}", headers=erp).json()
    assert (done["state"], done["ruling"], done["code"]) == ("upheld", second, FRIED)
    assert post("/v1/classify", erp, name="薯片")["code"] == FRIED
    old = client.get(f"/v1/rulings/{quote(first)}", headers=erp).json()
    assert old["superseded_by"] == second

    # The printed line is listed as affected.
    affected = client.get(f"/v1/rulings/{quote(second)}/affected", headers=experts[0]).json()
    assert [(row["source"], row["code"], row["applies"]) for row in affected["lines"]] == [
        ("feedback", PUFFED, True)
    ]
    assert PUFFED in told_by_cli("rulings", "affected", second, "--json")
    assert second in told_by_cli("rulings", "search", "鲜切", "--tenant", "acme")
    assert "鲜切油炸的按原编码" in told_by_cli("rulings", "show", second)
    assert again in told_by_cli("panel", "list", "--tenant", "acme")
    assert appeal in told_by_cli("appeals", "show", appeal, "--tenant", "acme")


@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx"])
def test_a_ruling_is_cited_in_every_kind_of_file(
    post, item: str, experts, chair, tmp_path: Path, form: str
) -> None:
    case = post("/v1/panel/cases", experts[0], item=item, why="意见不一")["id"]
    vote(post, case, experts, PUFFED)
    number = post(f"/v1/panel/cases/{case}/ruling", chair, text="按膨化食品")["number"]
    source, result = tmp_path / "in.csv", tmp_path / f"out.{form}"
    source.write_text("商品名称,规格\n薯片,60g\n荔枝,\n", encoding="utf-8")
    told_by_cli("classify", str(source), "-o", str(result), "--tenant", "acme")
    table = read_table(result)
    assert table.header == ["商品名称", "规格", *OUTPUT_COLUMNS]
    ruled, other = (dict(zip(table.header, row, strict=True)) for row in table.rows)
    assert (ruled["tier"], ruled["code"]) == ("strong", PUFFED)
    assert ruled["prompt"].startswith(f"依据 {number}(薯片,")
    assert "?" not in ruled["prompt"]
    assert number not in other["prompt"]


def test_the_chair_rules_from_the_command_line_too(post, item: str, experts, erp) -> None:
    case = told_by_cli("panel", "open", item, "--tenant", "acme", "--why", "意见不一").strip()
    vote(post, case, experts, PUFFED)
    number = told_by_cli("panel", "rule", case, "--tenant", "acme", "--text", "按膨化食品",
                         "--scope", "all").strip()  # fmt: skip
    assert number in told_by_cli("rulings", "list", "--on", today().isoformat())
    assert number in told_by_cli("explain", "薯片")


# -- secrecy ------------------------------------------------------------------------------------


def routes_of(router: Any) -> Iterator[APIRoute]:
    """Every route, those of included routers too, under whichever attribute they are kept."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from routes_of(route.original_router)


@pytest.fixture
def known_ids(service: Service, post, item: str, experts, erp) -> dict[str, str]:
    """Ids that fill the paths, and one secret vote in the case about the item."""
    appeal = post("/v1/appeals", erp, line={"name": "薯片"}, contested_code=FRIED, reason="不同意")
    case = post("/v1/panel/cases", experts[0], item=item, why="意见不一")["id"]
    post(f"/v1/panel/cases/{case}/vote", experts[0], code=FAR, why=SECRET)
    return {"item": item, "case": case, "appeal": appeal["id"], "number": "裁定2026-0001",
            "code": FRIED}  # fmt: skip


def test_a_vote_is_shown_to_its_voter(client: TestClient, known_ids, experts) -> None:
    """What the next test looks for is there to be found."""
    seen = client.get(f"/v1/panel/cases/{known_ids['case']}", headers=experts[0]).json()
    assert (seen["mine"]["code"], seen["mine"]["why"]) == (FAR, SECRET)


def test_no_route_shows_a_vote_to_anybody_else(
    client: TestClient, known_ids: dict[str, str], auth: Auth, experts
) -> None:
    others = [experts[1], *(auth(role) for role in Role), auth(Role.ADMIN, tenant="other")]
    served = 0
    for route in routes_of(client.app):
        path = re.sub(r"\{(\w+)\}", lambda m: quote(known_ids.get(m[1], "x")), route.path)
        for method in sorted(route.methods & {"GET", "POST", "DELETE"}):
            for who in others:
                # Enough to pass the checks of most bodies; refusals are answers, too.
                body = {"item": known_ids["item"], "count": 20, "why": "理由", "answer": "理由",
                        "name": "薯片", "reply": "好", "q": "薯"}  # fmt: skip
                given = {"json": body} if method == "POST" else {}
                answer = client.request(method, path, headers=who, params={"q": "薯"}, **given)
                served += answer.is_success
                assert SECRET not in answer.text, (method, path)
                assert FAR not in answer.text, (method, path)
    assert served > 100


def test_the_list_tells_how_many_voted_and_no_more(client: TestClient, known_ids, experts) -> None:
    (row,) = client.get("/v1/panel/cases", headers=experts[1]).json()["cases"]
    assert (row["votes"], row["code"], row["state"]) == (1, "", "voting")


def test_after_the_count_experts_see_every_vote_and_reviewers_none(
    client: TestClient, post, known_ids, experts, auth: Auth
) -> None:
    case = known_ids["case"]
    vote(post, case, experts[1:], FAR)
    seen = client.get(f"/v1/panel/cases/{case}", headers=experts[1]).json()
    assert [one["code"] for one in seen["all_votes"]] == [FAR] * 3
    assert client.get(f"/v1/panel/cases/{case}", headers=auth(Role.REVIEWER)).status_code == 403


def test_the_command_line_shows_no_vote(known_ids) -> None:
    told = told_by_cli("panel", "list", "--tenant", "acme", "--json")
    assert known_ids["case"] in told
    assert SECRET not in told
    assert FAR not in told


# -- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [("POST", "/v1/panel/cases", Role.REVIEWER), ("GET", "/v1/panel/cases", Role.EXPERT),
     ("GET", "/v1/panel/cases/x", Role.EXPERT), ("POST", "/v1/panel/cases/x/vote", Role.EXPERT),
     ("POST", "/v1/panel/cases/x/count", Role.ADMIN),
     ("POST", "/v1/panel/cases/x/ruling", Role.ADMIN),
     ("POST", "/v1/appeals/x/uphold", Role.REVIEWER),
     ("POST", "/v1/appeals/x/reject", Role.REVIEWER),
     ("POST", "/v1/appeals/x/refer", Role.REVIEWER),
     ("GET", "/v1/rulings/x/affected", Role.REVIEWER)],
)  # fmt: skip
def test_each_act_has_its_role(
    client: TestClient, auth: Auth, method: str, path: str, role: Role
) -> None:
    for other in Role:
        answer = client.request(method, path, headers=auth(other), json={})
        assert (answer.status_code == 403) == (not other.includes(role)), other


def test_a_case_is_about_an_item_or_a_line(client: TestClient, experts, post) -> None:
    for body in ({"why": "理由"}, {"why": "理由", "item": "rv_x", "line": {"name": "薯片"}}):
        answer = client.post("/v1/panel/cases", headers=experts[0], json=body)
        assert (answer.status_code, answer.json()["error"]["context"]["field"]) == (422, "item")
    assert post("/v1/panel/cases", experts[0], line={"name": "薯片"}, why="理由")["name"] == "薯片"


# -- appeals and their files ----------------------------------------------------------------------


@pytest.fixture
def appeal(post, erp) -> str:
    body = {"line": {"name": "薯片"}, "contested_code": FRIED, "reason": "不同意"}
    return post("/v1/appeals", erp, **body)["id"]


def test_a_file_comes_back_only_as_a_download(client: TestClient, erp, appeal: str) -> None:
    path = f"/v1/appeals/{appeal}/attachments"
    sent = client.post(path, headers=erp, files={"file": ("配料表.pdf", PDF, "text/html")})
    assert sent.status_code == 201, sent.text
    got = client.get(f"{path}/{sent.json()['id']}", headers=erp)
    assert got.content == PDF
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]
    disposition = got.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="attachment.pdf"')
    assert quote("配料表.pdf") in disposition
    (listed,) = client.get(f"/v1/appeals/{appeal}", headers=erp).json()["attachments"]
    assert (listed["name"], listed["size"]) == ("配料表.pdf", len(PDF))


def test_files_and_appeals_are_their_tenants_alone(
    client: TestClient, erp, appeal: str, auth: Auth
) -> None:
    path = f"/v1/appeals/{appeal}/attachments"
    file = client.post(path, headers=erp, files={"file": ("表.pdf", PDF)}).json()["id"]
    stranger = auth(Role.ADMIN, tenant="other")
    assert client.get(f"{path}/{file}", headers=stranger).status_code == 404
    assert client.get(f"/v1/appeals/{appeal}", headers=stranger).status_code == 404
    assert client.post(path, headers=stranger, files={"file": ("表.pdf", PDF)}).status_code == 404
    assert client.get("/v1/appeals", headers=stranger).json()["total"] == 0


@pytest.mark.parametrize("name", ["x.html", "x.svg", "x.pdf.exe", "../../x", ""])
def test_other_kinds_of_files_are_refused(client: TestClient, erp, appeal: str, name: str) -> None:
    sent = client.post(
        f"/v1/appeals/{appeal}/attachments", headers=erp, files={"file": (name or " ", b"<script>")}
    )
    assert (sent.status_code, sent.json()["error"]["code"]) == (422, "bad_input")


@pytest.mark.parametrize("ident", ["..%2F..%2Finvoicer.db", "af_" + "0" * 40, "x"])
def test_there_is_no_way_to_another_file(client: TestClient, erp, appeal: str, ident: str) -> None:
    assert client.get(f"/v1/appeals/{appeal}/attachments/{ident}", headers=erp).status_code == 404


def test_a_file_that_is_too_large_is_refused(
    client: TestClient, service: Service, erp, appeal: str
) -> None:
    most = service.settings.attachment_bytes
    sent = client.post(f"/v1/appeals/{appeal}/attachments", headers=erp,
                       files={"file": ("表.pdf", PDF + bytes(most))})  # fmt: skip
    assert sent.status_code == 422
    assert "MB" in sent.json()["error"]["message"]


def test_a_closed_appeal_takes_no_more_files(
    client: TestClient, post, erp, appeal: str, auth: Auth
) -> None:
    done = post(f"/v1/appeals/{appeal}/reject", auth(Role.REVIEWER), answer="维持")
    assert done["answer"] == "维持"
    sent = client.post(f"/v1/appeals/{appeal}/attachments", headers=erp,
                       files={"file": ("表.pdf", PDF)})  # fmt: skip
    assert sent.status_code == 409


def test_a_repeated_appeal_is_one(client: TestClient, erp) -> None:
    body = {"line": {"name": "薯片"}, "contested_code": FRIED, "reason": "不同意"}
    headers = {**erp, "Idempotency-Key": "appeal-1"}
    ids = {client.post("/v1/appeals", json=body, headers=headers).json()["id"] for _ in range(2)}
    assert len(ids) == 1
    assert client.get("/v1/appeals", headers=erp).json()["total"] == 1


# -- what people settled, whoever asks ------------------------------------------------------------


def test_a_file_job_answers_by_the_ruling(
    client: TestClient, service: Service, post, item: str, experts, chair, erp
) -> None:
    case = post("/v1/panel/cases", experts[0], item=item, why="意见不一")["id"]
    vote(post, case, experts, PUFFED)
    post(f"/v1/panel/cases/{case}/ruling", chair, text="按膨化食品")
    rows = [["薯片"]] * 3000  # enough for several processes
    memory = Memory(service.store.path, "acme")
    places = {"name": 0}
    defaults = Defaults(taxpayer=TaxpayerType.GENERAL)
    answers = list(answer_rows(service.assistant, rows, places, defaults, 2, memory=memory))
    assert {(a.answer["code"], a.answer["tier"]) for a in answers} == {(PUFFED, "strong")}
    assert all("裁定" in a.answer["prompt"] for a in answers)
