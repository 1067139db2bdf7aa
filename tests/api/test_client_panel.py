"""The Python client's calls about cases, rulings, appeals and proposals, against the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import get_type_hints

import pytest

from api import schemas_desk, schemas_panel
from invoicer import client_panel_types
from invoicer.access.principals import Role
from invoicer.client import ApiError, Client

FRIED, PUFFED = "1030201050000000000", "1030201040000000000"
FISH = "1030109050000000000"
FAR = "1050102020000000000"  # a code that nothing else about crisps would bring up
SECRET = "只有投票人知道的理由"
Clients = dict[str, Client]


@pytest.fixture(scope="module")
def people(live) -> Iterator[Clients]:
    """A client of each role, three of them experts, in a tenant of their own."""
    roles = {"erp": Role.CLIENT, "anna": Role.REVIEWER, "ada": Role.ADMIN,
             **dict.fromkeys(("eva", "fay", "gus"), Role.EXPERT)}  # fmt: skip
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(Client(live.url, live.key_of(role, "panel-client")))
            for name, role in roles.items()
        }


def test_from_a_case_to_the_ruling_and_an_appeal_with_its_successor(
    people: Clients, tmp_path: Path
) -> None:
    eva, ada, erp, anna = (people[name] for name in ("eva", "ada", "erp", "anna"))
    case = eva.panel.open("意见不一", line="薯片")["id"]
    assert case in [one["id"] for one in eva.panel.list(state="voting")["cases"]]
    assert eva.panel.list(due=0)["total"] == 0
    eva.panel.vote(case, FAR, SECRET)
    for other in (people["fay"], ada):
        seen = other.panel.case(case)
        assert (seen["votes"], seen["mine"], seen["all_votes"]) == (1, None, [])
        assert SECRET not in str(seen)
        assert FAR not in str(seen)
    for name in ("eva", "fay", "gus"):
        state = people[name].panel.vote(case, PUFFED, "官方注释")["state"]
    assert state == "counted"
    with pytest.raises(ApiError) as late:
        ada.panel.count(case)
    assert late.value.status == 409
    first = ada.panel.rule(case, "按膨化食品")["number"]
    assert erp.rulings.ruling(first)["code"] == PUFFED
    assert first in erp.classify("薯片")["basis"]

    erp.feedback("薯片", PUFFED)
    appeal = erp.appeals.file("薯片", PUFFED, "实物为鲜切油炸", wanted_code=FRIED)["id"]
    photo = tmp_path / "配料表.pdf"
    photo.write_bytes(b"%PDF-1.7\n")
    file = erp.appeals.attach(appeal, photo)
    kept = erp.appeals.download(appeal, file["id"], tmp_path / "回来.pdf")
    assert kept.read_bytes() == photo.read_bytes()
    again = anna.appeals.refer(appeal, "请复议")["panel_case"]
    for name in ("eva", "fay", "gus"):
        people[name].panel.vote(again, FRIED, "鲜切")
    second = ada.panel.rule(again, "鲜切油炸的按原编码", supersedes=first)["number"]
    assert erp.appeals.appeal(appeal)["state"] == "upheld"
    assert [one["number"] for one in erp.rulings.search("鲜切油炸")["rulings"]] == [second]
    assert [one["code"] for one in eva.rulings.affected(second)["lines"]] == [PUFFED]


def test_reviewers_answer_appeals(people: Clients) -> None:
    erp, anna = people["erp"], people["anna"]
    wrong = erp.appeals.file("番茄味薯片", FRIED, "应为膨化食品", wanted_code=PUFFED)["id"]
    assert anna.appeals.uphold(wrong, PUFFED, "有理")["state"] == "upheld"
    right = erp.appeals.file("烧烤味薯片", FRIED, "不同意")["id"]
    assert right in [one["id"] for one in anna.appeals.list(due=30)["appeals"]]
    assert anna.appeals.reject(right, "维持")["answer"] == "维持"


def test_a_provisional_name_is_proposed_and_turned_down(people: Clients) -> None:
    edit = {"table": "everyday_names", "action": "add",
            "row": {"code": FISH, "term": "蓝鲸小脆条"}}  # fmt: skip
    made = people["anna"].proposals.propose([edit], "行业叫法", provisional=True)
    listed = people["eva"].proposals.list(provisional=True)["proposals"]
    assert made["id"] in [one["id"] for one in listed]
    assert people["eva"].proposals.effect(made["id"])["state"] == "none"
    with pytest.raises(ApiError, match="请先预览"):
        people["eva"].proposals.accept(made["id"], "好")
    assert people["eva"].proposals.reject(made["id"], "太生僻")["state"] == "rejected"
    assert people["anna"].proposals.proposal(made["id"])["answer"] == "太生僻"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("Ruling", "RulingOut"), ("Rulings", "RulingsOut"), ("AffectedLine", "AffectedLineOut"),
     ("Elsewhere", "ElsewhereOut"), ("Affected", "AffectedOut"), ("CaseRow", "CaseRowOut"),
     ("Cases", "CasesOut"), ("Opinion", "OpinionOut"), ("Vote", "VoteOut"), ("Case", "CaseOut"),
     ("Attachment", "AttachmentOut"), ("Appeal", "AppealOut"), ("Appeals", "AppealsOut"),
     ("WordEdit", "EditIO"), ("Proposal", "ProposalOut"), ("Proposals", "ProposalsOut")],
)  # fmt: skip
def test_the_clients_types_are_the_services(ours: str, theirs: str) -> None:
    fields = set(get_type_hints(getattr(client_panel_types, ours)))
    schema = getattr(schemas_panel, theirs, None) or getattr(schemas_desk, theirs)
    assert fields == set(schema.model_fields)
