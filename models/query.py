"""What is known of one line when it is matched: its reading and its context."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.normalise import normalise
from models.reading import Reader, Reading
from models.situation import NOTHING, Situation, Situations

MAX_CONTEXT = 200  # characters of a specification or a company name that are read
_BRAND_SPLIT = re.compile(r"[/|()\s,;]+")


@dataclass(frozen=True, slots=True)
class Query:
    """One line to match. All context is optional evidence, already normalised.

    spec: specification; unit: unit of measure; maker: manufacturer or supplier; declared_code:
    nineteen digits or "".
    """

    reading: Reading
    spec: str = ""
    unit: str = ""
    brands: tuple[str, ...] = ()
    maker: str = ""
    declared_code: str = ""
    declared_short_name: str = ""
    situation: Situation = NOTHING


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

    def __init__(self, reader: Reader, situations: Situations):
        self.reader = reader
        self.situations = situations

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
        return Query(
            reading=reading,
            spec=normalise(spec[:MAX_CONTEXT]) if spec else "",
            unit=normalise(unit) if unit else "",
            brands=brands,
            maker=normalise(manufacturer[:MAX_CONTEXT]) if manufacturer else "",
            declared_code=declared_code,
            declared_short_name=normalise(declared_short_name) if declared_short_name else "",
            situation=self.situations.find(reading, seller, answer),
        )
