"""Text as typed → text as compared: width, case, script, control characters, emoji."""

from __future__ import annotations

import re
import unicodedata

import opencc

_T2S = opencc.OpenCC("t2s")
_HAN = "".join(map(chr, range(0x3400, 0xA000)))
# The characters that conversion changes: most names have none of them.
_TRADITIONAL = frozenset(a for a, b in zip(_HAN, _T2S.convert(_HAN), strict=True) if a != b)
# Anything outside printable ASCII, Han and the marks of names is looked at one by one.
_UNUSUAL = re.compile(r"[^\u0020-\u007e\u3400-\u9fff\u00b0\u00b7\u0370-\u03ff]")
# Ideographic marks that NFKC leaves alone but that mean the same in product names.
_SAME = str.maketrans({"×": "x", "∗": "*", "，": ",", "、": ",", "。": " ", "の": "的", "・": "·"})


def _is_noise(char: str) -> bool:
    """Control, format, private and unassigned characters, emoji and other pictures."""
    return unicodedata.category(char) in {"Cc", "Cf", "Co", "Cn", "Cs", "So", "Sk"}


def normalise(text: str) -> str:
    """NFKC, simplified script, lower case, noise characters to spaces, one space at most."""
    if _UNUSUAL.search(text):
        text = unicodedata.normalize("NFKC", text).translate(_SAME)
        text = "".join(" " if _is_noise(c) else c for c in text)
    if not _TRADITIONAL.isdisjoint(text):
        text = _T2S.convert(text)
    return " ".join(text.split()).lower()


def is_latin_part(text: str, start: int, end: int) -> bool:
    """Whether [start, end) is only part of a Latin word: uco of benuco."""
    if not text[start:end].isascii():
        return False
    before, after = text[max(start - 1, 0) : start + 1], text[end - 1 : end + 1]
    return any(len(pair) == 2 and pair.isascii() and pair.isalpha() for pair in (before, after))
