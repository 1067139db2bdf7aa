"""A word that only describes, taken for the goods: 柚子味鱼排 coded as fruit."""

from __future__ import annotations

import re

from invoicer.assistant import Assistant
from invoicer.line import InvoiceLine
from models.query import Query
from models.words import name_key

_ROLES = {"flavour": "口味", "scent": "香味", "brand": "品牌", "audience": "适用对象"}
_ENDING = re.compile(r"(口味|风味|味道|味型|味|香型|香|牌)$")


class Misread:
    """Finds the words of a name that have a 简称 of their own."""

    def __init__(self, assistant: Assistant):
        self._assistant = assistant
        taxonomy = assistant.kb.taxonomy
        groups: dict[str, str] = {}
        for code, term in assistant.kb.lexicon.everyday_names():
            groups.setdefault(name_key(term), taxonomy[code].short_name)
        for row in taxonomy:
            for term in (row.short_name, row.name, *row.keywords):
                groups.setdefault(name_key(term), row.short_name)
        self._groups = groups

    def words(self, name: str, brand: str) -> dict[str, str]:
        """简称 → the word of the name that it could be misread from, in Chinese (口味“柚子”)."""
        return self.words_of(self._assistant.query(InvoiceLine(name, brand=brand)))

    def words_of(self, query: Query) -> dict[str, str]:
        """The same for a name that was read before."""
        words = [(span.text, span.role) for span in query.reading.spans if span.role in _ROLES]
        words += [(brand, "brand") for brand in query.brands]
        # What stands before the head may be goods of its own: 水果 of 水果刀, 苹果 of 苹果手机.
        core = query.reading.core
        words += [(core[:n], "") for n in range(len(core) - 1, 1, -1)]
        found: dict[str, str] = {}
        for text, role in words:
            word = _ENDING.sub("", text.strip())
            if word and (group := self._groups.get(name_key(word))):
                found.setdefault(group, f"{_ROLES.get(role, '修饰词')}“{word}”")
        return found
