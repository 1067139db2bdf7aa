"""Finding a code while somebody types: by name, keyword, everyday name, code or pinyin initials."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from dataclasses import dataclass
from itertools import islice

from pypinyin import Style, lazy_pinyin

from knowledge_base import KnowledgeBase
from knowledge_base.taxonomy import TaxCode

MAX_QUERY = 40
# How many everyday names with the same beginning are looked at.
MAX_NAMES = 200


@dataclass(frozen=True, slots=True)
class Hit:
    """A code that fits what was typed. matched: the word that did, where it is not the name."""

    code: TaxCode
    matched: str = ""


class TypeAhead:
    """Names and initials of one knowledge base, ready to be searched."""

    def __init__(self, kb: KnowledgeBase):
        self._taxonomy = kb.taxonomy
        self._initials = {code.code: initials(code.name) for code in kb.taxonomy if code.is_leaf}
        self._names = sorted({(name, code) for code, name in kb.lexicon.everyday_names()})

    def search(self, typed: str, on: dt.date, limit: int = 10) -> list[Hit]:
        """Leaves of a day's table, best first: official words, then everyday names, then pinyin
        initials (`rtjj` finds 软体家具)."""
        typed = typed.strip()[:MAX_QUERY]
        if not typed:
            return []
        hits = {c.code: Hit(c, _matched(c, typed)) for c in self._taxonomy.search(typed, on, limit)}
        for name, code in self._everyday(typed):
            row = self._taxonomy[code]
            # The exact everyday name is what was meant; the others only follow the official words.
            if row.is_valid_on(on) and (name == typed or len(hits) < limit):
                hits.setdefault(code, Hit(row, name))
        if typed.isascii() and typed.isalpha():
            for code, letters in self._initials.items():
                if letters.startswith(typed.lower()) and self._taxonomy[code].is_valid_on(on):
                    hits.setdefault(code, Hit(self._taxonomy[code]))
        exact = [h for h in hits.values() if typed in (h.code.name, h.matched, h.code.code)]
        return [*exact, *(h for h in hits.values() if h not in exact)][:limit]

    def _everyday(self, typed: str) -> list[tuple[str, str]]:
        """Everyday names that begin with what was typed, shortest first."""
        start = bisect_left(self._names, (typed, ""))
        near = islice(self._names, start, start + MAX_NAMES)
        return sorted((n for n in near if n[0].startswith(typed)), key=lambda n: (len(n[0]), n))


def _matched(code: TaxCode, typed: str) -> str:
    """The keyword that was hit, exact or holding the text; empty where the name itself was."""
    if typed in code.name or code.code.startswith(typed):
        return ""
    words = (*code.keywords, *code.includes, *code.tariff_names)
    return next((w for w in words if w == typed), next((w for w in words if typed in w), ""))


def initials(name: str) -> str:
    """First letters of each character's pinyin: 软体家具 → rtjj."""
    return "".join(lazy_pinyin(name, style=Style.FIRST_LETTER, errors="ignore"))
