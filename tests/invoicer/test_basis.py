"""What an answer rests on is told with it: a ruling, or a name that stands under its code for want
of a fitting one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from invoicer import Assistant, InvoiceLine
from invoicer.desk.code_notes import code_notes
from invoicer.desk.words import WordIndex
from invoicer.line import today
from invoicer.store import Store
from knowledge_base import KnowledgeBase
from knowledge_base.word_tables import WordTable, write_rows

FISH = "1030109050000000000"
MARKED, PLAIN = "三文鱼丸", "三文鱼籽"
TOLD = f"“{MARKED}”没有适合的编码,暂按此编码(暂定映射,编码表更新后复核)"
RULED = "依据 裁定2026-0001(三文鱼丸,2026-01-01 起,全部)"


@pytest.fixture
def provisional(assistant: Assistant, tmp_path: Path) -> Assistant:
    """The shipped words, one of which stands under its code provisionally."""
    for path in assistant.kb.root.iterdir():
        (tmp_path / path.name).symlink_to(path)
    write_rows(tmp_path, WordTable.PROVISIONAL, [{"code": FISH, "term": MARKED}])
    kb = KnowledgeBase.load(tmp_path)
    return Assistant(kb, assistant.matcher, assistant.queries, assistant.learned)


@pytest.mark.parametrize("name", [MARKED, f"{MARKED} 200g", f"*水产加工品*海霸王{MARKED}"])
def test_an_answer_that_rests_on_a_provisional_mapping_says_so(
    assistant: Assistant, provisional: Assistant, name: str
) -> None:
    told = provisional.suggest(name)
    assert told.candidates[0].code == FISH
    assert (told.basis, told.evidence[0]) == (TOLD, TOLD)
    assert TOLD in told.prompt
    before = assistant.suggest(name)
    assert (before.basis, before.tier) == ("", told.tier)


def test_other_names_of_the_code_say_nothing_of_it(provisional: Assistant) -> None:
    told = provisional.suggest(PLAIN)
    assert (told.candidates[0].code, told.basis) == (FISH, "")


def test_a_ruling_is_told_instead_and_asks_nothing(provisional: Assistant) -> None:
    line = InvoiceLine(MARKED, confirmed_code=FISH, confirmed_by=RULED, basis=RULED)
    told = provisional.suggest(line)
    assert (told.tier, told.prompt, told.questions) == ("strong", RULED, ())
    assert told.evidence[0] == RULED
    assert told.evidence.count(RULED) == 1
    decided = provisional.suggest(replace(line, confirmed_by="本单位已人工确认", basis=""))
    assert decided.prompt == ""


def test_reviewers_are_not_asked_to_confirm_what_an_answer_rests_on(provisional: Assistant) -> None:
    assert provisional.suggest(MARKED).to_dict()["hint"] is None


def test_the_desk_marks_the_name_under_its_code(provisional: Assistant, tmp_path: Path) -> None:
    store = Store.open(tmp_path / "invoicer.db")
    row = provisional.kb.taxonomy[FISH]
    known = code_notes(provisional, WordIndex(provisional.kb), store, "acme", row, today())
    assert known["provisional_names"] == [MARKED]
