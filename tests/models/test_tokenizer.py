"""Two engines, one way of cutting."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.normalise import normalise
from models.tokenizer import ENGINES, Tokenizer, available_engine
from models.words import Words


@pytest.fixture(scope="module")
def readers(kb):
    words = Words.of(kb)
    return words.reader("rjieba"), words.reader("jieba")


@pytest.fixture(scope="module")
def names(kb) -> list[str]:
    return [name for _, name in random.Random(7).sample(list(kb.lexicon.everyday_names()), 1500)]


def test_the_fast_engine_is_taken_where_it_is_installed() -> None:
    assert available_engine() == "rjieba"


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="pkuseg"):
        Tokenizer("pkuseg")


@pytest.mark.parametrize("engine", ENGINES)
def test_added_words_are_kept_whole(engine: str) -> None:
    assert "鱼排" in Tokenizer(engine, ["鱼排"]).cut("柚子味鱼排")


@pytest.mark.parametrize("engine", ENGINES)
@given(text=st.text(max_size=60))
def test_the_words_joined_are_the_text(engine: str, text: str) -> None:
    assert "".join(tokenizer(engine).cut(text)) == text


@cache
def tokenizer(engine: str) -> Tokenizer:
    return Tokenizer(engine)


def test_the_engines_cut_nearly_all_names_alike(names: list[str]) -> None:
    fast, slow = (tokenizer(engine) for engine in ("rjieba", "jieba"))
    texts = [normalise(name) for name in names]
    same = sum(fast.cut(text) == slow.cut(text) for text in texts)
    assert same >= 0.995 * len(texts)


def test_the_engines_read_nearly_all_names_alike(readers, names: list[str]) -> None:
    fast, slow = readers
    same = sum(fast.read(n).core == slow.read(n).core for n in names)
    assert same >= 0.995 * len(names)
