"""A word that only describes, taken for the goods: 柚子味鱼排 coded as fruit."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from invoicer.assistant import Assistant
from invoicer.line import InvoiceLine

_ROLES = {"flavour": "口味", "scent": "香味", "brand": "品牌", "audience": "适用对象"}
_ENDING = re.compile(r"(口味|风味|味道|味型|味|香型|香|牌)$")


class Misread:
    """Finds the word whose own 简称 is the one that was declared."""

    def __init__(self, assistant: Assistant, group: Callable[[str], str]):
        self._assistant = assistant
        self._group = group
        self._groups_of = lru_cache(10_000)(self._ask)

    def word(self, name: str, brand: str, declared: str) -> str:
        """What was misread, in Chinese (口味“柚子”), or ""."""
        query = self._assistant.query(InvoiceLine(name, brand=brand))
        words = [(span.text, span.role) for span in query.reading.spans if span.role in _ROLES]
        words += [(brand, "brand") for brand in query.brands]
        # What stands before the head may be goods of its own: 水果 of 水果刀, 苹果 of 苹果手机.
        core, names = query.reading.core, self._assistant.matcher.compiled.words.names
        words += [(core[:n], "") for n in range(len(core) - 1, 1, -1) if core[:n] in names]
        wanted = self._group(declared)
        for text, role in words:
            word = _ENDING.sub("", text.strip())
            if word and wanted in self._groups_of(word):
                return f"{_ROLES.get(role, '修饰词')}“{word}”"
        return ""

    def _ask(self, word: str) -> frozenset[str]:
        """The 简称 that a word alone would get."""
        found = self._assistant.suggest(word).candidates[:2]
        return frozenset(self._group(candidate.code) for candidate in found)
