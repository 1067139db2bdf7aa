"""Measures in a name: sizes, model numbers and bare numbers, which do not name the thing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from models.normalise import normalise

_MODEL = re.compile(
    r"(?<![a-z0-9])(?=[a-z0-9\-/.]*\d)(?=[a-z0-9\-/.]*[a-z])[a-z0-9][a-z0-9\-/.]{2,}"
)
_LOT = re.compile(r"(?<=.)\s*等?\s*(?:[一1]批|若干|一宗)$")
_NUMBER = re.compile(r"\d+(?:[.\-/:~+x*]\d+)*\s*(?:%?vol|[#%°度])?")


class Measures:
    """Finds measures and takes them out. units: unit words that may follow a number."""

    def __init__(self, units: Iterable[str]):
        self._size = _size_pattern(units)

    def strip(self, text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """(text with measures replaced by spaces, sizes and bare numbers, model numbers)."""
        sizes: list[str] = []
        models: list[str] = []
        if (lot := _LOT.search(text)) is not None:
            sizes.append(lot[0].strip())
            text = text[: lot.start()]
        if not any(c.isdigit() for c in text):
            return text, tuple(sizes), ()

        def take(store: list[str]) -> Callable[[re.Match[str]], str]:
            def replace(match: re.Match[str]) -> str:
                store.append(match[0].strip())
                return " "

            return replace

        text = self._size.sub(take(sizes), text)
        text = _MODEL.sub(take(models), text)
        text = _NUMBER.sub(take(sizes), text)
        return text, tuple(sizes), tuple(models)


def _size_pattern(units: Iterable[str]) -> re.Pattern[str]:
    words = sorted({re.escape(normalise(u)) for u in units if u}, key=lambda u: (-len(u), u))
    unit = "(?:" + "|".join(f"{w}(?![a-z])" if w[-1].isascii() else w for w in words) + ")"
    # Possessive: a long run of digits without a unit is given up at once, not piece by piece.
    number = r"(?<!\d)\d++(?:[.,]\d++)?+(?:\s*[-~+x*/]\s*\d++(?:\.\d++)?+)*+"
    more = rf"(?:\s*[*x/\-]\s*(?:{number}\s*{unit}?|{unit}))*"
    return re.compile(rf"(?:约|净含量|规格|每)?[:]?{number}\s*{unit}(?!套){more}(?:装)?")
