"""What is known of one line when it is matched: its reading and its context."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from models.mixed import split_supply
from models.normalise import normalise
from models.questions import NO_ANSWERS, Answers
from models.reading import Reader, Reading
from models.situation import NOTHING, Situation, Situations
from models.supply import SINGLE, Supply, principal, supply_of
from models.words import name_key

MAX_CONTEXT = 200  # characters of a specification or a company name that are read
_BRAND_SPLIT = re.compile(r"[/|()\s,;]+")


class HintKind(StrEnum):
    """confirm: a yes settles it; complete: the name does not say enough."""

    CONFIRM = "confirm"
    COMPLETE = "complete"


class Hint(NamedTuple):
    """What is odd about a name."""

    kind: HintKind
    text: str


@dataclass(frozen=True, slots=True)
class Query:
    """One line to match. All context is optional evidence, already normalised.

    spec: specification; unit: unit of measure; maker: manufacturer or supplier; declared_code:
    nineteen digits or "". says_nothing: the name tells nothing of what is supplied. supply: the
    parts of a name that supplies several things, of which `reading` is the principal one; answers:
    what a person answered beyond supply and situation.
    """

    reading: Reading
    says_nothing: bool = False
    spec: str = ""
    unit: str = ""
    brands: tuple[str, ...] = ()
    maker: str = ""
    declared_code: str = ""
    declared_short_name: str = ""
    situation: Situation = NOTHING
    supply: Supply = SINGLE
    answers: Answers = NO_ANSWERS

    @property
    def hint(self) -> Hint | None:
        """What to confirm about the name itself; None where nothing is odd."""
        category = self.situation.category
        if category is not None and self.situation.is_vague:
            told = f"“{category.name}”是大类名称,请填写具体的商品或服务名称"
            return Hint(HintKind.COMPLETE, told)
        if self.says_nothing:
            return Hint(HintKind.COMPLETE, "名称没有说明是什么商品或服务,请填写实际名称")
        asked = self.reading.prompt
        return Hint(HintKind.CONFIRM, asked) if asked else None


def brand_words(brand: str) -> tuple[str, ...]:
    """The brand column's words: `LITTLE SHEEP/小肥羊` → both, a closing 牌 dropped."""
    words = []
    for part in _BRAND_SPLIT.split(normalise(brand)):
        part = part.removesuffix("牌")
        if len(part) > 1:
            words.append(part)
    return tuple(dict.fromkeys(words))


class QueryMaker:
    """Makes queries from raw fields, with the reader and the rules for situations."""

    def __init__(self, reader: Reader, situations: Situations, placeholders: Iterable[str] = ()):
        self.reader = reader
        self.situations = situations
        self._placeholders = frozenset(map(name_key, placeholders))

    def query(
        self,
        name: str,
        *,
        spec: str = "",
        unit: str = "",
        brand: str = "",
        manufacturer: str = "",
        seller: str = "",
        answer: str = "",
        declared_code: str = "",
        declared_short_name: str = "",
    ) -> Query:
        """Query of one line; manufacturer also stands for the supplier."""
        brands = brand_words(brand) if brand else ()
        reading = self.reader.read(name, brands)
        found = self._found(reading, brands, seller, Answers.of(answer))
        return Query(
            reading=found.reading,
            says_nothing=self._says_nothing(reading),
            spec=normalise(spec[:MAX_CONTEXT]) if spec else "",
            unit=normalise(unit) if unit else "",
            brands=brands,
            maker=normalise(manufacturer[:MAX_CONTEXT]) if manufacturer else "",
            declared_code=declared_code,
            declared_short_name=normalise(declared_short_name) if declared_short_name else "",
            situation=found.situation,
            supply=found.supply,
            answers=found.answers,
        )

    def _says_nothing(self, reading: Reading) -> bool:
        """Whether the name is empty of letters and figures, or stands for one that is elsewhere."""
        clean = reading.clean.replace(" ", "")
        return clean in self._placeholders or not any(char.isalnum() for char in clean)

    def _found(
        self, reading: Reading, brands: tuple[str, ...], seller: str, answers: Answers
    ) -> _Found:
        """Supply and situation of a name, read by its principal part where it has several."""
        is_known = self.reader.is_name(reading.normalised.replace(" ", ""))
        whole = self.situations.is_category(reading)
        parts = () if whole else split_supply(reading, self.reader.is_name)
        asked = reading
        if parts or (is_known and not reading.is_bare):  # 水果、坚果粉 is not any 水果
            asked = replace(reading, core=reading.clean)
        if not parts:
            situation, answers = self.situations.find(asked, seller, answers)
            return _Found(reading, SINGLE, situation, answers)
        read = {part: self.reader.read(part, brands) for part in parts}
        situation, left = self.situations.find(asked, seller, answers)
        if situation:  # a rule knows the name as it stands: it asks for its own condition
            if situation.is_open and not is_known:
                usual = read[principal(parts, seller)]
                own, _ = self.situations.find(usual, seller, NO_ANSWERS)
                situation, reading = situation.leaning_to(own.decided), _as_part(usual, reading)
            return _Found(reading, SINGLE, situation, left)
        # Whichever part is chosen, its question keeps numbers of its own before the supply's.
        used = [self.situations.find(r, seller, NO_ANSWERS)[1].number for r in read.values()]
        supply, left = supply_of(parts, seller, replace(answers, number=max(used)))
        chosen = read[supply.part]
        situation, rest = self.situations.find(chosen, seller, replace(left, number=1))
        answers = replace(rest, number=left.number)
        return _Found(_as_part(chosen, reading), supply, situation, answers)


class _Found(NamedTuple):
    reading: Reading
    supply: Supply
    situation: Situation
    answers: Answers


def _as_part(part: Reading, whole: Reading) -> Reading:
    """The reading of a part, with what was written about the whole."""
    return replace(part, text=whole.text, declared_short_name=whole.declared_short_name)
