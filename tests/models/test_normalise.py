"""Text as typed becomes text as compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.normalise import normalise


@pytest.mark.parametrize(
    ("typed", "compared"),
    [
        ("ＫＦＲ－３５ＧＷ", "kfr-35gw"),
        ("洗髮精", "洗发精"),
        ("電腦", "电脑"),
        ("iPhone 15 Pro", "iphone 15 pro"),
        ("  手机\t\t壳 \n", "手机 壳"),
        ("手机\u200b壳\x07", "手机 壳"),
        ("😀手机壳🎉", "手机壳"),
        ("500ml×12", "500mlx12"),
        ("牛奶の味", "牛奶的味"),
        ("㎏", "kg"),
        ("①号电池", "1号电池"),
        ("", ""),
        ("\x00\x01", ""),
    ],
)
def test_text_is_normalised(typed: str, compared: str) -> None:
    assert normalise(typed) == compared


@given(st.text())
def test_normalised_text_has_no_outer_or_double_space(text: str) -> None:
    result = normalise(text)
    assert result == result.strip()
    assert "  " not in result


@given(st.text(alphabet="手机壳電腦髮ABCａｂｃ１２３ ×*。,、の😀\t\x00"))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    assert normalise(text).isprintable()


@pytest.mark.parametrize("half", ["手机\ud83d", "手机\ude00壳"])
def test_half_a_character_pair_is_noise(half: str) -> None:
    assert "\ud83d" not in normalise(half) and "\ude00" not in normalise(half)
