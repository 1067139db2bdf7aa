"""Industries: words in a company name or an industry text → GB/T 4754-2017 and scenario labels.

"某某物业服务有限公司" says 房地产业 (K70) and 物业管理; "建筑设计院" is no builder: a longer word
hides the shorter ones inside it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from knowledge_base import tables

# A section letter, alone or with its division, group and class: K, K70, L7271.
_CLASS = re.compile(r"([a-t])(\d{2})?\d{0,2}", re.ASCII)
# Farming, mining, manufacturing, energy and water, trade; nothing known.
_GOODS = ("", "A", "B", "C", "D", "F")


@dataclass(frozen=True, slots=True)
class Industries:
    """What a text says about a company's business.

    section: letter of GB/T 4754-2017, "" where nothing is known; division: its two digits, often
    "". labels: the scenario table's words for the business (物业管理, 餐饮), in order of the text.
    """

    section: str = ""
    labels: tuple[str, ...] = ()
    division: str = ""

    @property
    def provides_services(self) -> bool:
        """A known business other than growing, making, supplying or trading goods."""
        return self.section not in _GOODS

    def __bool__(self) -> bool:
        return bool(self.section or self.labels)


@dataclass(frozen=True, slots=True)
class IndustryWord:
    """A word with its industry. weak: a word (科技, 贸易) that yields to any other."""

    word: str
    section: str
    division: str
    labels: tuple[str, ...]
    weak: bool


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


class IndustryTable:
    """The words of `industries.csv`."""

    def __init__(self, words: Iterable[IndustryWord]):
        self._words = {_plain(w.word): w for w in words}
        self._longest = max(map(len, self._words), default=0)

    @classmethod
    def load(cls, root: Path = tables.DATA) -> IndustryTable:
        return cls(
            IndustryWord(
                word=r["word"],
                section=r["section"],
                division=r["division"],
                labels=tables.split(r["labels"]),
                weak=r["weak"] == "1",
            )
            for r in tables.rows("industries", root)
        )

    @property
    def labels(self) -> frozenset[str]:
        """Every label that a text can lead to."""
        return frozenset(label for word in self._words.values() for label in word.labels)

    def industries_of(self, text: str) -> Industries:
        """Section and labels. The last telling word decides the section: head of the name."""
        plain = _plain(text)
        if match := _CLASS.fullmatch(plain):
            return Industries(match[1].upper(), (), match[2] or "")
        found = list(self._find(plain))
        telling = [w for w in found if not w.weak] or found
        labels = dict.fromkeys(label for word in telling for label in word.labels)
        for word in reversed(telling):
            if word.section:
                return Industries(word.section, tuple(labels), word.division)
        return Industries("", tuple(labels))

    def _find(self, plain: str) -> Iterator[IndustryWord]:
        """Words in order, the longest at each place, none inside or across another."""
        place = 0
        while place < len(plain):
            for end in range(min(len(plain), place + self._longest), place, -1):
                if (word := self._words.get(plain[place:end])) is not None:
                    yield word
                    place = end
                    break
            else:
                place += 1


@cache
def _shipped() -> IndustryTable:
    return IndustryTable.load()


def industries_of(text: str) -> Industries:
    """Industries of a company name or an industry text, by the shipped table."""
    return _shipped().industries_of(text)
