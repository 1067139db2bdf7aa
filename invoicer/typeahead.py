"""Finding a code while somebody types: by name, keyword, everyday name, code or pinyin initials."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice

from pypinyin import Style, lazy_pinyin

from knowledge_base import KnowledgeBase
from knowledge_base.taxonomy import TaxCode

MAX_QUERY = 40
# How many everyday names with the same beginning are looked at.
MAX_NAMES = 200


class Fit(IntEnum):
    """How what was typed fits a code, best first."""

    EXACT = 0  # the code's beginning, its name, all its initials
    EVERYDAY = 1  # an everyday name
    KEYWORD = 2  # a keyword: official, but often of several codes
    NAME_PART = 3  # part of the name, the first initials
    KEYWORD_PART = 4  # part of a keyword or of what the official note includes
    EVERYDAY_BEGINNING = 5
    TARIFF_PART = 6  # part of a customs heading's goods


@dataclass(frozen=True, slots=True)
class Hit:
    """A code that fits what was typed. matched: the word that did, where it is not the name."""

    code: TaxCode
    fit: Fit
    matched: str = ""


class TypeAhead:
    """Names and initials of one knowledge base, ready to be searched."""

    def __init__(self, kb: KnowledgeBase):
        self._taxonomy = kb.taxonomy
        leaves = [code for code in kb.taxonomy if code.is_leaf]
        # One text a code: most codes are passed over after a single look.
        self._texts = [(_all_words(code), code) for code in leaves]
        self._initials = [(initials(code.name), code) for code in leaves]
        self._names = sorted({(name, code) for code, name in kb.lexicon.everyday_names()})

    def search(self, typed: str, on: dt.date, limit: int = 10) -> list[Hit]:
        """Leaves of a day's table, best first (`rtjj` and 弹簧床垫 both find 软体家具)."""
        typed = typed.strip()[:MAX_QUERY]
        if not typed:
            return []
        best: dict[str, Hit] = {}
        for hit in (*self._official(typed), *self._everyday(typed), *self._by_initials(typed)):
            known = best.get(hit.code.code)
            if hit.code.is_valid_on(on) and (known is None or hit.fit < known.fit):
                best[hit.code.code] = hit
        return sorted(best.values(), key=_order)[:limit]

    def _official(self, typed: str) -> Iterator[Hit]:
        for text, code in self._texts:
            if typed in text:
                yield _fit(typed, code)

    def _everyday(self, typed: str) -> Iterator[Hit]:
        start = bisect_left(self._names, (typed, ""))
        for name, code in islice(self._names, start, start + MAX_NAMES):
            if not name.startswith(typed):
                return
            fit = Fit.EVERYDAY if name == typed else Fit.EVERYDAY_BEGINNING
            yield Hit(self._taxonomy[code], fit, name)

    def _by_initials(self, typed: str) -> Iterator[Hit]:
        if not (typed.isascii() and typed.isalpha()):
            return
        for letters, code in self._initials:
            if letters.startswith(typed.lower()):
                yield Hit(code, Fit.EXACT if letters == typed.lower() else Fit.NAME_PART)


def _all_words(code: TaxCode) -> str:
    words = (code.code, code.name, *code.keywords, *code.includes, *code.tariff_names)
    return "\n".join(words)


def _fit(typed: str, code: TaxCode) -> Hit:
    """How a code fits whose words hold what was typed."""
    if code.name == typed or (typed.isdigit() and code.code.startswith(typed)):
        return Hit(code, Fit.EXACT)
    if typed in code.keywords:
        return Hit(code, Fit.KEYWORD, typed)
    if typed in code.name:
        return Hit(code, Fit.NAME_PART)
    noted = next((w for w in (*code.keywords, *code.includes) if typed in w), None)
    if noted is not None:
        return Hit(code, Fit.KEYWORD_PART, noted)
    return Hit(code, Fit.TARIFF_PART, next((w for w in code.tariff_names if typed in w), ""))


def _order(hit: Hit) -> tuple[int, int, int, str]:
    """Better fits first, then shorter words, specific codes before catch-alls."""
    return hit.fit, hit.code.is_catch_all, len(hit.matched or hit.code.name), hit.code.code


def initials(name: str) -> str:
    """First letters of each character's pinyin: 软体家具 → rtjj."""
    return "".join(lazy_pinyin(name, style=Style.FIRST_LETTER, errors="ignore"))
