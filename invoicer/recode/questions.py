"""The question a line asks when its declared code is covered up, and the answer to it."""

from __future__ import annotations

import datetime as dt
import hashlib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import orjson

from invoicer.line import InvoiceLine
from invoicer.suggestion import Suggestion, Tier
from knowledge_base.industries import industries_of
from knowledge_base.taxonomy import Taxonomy
from models.reading import split_declared

HASH_BYTES = 16
ASKED = ("spec", "unit", "brand", "manufacturer", "seller_industry", "answer")
_SEPARATOR = "\x1f"
_TIERS = {tier.value: tier for tier in Tier}


class Periods:
    """The days on which a date-bound table changes; a period is known by its first day."""

    def __init__(self, starts: set[dt.date]):
        self._starts = sorted({dt.date.min, *starts})

    @classmethod
    def of_codes(cls, taxonomy: Taxonomy) -> Periods:
        """The periods of the code table; days before it belong to its first one."""
        day = dt.timedelta(days=1)
        starts = {code.valid_from for code in taxonomy}
        ends = {code.valid_to + day for code in taxonomy if code.valid_to is not None}
        return cls((starts | ends) - {min(starts)})

    def number(self, day: dt.date) -> int:
        return bisect_right(self._starts, day) - 1

    def day(self, number: int) -> dt.date:
        """The first day of a period; of the first one, which has none, its last."""
        if number or len(self._starts) == 1:
            return self._starts[number]
        return self._starts[1] - dt.timedelta(days=1)


@lru_cache(20_000)
def _industries(seller: str) -> str:
    found = industries_of(seller)
    return f"{found.section}{found.division}{'|'.join(found.labels)}"


@dataclass(frozen=True, slots=True)
class Question:
    """What decides the name's own answer: everything but what was declared.

    printed: the 简称 that stood before the name; period: number of the code table's period.
    """

    name: str
    printed: str
    context: tuple[str, ...]
    period: int

    @property
    def text(self) -> str:
        return _SEPARATOR.join((str(self.period), self.name, *self.context))

    @property
    def hash(self) -> bytes:
        """The same for sellers of one industry: nothing else of a seller counts."""
        *context, seller, answer = self.context
        asked = (str(self.period), self.name, *context, _industries(seller), answer)
        text = _SEPARATOR.join(asked)
        return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=HASH_BYTES).digest()


def question_of(fields: Mapping[str, str], period: int) -> Question:
    """The question of a line's fields."""
    name = fields.get("name", "").replace(_SEPARATOR, " ")
    printed = ""
    if "*" in name or "＊" in name:
        printed, rest = split_declared(name)
        name = rest if rest.strip() else name
    return Question(name.strip(), printed, _context(fields), period)


def _context(fields: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(fields.get(field, "").replace(_SEPARATOR, " ").strip() for field in ASKED)


def line_of_question(text: str, periods: Periods) -> InvoiceLine:
    """The line to classify for a stored question."""
    period, name, *context = text.split(_SEPARATOR)
    day = periods.day(int(period))
    asked = dict(zip(ASKED, context, strict=True))
    return replace(InvoiceLine.from_fields({"name": name, **asked}), date=day)


@dataclass(frozen=True, slots=True)
class Answer:
    """The name's own answer. candidates: (code, confidence), best first; words: those of the name
    that it could be misread from, by 简称; None where they were not looked for."""

    tier: Tier
    confidence: float
    candidates: tuple[tuple[str, float], ...]
    prompt: str
    is_open: bool
    words: Mapping[str, str] | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(code for code, _ in self.candidates)


def pack(suggestion: Suggestion, words: Mapping[str, str] | None = None) -> bytes:
    """An answer as it is kept. words: see `Answer`."""
    return orjson.dumps(
        [
            suggestion.tier.value,
            round(suggestion.confidence, 4),
            [[c.code, round(c.confidence, 4)] for c in suggestion.candidates],
            suggestion.prompt,
            bool(suggestion.questions),
            words,
        ]
    )


def unpack(kept: bytes) -> Answer:
    tier, confidence, candidates, prompt, is_open, words = orjson.loads(kept)
    return Answer(_TIERS[tier], confidence, tuple(map(tuple, candidates)), prompt, is_open, words)
