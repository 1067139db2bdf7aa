"""Proposals, from the idea to the answer that follows them: two people, a preview, the gate."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from invoicer import Assistant, InvoiceLine
from invoicer.access import keys, tenants
from invoicer.access.principals import ForbiddenError, Principal, Role
from invoicer.desk import effect, history
from invoicer.desk.export import export
from invoicer.desk.preview import DECIDED_SET, preview
from invoicer.desk.proposals import (
    NotPreviewedError,
    Proposal,
    Proposals,
    ProposalState,
    RefusedByGateError,
)
from invoicer.desk.words import WordIndex
from invoicer.errors import InputError, NotFoundError
from invoicer.learning.gate import FROZEN_SET, frozen_lines
from invoicer.review import inbox
from invoicer.review.decisions import Decisions
from invoicer.review.issuing import Draft, issue
from invoicer.review.items import identity, item_of
from invoicer.review.queue import Queue
from invoicer.review.rules import ReviewRules
from invoicer.review.rulings import Scope
from invoicer.review.states import ReviewConflictError, Versions
from invoicer.review.subjects import Subject
from invoicer.settings import Settings
from invoicer.store import Store
from knowledge_base import KnowledgeBase
from knowledge_base.official.manifest import VersionInfo
from knowledge_base.word_tables import Action, Edit, WordTable

OTHER = Edit(WordTable.DESCRIPTORS, Action.ADD, {"term": "蓝鲸味", "kind": "flavour", "note": ""})
# A trade nickname that nobody outside can read, and what it is.
NICKNAME, FISH = "蓝鲸小脆条", "1030109050000000000"
ADD = Edit(WordTable.EVERYDAY_NAMES, Action.ADD, {"code": FISH, "term": NICKNAME})
N_HARMED = 80


@dataclass(frozen=True)
class House:
    """An installation: anna reviews, eva and emil are experts, otto is another tenant's expert."""

    settings: Settings
    store: Store
    people: dict[str, Principal]
    words: WordIndex

    @property
    def proposals(self) -> Proposals:
        return Proposals(self.store, self.settings)

    def propose(self, who: str, *edits: Edit, **given: object) -> Proposal:
        return self.proposals.propose(
            self.people[who], self.words, edits, "行业里都这么叫", **given
        )

    def try_out(self, proposal: Proposal) -> effect.Effect:
        assert effect.ask(self.store, self.settings, proposal.edits)
        preview(self.settings, self.store, proposal.edits, lambda _: None)
        found = self.proposals.effect(proposal)
        assert found is not None
        return found


@pytest.fixture
def house(assistant: Assistant, tmp_path: Path) -> House:
    settings = Settings(data_dir=tmp_path)
    settings.bundles_dir.symlink_to(Settings().bundles_dir.absolute())
    store = Store.open(settings.data_dir / "invoicer.db")
    people = {}
    for tenant in ("acme", "other"):
        tenants.create(store, tenant)
    people["anna"] = keys.create(store, "acme", "anna", Role.REVIEWER)[0]
    for name, tenant in (("eva", "acme"), ("emil", "acme"), ("otto", "other")):
        people[name] = keys.create(store, tenant, name, Role.EXPERT)[0]
    return House(settings, store, people, WordIndex(assistant.kb))


@pytest.fixture
def harmful(assistant: Assistant) -> list[Edit]:
    """Words that name the frozen samples, to be read as words of promotion from now on."""
    cores = Counter(
        assistant.query(line).reading.core.split(" ")[-1]
        for line, _ in frozen_lines(assistant, without=())
    )
    words = [word for word, _ in cores.most_common() if len(word) > 1][:N_HARMED]
    return [
        Edit(WordTable.DESCRIPTORS, Action.ADD, {"term": word, "kind": "promotion", "note": ""})
        for word in words
        if word not in assistant.kb.lexicon.descriptors
    ]


def decide(house: House, assistant: Assistant, who: str, name: str, code: str) -> str:
    me, line = house.people[who], InvoiceLine(name)
    ident = identity(me.tenant, line, assistant.rate_table)
    inbox.add(house.store, [item_of(me.tenant, line, assistant.suggest(line), ident)])
    queue = Queue(house.store, ReviewRules(second_share=0.0))
    queue.lease(me, 50)
    Decisions(queue, assistant.is_usable).decide(me, ident.item, code, "", Versions())
    return ident.item


def test_a_name_is_proposed_previewed_accepted_answered_and_taken_back(
    house: House, assistant: Assistant
) -> None:
    for who in ("anna", "otto"):
        decide(house, assistant, who, f"{NICKNAME} 80g", FISH)
    before = assistant.suggest(NICKNAME)
    assert before.candidates[0].code != FISH
    proposal = house.propose("anna", ADD)
    found = house.try_out(proposal)
    assert (found.accepted, found.verdict) == (True, "各集合均未下降")
    shown = found.to_json("acme")
    assert "鱼糜" in shown["added"][0]["after"]
    assert {one["set"]: one["lines"] for one in shown["compared"]} == {
        FROZEN_SET: shown["compared"][0]["lines"], DECIDED_SET: 2,
    }  # fmt: skip
    assert shown["counts"][DECIDED_SET]["better"] == 2
    # The line of the other tenant is counted and not shown.
    decided = [one for one in shown["changes"] if one["set"] == DECIDED_SET]
    assert [(one["name"], one["effect"]) for one in decided] == [(f"{NICKNAME} 80g", "better")]
    assert "tenant" not in json.dumps(shown)

    accepted = house.proposals.accept(house.people["eva"], house.words, proposal.id)
    assert accepted.state is ProposalState.ACCEPTED
    after = Assistant.load(house.settings)
    assert after.suggest(NICKNAME).code == FISH
    store = house.settings.version_store()
    made = store.versions()[-1]
    assert (made.id, made.is_current) == (accepted.version, True)
    assert (made.reason, made.proposed_by, made.accepted_by) == ("行业里都这么叫", "anna", "eva")
    assert store.word_diff("builtin", made.id) == [ADD]
    assert store.diff("builtin", made.id).is_empty

    assert store.rollback().id == "builtin"
    assert Assistant.load(house.settings).suggest(NICKNAME).candidates[0].code != FISH


def test_an_edit_with_a_bad_effect_is_refused_with_the_reason(
    house: House, harmful: list[Edit]
) -> None:
    proposal = house.propose("emil", *harmful)
    found = house.try_out(proposal)
    assert not found.accepted
    assert found.verdict.startswith(f"{FROZEN_SET}(")
    counts = found.to_json("acme")["counts"][FROZEN_SET]
    assert counts["worse"] > counts["better"]
    with pytest.raises(RefusedByGateError, match="检验未通过:冻结样例"):
        house.proposals.accept(house.people["eva"], house.words, proposal.id)
    assert house.settings.version_store().current_id() == "builtin"
    assert house.proposals.find("acme", proposal.id).state is ProposalState.OPEN


def test_an_acceptance_that_was_cut_off_is_seen_and_made_again_after_going_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal, eva = house.propose("anna", ADD), house.people["eva"]
    house.try_out(proposal)
    with monkeypatch.context() as power:
        power.setattr(Proposals, "_answer", cut_off)
        with pytest.raises(KeyboardInterrupt):
            house.proposals.accept(eva, house.words, proposal.id)
    in_use = history.versions(house.settings, house.store, "acme")[0]
    assert (in_use.is_current, in_use.edits) == (True, 1)
    assert house.proposals.find("acme", proposal.id).state is ProposalState.OPEN
    with pytest.raises(NotPreviewedError):
        house.proposals.accept(eva, house.words, proposal.id)
    history.roll_back(house.settings, house.store, eva)
    accepted = house.proposals.accept(eva, house.words, proposal.id)
    assert accepted.state is ProposalState.ACCEPTED
    assert house.settings.version_store().current_id() == accepted.version


def cut_off(*_: object) -> None:
    raise KeyboardInterrupt


def test_nobody_accepts_an_own_proposal_and_reviewers_accept_none(house: House) -> None:
    proposal = house.propose("eva", ADD)
    for who in ("eva", "anna"):
        with pytest.raises(ForbiddenError):
            house.proposals.accept(house.people[who], house.words, proposal.id)


def test_nothing_takes_effect_unseen(house: House) -> None:
    proposal = house.propose("anna", ADD)
    with pytest.raises(NotPreviewedError):
        house.proposals.accept(house.people["eva"], house.words, proposal.id)
    assert effect.ask(house.store, house.settings, proposal.edits)
    with pytest.raises(NotPreviewedError):
        house.proposals.accept(house.people["eva"], house.words, proposal.id)
    assert not effect.ask(house.store, house.settings, proposal.edits)


def test_a_proposal_is_answered_once_and_rejected_with_a_reason(house: House) -> None:
    proposal = house.propose("anna", ADD)
    with pytest.raises(InputError, match="理由"):
        house.proposals.reject(house.people["eva"], proposal.id, " ")
    rejected = house.proposals.reject(house.people["eva"], proposal.id, "太生僻")
    assert (rejected.state, rejected.answer) == (ProposalState.REJECTED, "太生僻")
    with pytest.raises(ReviewConflictError, match="未采纳"):
        house.proposals.reject(house.people["emil"], proposal.id, "再否一次")


def test_a_proposal_is_seen_by_its_tenant_alone(house: House) -> None:
    proposal = house.propose("anna", ADD)
    with pytest.raises(NotFoundError):
        house.proposals.find("other", proposal.id)
    with pytest.raises(NotFoundError):
        house.proposals.reject(house.people["otto"], proposal.id, "不行")
    assert house.proposals.page("other", ProposalState.OPEN) == (0, [])


def test_a_provisional_mapping_may_come_from_an_item_without_a_code(
    house: House, assistant: Assistant
) -> None:
    item = decide(house, assistant, "anna", NICKNAME, FISH)
    proposal = house.propose("anna", ADD, provisional=True, item=item)
    assert (proposal.provisional, proposal.item) == (True, item)
    house.propose("anna", OTHER)
    total, found = house.proposals.page("acme", ProposalState.OPEN, provisional=True)
    assert (total, [one.id for one in found]) == (1, [proposal.id])
    with pytest.raises(InputError, match="没有这个审核项"):
        house.propose("anna", ADD, item="rv_unknown")


def test_the_mark_of_a_provisional_mapping_comes_and_goes_with_its_name(
    house: House, assistant: Assistant, tmp_path: Path
) -> None:
    proposal = house.propose("anna", ADD, provisional=True)
    assert proposal.edits == (ADD, replace(ADD, table=WordTable.PROVISIONAL))
    versions = house.settings.version_store()
    note = VersionInfo(id="", effective=dt.date.min, table_days=())
    marked = versions.edit(proposal.edits, "builtin", note).id
    assert versions.word_diff("builtin", marked) == list(proposal.edits)
    with zipfile.ZipFile(io.BytesIO(export(versions))) as tables:
        assert tables.read("provisional.csv").decode() == f"code,term\n{FISH},{NICKNAME}\n"

    words = WordIndex(KnowledgeBase.load(versions.current_root()))
    assert words.marked(FISH) == [NICKNAME]
    gone = house.proposals.propose(
        house.people["eva"], words, [replace(ADD, action=Action.REMOVE)], "表中已有适合的编码"
    )
    assert [(edit.table, edit.action) for edit in gone.edits] == [
        (WordTable.EVERYDAY_NAMES, Action.REMOVE), (WordTable.PROVISIONAL, Action.REMOVE),
    ]  # fmt: skip
    versions.edit(gone.edits, marked, note)
    assert WordIndex(KnowledgeBase.load(versions.current_root())).marked(FISH) == []


def test_why_a_version_was_made_stays_with_the_tenant_that_made_it(house: House) -> None:
    proposal = house.propose("anna", ADD)
    versions = house.settings.version_store()
    note = VersionInfo(
        id="", effective=dt.date.min, table_days=(), reason="行业里都这么叫",
        proposed_by="anna", accepted_by="eva", ruling="裁定2026-0001",
    )  # fmt: skip
    made = versions.edit(proposal.edits, "builtin", note).id
    house.store.db.execute("update proposals set version = ? where id = ?", [made, proposal.id])

    def seen_by(tenant: str) -> VersionInfo:
        return history.versions(house.settings, house.store, tenant)[0]

    own, others = seen_by("acme"), seen_by("other")
    assert (own.id, own.reason, own.accepted_by) == (made, "行业里都这么叫", "eva")
    assert others.id == made
    assert (others.reason, others.proposed_by, others.accepted_by, others.ruling) == ("",) * 4


def test_a_ruling_that_a_proposal_names_is_one_that_its_tenant_can_see(house: House) -> None:
    draft = Draft("按注释", scope=Scope.TENANT)
    number = issue(house.store, "acme", Subject(NICKNAME), FISH, draft, "pc_1").number
    assert house.propose("anna", ADD, ruling=f" {number} ").ruling == number
    for who, named in (("anna", "裁定1999-0001"), ("otto", number)):
        with pytest.raises(InputError, match="没有编号为") as refused:
            house.propose(who, OTHER, ruling=named)
        assert refused.value.context["field"] == "ruling"


def test_only_a_name_can_be_provisional(house: House) -> None:
    with pytest.raises(InputError, match="至少一个俗名"):
        house.propose("anna", OTHER, provisional=True)
    with pytest.raises(InputError, match="不是该编码的俗名"):
        house.propose("anna", replace(ADD, table=WordTable.PROVISIONAL))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Edit(WordTable.EVERYDAY_NAMES, Action.ADD, {"code": "1", "term": "甲"}), "没有编码"),
        (Edit(WordTable.EVERYDAY_NAMES, Action.ADD,
              {"code": "1030109000000000000", "term": "甲"}), "汇总项"),
        (Edit(WordTable.EVERYDAY_NAMES, Action.ADD, {"code": FISH, "term": "弹簧床垫"}),
         "已是另一编码的俗名"),
        (Edit(WordTable.EVERYDAY_NAMES, Action.ADD, {"code": FISH, "term": ""}), "不能为空"),
        (Edit(WordTable.EVERYDAY_NAMES, Action.ADD, {"code": FISH, "term": "甲\n乙"}),
         "控制字符"),
        (Edit(WordTable.EVERYDAY_NAMES, Action.REMOVE, {"code": FISH, "term": "弹簧床垫"}),
         "没有这一行"),
        (Edit(WordTable.DESCRIPTORS, Action.ADD, {"term": "甲", "kind": "taste", "note": ""}),
         "只能是"),
        (Edit(WordTable.AMBIGUOUS, Action.ADD,
              {"term": "甲", "codes": FISH, "default_code": FISH, "question": "哪种?",
               "options": f"甲={FISH}"}), "至少两个"),
    ],
)  # fmt: skip
def test_what_the_tables_cannot_take_is_refused_at_once(
    house: House, edit: Edit, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        house.propose("anna", edit)
