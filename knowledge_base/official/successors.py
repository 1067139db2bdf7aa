"""Rows of the word tables whose code was stopped, with the codes that probably follow it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from knowledge_base import tables
from knowledge_base.base import KnowledgeBase
from knowledge_base.taxonomy import TaxCode, Taxonomy

# Word table → its column of words and its columns that hold codes, alone or inside lists.
WORD_TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "everyday_names": ("term", ("code",)),
    "samples": ("name", ("code",)),
    "context_samples": ("name", ("code",)),
    "ambiguous": ("term", ("codes", "default_code", "options")),
    "brand_categories": ("category", ("codes",)),
    "maker_words": ("word", ("codes",)),
    "scenarios": ("phrase", ("code",)),
}
# A subtree with a code at least this like the stopped one is not left for a wider one.
LIKE_ENOUGH = 0.5
LIMIT = 3
# What a proposal loses in rank, not in score, with every step away from the stopped code.
DISTANCE = 0.85
# Tables whose codes may stand for a whole subtree.
SUBTREES = frozenset({"brand_categories", "maker_words"})

_CODE = re.compile(r"(?<!\d)\d{19}(?!\d)")


@dataclass(frozen=True, slots=True)
class Successor:
    """A code proposed for a stopped one. score: 0 to 1, how much names and keywords agree."""

    code: str
    name: str
    score: float


@dataclass(frozen=True, slots=True)
class StaleRow:
    """A row of a word table that points at a code which cannot be printed any more.

    reason: stopped; unknown to the table; summary, where the code now has others below it.
    line: line of the CSV file, the header being 1. columns: where the code stands.
    """

    table: str
    line: int
    term: str
    columns: tuple[str, ...]
    code: str
    code_name: str
    reason: Literal["stopped", "unknown", "summary"]
    stopped_after: dt.date | None
    successors: tuple[Successor, ...]


def stale_rows(kb: KnowledgeBase, on: dt.date | None = None) -> list[StaleRow]:
    """Rows on codes that are unknown, summaries, or stopped: ever (default) or before a day."""
    finder = SuccessorFinder(kb.taxonomy, on)
    found = []
    for table, (word_column, code_columns) in WORD_TABLES.items():
        if not (kb.root / f"{table}.csv").exists():
            continue
        for line, row in enumerate(tables.rows(table, kb.root), 2):
            places: dict[str, list[str]] = {}
            for column in code_columns:
                for code in _CODE.findall(row[column] or ""):
                    if finder.reason(code, table in SUBTREES):
                        places.setdefault(code, []).append(column)
            for code, columns in places.items():
                known = kb.taxonomy.get(code)
                reason = finder.reason(code, table in SUBTREES) or "unknown"
                found.append(
                    StaleRow(
                        table=table,
                        line=line,
                        term=row[word_column],
                        columns=tuple(dict.fromkeys(columns)),
                        code=code,
                        code_name=known.name if known else "",
                        reason=reason,
                        stopped_after=known.valid_to if known else None,
                        successors=finder.successors(code, row[word_column]),
                    )
                )
    return found


class SuccessorFinder:
    """Proposes codes in force: siblings first, then ever wider subtrees, then the whole table."""

    def __init__(self, taxonomy: Taxonomy, on: dt.date | None):
        self._taxonomy = taxonomy
        self._on = on

    def is_in_force(self, code: str) -> bool:
        known = self._taxonomy.get(code)
        if known is None:
            return False
        return known.valid_to is None if self._on is None else known.is_valid_on(self._on)

    def reason(self, code: str, subtrees: bool) -> Literal["stopped", "unknown", "summary"] | None:
        """Why a word may not point at a code; None where it may."""
        known = self._taxonomy.get(code)
        if known is None:
            return "unknown"
        if not self.is_in_force(code):
            return "stopped"
        return None if known.is_leaf or subtrees else "summary"

    @cached_property
    def _leaves(self) -> dict[str, tuple[TaxCode, frozenset[str], frozenset[str]]]:
        return {
            leaf.code: (leaf, frozenset({leaf.name, *leaf.keywords}), _bigrams([leaf.name]))
            for leaf in self._taxonomy.leaves()
            if self.is_in_force(leaf.code)
        }

    def successors(self, code: str, term: str) -> tuple[Successor, ...]:
        old = self._taxonomy.get(code)
        words = {term, *((old.name, *old.keywords) if old else ())}
        grams = _bigrams([old.name if old else term])
        ranked: dict[str, tuple[float, Successor]] = {}
        for step, group in enumerate(self._groups(old)):
            for leaf, terms, name_grams in (self._leaves[c] for c in group if c not in ranked):
                score = _score(words, grams, terms, name_grams)
                proposal = Successor(leaf.code, leaf.name, score)
                ranked[leaf.code] = (-score * DISTANCE**step, proposal)
            if any(proposal.score >= LIKE_ENOUGH for _, proposal in ranked.values()):
                break
        best = sorted(ranked.values(), key=lambda entry: entry[0])[:LIMIT]
        return tuple(proposal for _, proposal in best if proposal.score > 0)

    def _groups(self, old: TaxCode | None) -> Iterator[list[str]]:
        if old is not None:
            for ancestor in reversed(self._taxonomy.path(old.code)):
                under = [leaf.code for leaf in self._taxonomy.under(ancestor.code)]
                yield [code for code in under if code in self._leaves]
        yield list(self._leaves)


def _score(
    words: set[str], grams: frozenset[str], terms: frozenset[str], name_grams: frozenset[str]
) -> float:
    """Shared words weigh most, likeness of the names the rest."""
    shared = len(words & terms) / len(words)
    alike = 2 * len(grams & name_grams) / (len(grams) + len(name_grams) or 1)
    return round(min(1.0, max(alike, 0.5 * bool(words & terms) + 0.5 * shared)), 3)


def _bigrams(words: Iterable[str]) -> frozenset[str]:
    return frozenset(
        word[i : i + 2]
        for word in (w.removeprefix("其他") or w for w in words)
        for i in range(max(1, len(word) - 1))
        if word
    )
