"""Measures in a name: sizes, model numbers and bare numbers, which do not name the thing."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Set

from models.normalise import normalise
from models.roles import MAX_WORD

_MODEL = re.compile(
    r"(?<![a-z0-9])(?:"
    r"(?=[a-z0-9\-/.]*\d)(?=[a-z0-9\-/.]*[a-z])[a-z0-9][a-z0-9\-/.]{2,}"
    r"|[a-z]款|[a-z]{1,3}级(?![\u4e00-\u9fff]))"
)
_MAY_HOLD = re.compile(r"[\d款级]")  # one of these
_SHEET = re.compile(r"(?<![a-z0-9])a[0-6](?![a-z0-9])")  # of paper
_NUMBER = re.compile(r"\d+(?:[.\-/:~+x*]\d+)*\s*(?:%?vol|[#%°度]|号(?![\u4e00-\u9fff]))?")
_LETTERS = re.compile(r"[a-z]{3,}(?![a-z])")
_LETTER = re.compile(r"(?<![a-z])[a-z]$")
# 0糖: what a food has none of, in digits.
_NONE = re.compile(r"(?<![\d.])0(?=蔗糖|乳糖|糖|脂|卡|添加|反式|防腐|香精|色素)")


class Measures:
    """Finds measures and takes them out.

    units: unit words that may follow a number; names: every known name, whose first character is
    no unit (KN95口罩); words: words beside these that a number may begin (3C认证) or, if they are
    Latin, follow (PPR90, YJV4).
    """

    def __init__(
        self, units: Iterable[str], names: Set[str] = frozenset(), words: Container[str] = ()
    ):
        self._size, self._per_unit = _size_pattern(units), _per_unit_pattern(units)
        self._names, self._words = names, words

    def strip(self, text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """(text with measures replaced by spaces, sizes and bare numbers, model numbers)."""
        sizes: list[str] = []
        models: list[str] = []

        def take(store: list[str]) -> Callable[[re.Match[str]], str]:
            def replace(match: re.Match[str]) -> str:
                store.append(match[0].strip())
                return " "

            return replace

        def take_size(match: re.Match[str]) -> str:
            return take_any(match) if self._is_size(match) else match[0]

        def take_number(match: re.Match[str]) -> str:
            return match[0] if self._is_in_word(match) else take_any(match)

        def take_model(match: re.Match[str]) -> str:
            models.append(match[0].strip())
            letters = _LETTERS.match(match[0])
            known = letters and (letters[0] in self._names or letters[0] in self._words)
            return f"{letters[0]} " if letters and known else " "

        take_any = take(sizes)

        if _MAY_HOLD.search(text):
            text = _NONE.sub("零", text) if "0" in text else text
            text = self._size.sub(take_size, text)
            text = _MODEL.sub(take_model, text)
            text = _SHEET.sub(take_number, text)
            text = _NUMBER.sub(take_number, text)
        if text[-1:] in ")]】" or "/" in text:
            text = self._per_unit.sub(take_any, text)
        return text, tuple(sizes), tuple(models)

    def _is_size(self, match: re.Match[str]) -> bool:
        """Not part of a model number (the l of ER308L is no litre), nor the beginning of a name."""
        text, start, end = match.string, match.start(), match.end()
        glued = start > 0 and text[start - 1].isascii() and text[start - 1].isalpha()
        if glued and _LETTER.search(match[0]):
            return False
        if end == len(text) or text[end] < "\u3000" or text[end - 1] < "\u3000":
            return True
        last = min(end + MAX_WORD, len(text) + 1)
        return not any(text[end - 1 : stop] in self._names for stop in range(end + 1, last))

    def _is_in_word(self, match: re.Match[str]) -> bool:
        """Whether a number is part of a known word (502胶, A4纸, 3C认证, 维生素B6片)."""
        text, start, end = match.string, match.start(), match.end()
        if text[start - 1 : start].isdigit() or text[end : end + 1] in ("", " "):
            return False
        begin = max(text.rfind(" ", 0, start) + 1, end + 1 - MAX_WORD, 0)
        for first in range(begin, start + 1):
            for stop in range(end + 1, min(first + MAX_WORD, len(text)) + 1):
                if text[first:stop] in self._names or text[first:stop] in self._words:
                    return True
        return False


def _any_of(units: Iterable[str]) -> str:
    words = sorted({re.escape(normalise(u)) for u in units if u}, key=lambda u: (-len(u), u))
    return "(?:" + "|".join(f"{w}(?![a-z])" if w[-1].isascii() else w for w in words) + ")"


def _per_unit_pattern(units: Iterable[str]) -> re.Pattern[str]:
    # In brackets no part of an animal or a thing: 海蜇(头).
    before = r"(?<=[^\d\s])\s*(?:/\s*|([(\[【])(?![头口面]))"
    return re.compile(rf"{before}{_any_of(units)}(?(1)[)\]】])$")


def _size_pattern(units: Iterable[str]) -> re.Pattern[str]:
    unit = _any_of(units)
    # Possessive: a long run of digits without a unit is given up at once, not piece by piece.
    number = r"(?<!\d)\d++(?:[.,]\d++)?+(?:\s*[-~+x*/]\s*\d++(?:\.\d++)?+)*+"
    more = rf"(?:\s*[*x/\-]\s*(?:{number}\s*{unit}?|{unit}))*"
    # After a space a unit stands by itself: the 方 of 5 方案设计 is none.
    first = rf"(?:\s+{unit}(?![\u4e00-\u9fff])|{unit}(?!套))"
    before = r"(?:约|净含量|规格|每|(?<![a-z0-9])x)?:?"
    return re.compile(rf"{before}{number}{first}{more}(?:装(?![修饰配置卸备运潢裱载]))?")
