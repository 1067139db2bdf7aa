"""Measures in a name: sizes, model numbers and bare numbers, which do not name the thing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from models.normalise import normalise

_MODEL = re.compile(
    r"(?<![a-z0-9])(?:(?=[a-z0-9\-/.]*\d)(?=[a-z0-9\-/.]*[a-z])[a-z0-9][a-z0-9\-/.]{2,}|[a-z]款)"
)
_NUMBER = re.compile(r"\d+(?:[.\-/:~+x*]\d+)*\s*(?:%?vol|[#%°度])?")


class Measures:
    """Finds measures and takes them out. units: unit words that may follow a number."""

    def __init__(self, units: Iterable[str]):
        self._size, self._per_unit = _size_pattern(units), _per_unit_pattern(units)

    def strip(self, text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """(text with measures replaced by spaces, sizes and bare numbers, model numbers)."""
        sizes: list[str] = []
        models: list[str] = []

        def take(store: list[str]) -> Callable[[re.Match[str]], str]:
            def replace(match: re.Match[str]) -> str:
                store.append(match[0].strip())
                return " "

            return replace

        if any(c.isdigit() or c == "款" for c in text):
            text = self._size.sub(take(sizes), text)
            text = _MODEL.sub(take(models), text)
            text = _NUMBER.sub(take(sizes), text)
        if "/" in text:
            text = self._per_unit.sub(take(sizes), text)
        return text, tuple(sizes), tuple(models)


def _any_of(units: Iterable[str]) -> str:
    words = sorted({re.escape(normalise(u)) for u in units if u}, key=lambda u: (-len(u), u))
    return "(?:" + "|".join(f"{w}(?![a-z])" if w[-1].isascii() else w for w in words) + ")"


def _per_unit_pattern(units: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<=[^\d\s])\s*/\s*{_any_of(units)}$")


def _size_pattern(units: Iterable[str]) -> re.Pattern[str]:
    unit = _any_of(units)
    # Possessive: a long run of digits without a unit is given up at once, not piece by piece.
    number = r"(?<!\d)\d++(?:[.,]\d++)?+(?:\s*[-~+x*/]\s*\d++(?:\.\d++)?+)*+"
    more = rf"(?:\s*[*x/\-]\s*(?:{number}\s*{unit}?|{unit}))*"
    # After a space a unit stands by itself: the 方 of 5 方案设计 is none.
    first = rf"(?:\s+{unit}(?![\u4e00-\u9fff])|{unit}(?!套))"
    before = r"(?:约|净含量|规格|每|(?<![a-z0-9])x)?:?"
    return re.compile(rf"{before}{number}{first}{more}(?:装(?![修饰配置卸备运潢裱载]))?")
