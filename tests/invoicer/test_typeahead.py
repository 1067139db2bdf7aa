"""Type-ahead over the codes: by every word people know a code by."""

from __future__ import annotations

import datetime as dt

import pytest

from invoicer.typeahead import TypeAhead, initials
from knowledge_base import KnowledgeBase

TODAY = dt.date(2026, 11, 27)


@pytest.fixture(scope="module")
def search(kb: KnowledgeBase) -> TypeAhead:
    return TypeAhead(kb)


@pytest.mark.parametrize(
    ("typed", "name"),
    [("软体家具", "软体家具"), ("rtjj", "软体家具"), ("RTJJ", "软体家具"), ("弹簧床垫", "软体家具"),
     ("停车费", "车辆停放服务"), ("鱼排", "鱼糜（熟肉）制品")],
)  # fmt: skip
def test_the_first_hit_is_what_was_meant(search: TypeAhead, typed: str, name: str) -> None:
    assert search.search(typed, TODAY)[0].code.name == name


def test_digits_find_the_codes_that_begin_with_them(search: TypeAhead) -> None:
    hits = search.search("1030109", TODAY)
    assert len(hits) > 5
    assert all(hit.code.code.startswith("1030109") for hit in hits)


def test_a_hit_says_which_word_fitted(search: TypeAhead) -> None:
    hit = search.search("弹簧床垫", TODAY)[0]
    assert hit.matched == "弹簧床垫"


def test_only_codes_of_the_days_table(search: TypeAhead, kb: KnowledgeBase) -> None:
    stopped = next(c for c in kb.taxonomy if c.is_leaf and c.valid_to is not None)
    assert stopped.valid_to is not None
    names = {h.code.code for h in search.search(stopped.code, stopped.valid_to)}
    assert names == {stopped.code}
    assert search.search(stopped.code, stopped.valid_to + dt.timedelta(days=1)) == []


@pytest.mark.parametrize("typed", ["", "  ", "\x00", "龘龘龘", "' or 1=1 --"])
def test_nothing_fits_nothing(search: TypeAhead, typed: str) -> None:
    assert search.search(typed, TODAY) == []


def test_initials_are_those_of_each_character() -> None:
    assert initials("软体家具") == "rtjj"
