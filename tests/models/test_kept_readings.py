"""Kept readings: the same as read anew, whatever words changed; only few are read again."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from models import kept_readings
from models.compiled import Compiled
from models.kept_readings import MANY, read_terms
from models.reading import Reader
from models.reading_many import TermReading, read_many
from models.tokenizer import available_engine
from models.words import MAX_TOKENIZER_WORD, Words, longest_words, name_key

ENGINE = available_engine()
N_TEXTS = 2500


@pytest.fixture(scope="module")
def texts(compiled: Compiled) -> list[str]:
    return random.Random(1).sample(list(compiled.index.terms), N_TEXTS)


@pytest.fixture(scope="module")
def kept(
    compiled: Compiled,
    reader: Reader,
    texts: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> bytes:
    """The file after a first reading."""
    folder = tmp_path_factory.mktemp("kept")
    read(compiled.words, reader, texts, folder)
    return only(folder).read_bytes()


@pytest.fixture
def folder(
    kept: bytes, texts: list[str], compiled: Compiled, reader: Reader, tmp_path: Path
) -> Path:
    read(compiled.words, reader, texts[:1], tmp_path)
    only(tmp_path).write_bytes(kept)
    return tmp_path


def only(folder: Path) -> Path:
    [path] = folder.iterdir()
    return path


def read(
    words: Words, reader: Reader, texts: list[str], folder: Path | None
) -> tuple[list[TermReading], object]:
    readings, raw = read_terms(words, reader, texts, folder)
    return readings, (raw.indptr.tolist(), raw.indices.tolist(), raw.data.tolist())


def with_words(words: Words, chance: random.Random, texts: list[str], n: int) -> Words:
    """The words with n pieces of texts as new names, exceptions, descriptors and brands each, and
    n names fewer."""

    def pieces() -> set[str]:
        found: set[str] = set()
        while len(found) < n:
            text = name_key(chance.choice(texts))
            at = chance.randrange(len(text))
            found.add(text[at : at + chance.randint(1, 5)])
        return found

    gone = chance.sample(sorted(words.names), n)
    names = (frozenset(words.names) | pieces()) - set(gone)
    kinds = ("flavour", "material", "grade", "process", "promotion")
    described = {**words.descriptors, **{word: chance.choice(kinds) for word in pieces()}}
    brands = {**words.brands, **{word: chance.random() < 0.5 for word in pieces()}}
    exceptions = words.exceptions | pieces()
    return replace(
        words,
        names=names,
        descriptors=described,
        exceptions=exceptions,
        brands=brands,
        longest=longest_words(chain(names, exceptions, brands, described)),
        cut=sorted(
            word
            for word in {*names, *described}
            if 1 < len(word) <= MAX_TOKENIZER_WORD and not word.isascii()
        ),
    )


@pytest.mark.parametrize(("seed", "n"), [(1, 1), (2, 3), (3, 20), (4, 100)])
def test_other_words_give_the_readings_of_a_reader_that_knows_them_from_the_first(
    compiled: Compiled, texts: list[str], folder: Path, seed: int, n: int
) -> None:
    words = with_words(compiled.words, random.Random(seed), texts, n)
    other = words.reader(ENGINE)
    assert read(words, other, texts, folder) == read(words, other, texts, None)


def test_only_what_changed_words_touch_and_new_texts_are_read(
    compiled: Compiled,
    reader: Reader,
    texts: list[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def watched(reader: Reader, new: list[str], progress: None = None):
        asked.extend(new)
        return read_many(reader, new, progress)

    monkeypatch.setattr(kept_readings, "read_many", watched)
    read(compiled.words, reader, texts, folder)
    assert asked == []
    word = next(t for t in texts if 3 < len(t) < 6 and t.isalpha())
    words = replace(compiled.words, exceptions=compiled.words.exceptions | {name_key(word)})
    other = words.reader(ENGINE)
    more = ["谁也没写过的名称", *texts[::-1], texts[0]]
    assert read(words, other, more, folder) == read(words, other, more, None)
    assert {word, "谁也没写过的名称"} <= set(asked)
    assert len(asked) < N_TEXTS / 10 + len(more)  # the second reader, which keeps nothing, too


def test_readings_by_other_units_or_remarks_are_not_taken(
    compiled: Compiled, texts: list[str], folder: Path
) -> None:
    words = replace(
        compiled.words,
        units=(*compiled.words.units, "钱钱"),
        remarks={**compiled.words.remarks, "采购": "behind"},
    )
    other = words.reader(ENGINE)
    assert read(words, other, texts, folder) == read(words, other, texts, None)


def test_very_many_changed_words_are_as_good_as_a_first_reading(
    compiled: Compiled, texts: list[str], folder: Path
) -> None:
    gone = set(sorted(compiled.words.names)[: MANY + 1])
    words = replace(compiled.words, names=frozenset(compiled.words.names) - gone)
    other = words.reader(ENGINE)
    assert read(words, other, texts, folder) == read(words, other, texts, None)


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[:-100], lambda b: b"x" + b[1:],
                                    lambda b: b[:5000] + b"\0\0\0" + b[5003:]])  # fmt: skip
def test_what_is_damaged_is_read_and_kept_anew(
    compiled: Compiled, reader: Reader, texts: list[str], folder: Path, damage
) -> None:
    path = only(folder)
    good = path.read_bytes()
    path.write_bytes(damage(good))
    assert read(compiled.words, reader, texts, folder) == read(compiled.words, reader, texts, None)
    assert only(folder).read_bytes() == good


def test_one_file_is_kept_and_nothing_half_written(
    compiled: Compiled,
    reader: Reader,
    texts: list[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = folder / f"readings-{ENGINE}-0123456789abcdef.npz"
    old.write_bytes(b"of an older program")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path != old}

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr("models.kept_readings.np.savez", full)
        with pytest.raises(OSError, match="no space"):
            read(compiled.words, reader, [*texts, "新名称"], folder)
    old.unlink()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    old.write_bytes(b"of an older program")
    read(compiled.words, reader, [*texts, "新名称"], folder)
    assert not old.exists()
    only(folder)
