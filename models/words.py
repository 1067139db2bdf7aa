"""The words of the knowledge base in the form the reader and the indexes use them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain
from typing import Any

from knowledge_base import KnowledgeBase
from models.normalise import normalise
from models.reading import Reader
from models.roles import MAX_WORD
from models.tokenizer import Tokenizer

MAX_TOKENIZER_WORD = 3


def name_key(text: str) -> str:
    """The form in which whole names are looked up: normalised, without spaces."""
    return normalise(text).replace(" ", "")


def longest_words(words: Iterable[str]) -> dict[str, int]:
    """First two characters → length of the longest word that begins with them, MAX_WORD at most:
    most stretches of a name begin no word and need not be looked up."""
    longest: dict[str, int] = {}
    for word in words:
        start = word[:2]
        longest[start] = max(longest.get(start, 1), min(len(word), MAX_WORD))
    return longest


@dataclass(frozen=True, slots=True)
class Words:
    """Plain collections, so that a bundle can keep them without the knowledge base.

    longest: of all names, exceptions, brands and descriptors, see `longest_words`; cut: short names
    and descriptors, the words that the tokenizer learns.
    """

    names: Set[str]
    descriptors: dict[str, str]
    exceptions: frozenset[str]
    heads: frozenset[str]
    brands: dict[str, bool]
    replacements: dict[str, str]
    units: tuple[str, ...]
    positions: dict[str, str]
    remarks: dict[str, str]
    longest: dict[str, int]
    cut: Sequence[str]

    @classmethod
    def of(cls, kb: KnowledgeBase) -> Words:
        lexicon = kb.lexicon
        names = set(lexicon.heads)
        names |= {name_key(term) for _, term in lexicon.everyday_names()}
        names |= {name_key(row.name) for row in lexicon.confirmed if row.whole}
        for code in kb.taxonomy.leaves():
            names.add(name_key(code.name))
            names.update(map(name_key, (*code.keywords, *code.includes)))
        brands: dict[str, bool] = {}
        for brand in lexicon.brands:
            for name in (brand.name, *brand.aliases):
                if len(name) > 1:
                    brands[normalise(name)] = brand.also_word
        groups = {name_key(n) for row in kb.taxonomy for n in kb.taxonomy.group_names(row)}
        replacements = {**lexicon.abbreviations, **lexicon.variants}
        known = frozenset(n for n in names if len(n) > 1 or n in lexicon.heads)
        descriptors = {normalise(k): v for k, v in lexicon.descriptors.items()}
        exceptions = frozenset(map(normalise, lexicon.exceptions))
        return cls(
            names=known,
            descriptors=descriptors,
            exceptions=exceptions,
            heads=lexicon.container_heads,
            brands=brands,
            replacements={normalise(a): normalise(b) for a, b in replacements.items()},
            units=tuple(
                name
                for unit in lexicon.units
                if not set(unit.dimensions) <= {"money"}
                for name in (unit.name, *unit.aliases)
            ),
            positions={name_key(word): kind for word, kind in lexicon.positions.items()},
            remarks={
                **dict.fromkeys(sorted(groups), "whole"),
                **{normalise(word): place for word, place in lexicon.remarks.items()},
            },
            longest=longest_words(chain(known, exceptions, brands, descriptors)),
            cut=sorted(
                {
                    word
                    for word in chain(known, descriptors)
                    if 1 < len(word) <= MAX_TOKENIZER_WORD and not word.isascii()
                }
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain collections that JSON knows, the same for the same words."""
        return {
            "names": sorted(self.names),
            "descriptors": self.descriptors,
            "exceptions": sorted(self.exceptions),
            "heads": sorted(self.heads),
            "brands": self.brands,
            "replacements": self.replacements,
            "units": list(self.units),
            "positions": self.positions,
            "remarks": self.remarks,
            "longest": self.longest,
            "cut": list(self.cut),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], names: Set[str] | None = None) -> Words:
        """Words of what `to_json` gives. names: the same names, where they are kept already."""
        return cls(
            names=names if names is not None else frozenset(data["names"]),
            descriptors=data["descriptors"],
            exceptions=frozenset(data["exceptions"]),
            heads=frozenset(data["heads"]),
            brands=data["brands"],
            replacements=data["replacements"],
            units=tuple(data["units"]),
            positions=data["positions"],
            remarks=data["remarks"],
            longest=data["longest"],
            cut=data["cut"],
        )

    def reader(self, engine: str) -> Reader:
        return Reader(
            Tokenizer(engine, self.cut),
            self.names,
            self.descriptors,
            self.exceptions,
            self.heads,
            self.brands,
            self.replacements,
            self.units,
            self.positions,
            self.remarks,
            self.longest,
        )
