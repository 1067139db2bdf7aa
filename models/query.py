"""What is known of one line when it is matched: its reading and its context."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.normalise import normalise
from models.reading import Reader, Reading

_BRAND_SPLIT = re.compile(r"[/|()\s,;]+")


@dataclass(frozen=True, slots=True)
class Query:
    """One line to match. All context is optional evidence, already normalised.

    unit: unit of measure; maker: manufacturer or supplier; declared_code: nineteen digits or "".
    """

    reading: Reading
    spec: str = ""
    unit: str = ""
    brands: tuple[str, ...] = ()
    maker: str = ""
    declared_code: str = ""
    declared_short_name: str = ""


def brand_words(brand: str) -> tuple[str, ...]:
    """The brand column's words: `LITTLE SHEEP/小肥羊` → both, a closing 牌 dropped."""
    words = []
    for part in _BRAND_SPLIT.split(normalise(brand)):
        part = part.removesuffix("牌")
        if len(part) > 1:
            words.append(part)
    return tuple(dict.fromkeys(words))


def make_query(
    reader: Reader,
    name: str,
    *,
    spec: str = "",
    unit: str = "",
    brand: str = "",
    manufacturer: str = "",
    declared_code: str = "",
    declared_short_name: str = "",
) -> Query:
    """Query of one line from its raw fields."""
    brands = brand_words(brand) if brand else ()
    return Query(
        reading=reader.read(name, brands),
        spec=normalise(spec) if spec else "",
        unit=normalise(unit) if unit else "",
        brands=brands,
        maker=normalise(manufacturer) if manufacturer else "",
        declared_code=declared_code,
        declared_short_name=normalise(declared_short_name) if declared_short_name else "",
    )
