"""Features of a reading: what names the thing weighs most."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import features
from models.reading import Reader


def cosine(reader: Reader, one: str, other: str) -> float:
    rows = features.rows([reader.read(one), reader.read(other)]).unit().matrix()
    return float((rows[0] @ rows[1].T).toarray()[0, 0])


def test_rows_have_length_one(reader: Reader) -> None:
    readings = [reader.read(name) for name in ("柚子味鱼排", "停车费", "苹果手机 256G")]
    rows = features.rows(readings).unit().matrix()
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    assert lengths == pytest.approx([1.0, 1.0, 1.0], abs=1e-5)


def test_an_empty_name_has_an_empty_row(reader: Reader) -> None:
    rows = features.rows([reader.read(""), reader.read("手机")])
    assert rows.start.tolist()[:2] == [0, 0]
    assert rows.unit().matrix()[0].nnz == 0


def test_columns_stay_within_the_hash_space(reader: Reader) -> None:
    rows = features.rows([reader.read("乐事 原切马铃薯片 黄瓜味 70g*12")]).matrix()
    assert rows.shape == (1, features.N_FEATURES)
    assert rows.indices.max() < features.N_FEATURES


def test_a_flavour_hardly_moves_the_vector(reader: Reader) -> None:
    assert cosine(reader, "柚子味鱼排", "鱼排") > 0.9


def test_the_same_flavour_does_not_make_two_products_alike(reader: Reader) -> None:
    assert cosine(reader, "柚子味鱼排", "柚子味牙膏") < 0.2


def test_size_does_not_move_the_vector(reader: Reader) -> None:
    assert cosine(reader, "鱼排 200g", "鱼排") == pytest.approx(1.0)


def test_names_with_the_same_last_noun_share_their_ends(reader: Reader) -> None:
    readings = [reader.read(name) for name in ("玻璃茶叶罐", "竹制茶叶罐")]
    one, other = (features.end_buckets(reading.core, reading.head) for reading in readings)
    assert set(one) & set(other)


def test_idf_scales_and_keeps_length_one(reader: Reader) -> None:
    rows = features.rows([reader.read("停车费")])
    idf = np.full(features.N_FEATURES, 3.0, np.float32)
    assert rows.scaled(idf).weight == pytest.approx(rows.unit().weight)


@given(st.text(max_size=40))
def test_weights_are_positive_and_finite(name: str) -> None:
    row = features.rows([_reader[0].read(name)]).matrix()
    assert np.isfinite(row.data).all()
    assert (row.data > 0).all()


_reader: list[Reader] = []


@pytest.fixture(autouse=True, scope="module")
def _share(reader: Reader):
    _reader.append(reader)
