"""Everyday words: names and samples per code, ambiguous terms, descriptors, brands, units.

The official table speaks formally; these tables hold the words that people write, and the words
that describe a product without naming it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from knowledge_base import tables
from knowledge_base.supplement import ConfirmedName, read_supplement
from knowledge_base.word_tables import WordTable, read_rows


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A name that needs one more fact. options: answer shown to the biller → code."""

    term: str
    codes: tuple[str, ...]
    default_code: str
    question: str
    options: dict[str, str]


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand with its goods. also_word: the brand is an ordinary word too (太阳)."""

    name: str
    categories: tuple[str, ...]
    aliases: tuple[str, ...]
    also_word: bool


@dataclass(frozen=True, slots=True)
class Transformation:
    """A material, process or state word before a product that moves it to another code.

    from_prefixes: leading digits of the codes the bare product would get.
    """

    words: tuple[str, ...]
    from_prefixes: tuple[str, ...]
    to_code: str
    why: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measure; dimension is mass, volume, count, service, time, energy …"""

    name: str
    dimensions: tuple[str, ...]
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpecMark:
    """A word of specifications that is no unit of measure, with the kind it stands for.

    after_number: it follows a number (52 + 度, 200 + 抽); else it stands alone (烤烟型, XL).
    """

    word: str
    kind: str
    after_number: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """A whole line as written on an invoice or in a shop's item list, with its code."""

    code: str
    name: str
    spec: str = ""
    unit: str = ""
    brand: str = ""
    manufacturer: str = ""


class Lexicon:
    """The word tables, each read on first use. supplement: file of confirmed names beside them."""

    def __init__(self, root: Path = tables.DATA, supplement: Path | None = None):
        self._root = root
        self._supplement = supplement

    @cached_property
    def confirmed(self) -> tuple[ConfirmedName, ...]:
        """Names that people of this installation confirmed."""
        return read_supplement(self._supplement) if self._supplement else ()

    def everyday_names(self) -> Iterator[tuple[str, str]]:
        """(code, name) pairs."""
        for row in tables.columns("everyday_names", "code", "term", root=self._root):
            yield row[0], row[1]

    @cached_property
    def provisional(self) -> dict[str, list[str]]:
        """Code → its everyday names that stand there for want of a fitting code."""
        names: dict[str, list[str]] = defaultdict(list)
        for row in read_rows(self._root, WordTable.PROVISIONAL):
            names[row["code"]].append(row["term"])
        return dict(names)

    def samples(self) -> Iterator[Sample]:
        """Labelled whole lines: first the plain ones, then those with their context."""
        for code, name in tables.columns("samples", "code", "name", root=self._root):
            yield Sample(code, name)
        fields = ("code", "name", "spec", "unit", "brand", "manufacturer")
        for row in tables.columns("context_samples", *fields, root=self._root):
            yield Sample(*row)

    @cached_property
    def ambiguous(self) -> dict[str, Ambiguous]:
        return {
            r["term"]: Ambiguous(
                term=r["term"],
                codes=tables.split(r["codes"]),
                default_code=r["default_code"],
                question=r["question"],
                options=dict(o.rsplit("=", 1) for o in tables.split(r["options"])),
            )
            for r in tables.rows("ambiguous", self._root)
        }

    @cached_property
    def descriptors(self) -> dict[str, str]:
        """Descriptor → kind (flavour, scent, colour, material, promotion …)."""
        return {r["term"]: r["kind"] for r in tables.rows("descriptors", self._root)}

    @cached_property
    def exceptions(self) -> dict[str, str]:
        """Word that looks like a descriptor or misleads → its true head (面包服 → 羽绒服)."""
        return {r["term"]: r["head"] for r in tables.rows("exceptions", self._root)}

    @cached_property
    def positions(self) -> dict[str, str]:
        """Name → what it can be beside another name: `place` of its use (地垫 入户门), what it is
        `packed` in or sent by (鞋油 铁盒), `flavoured`, so that its taste or filling may follow
        (水饺韭菜鸡蛋), `site`, which ends the name of a place or a customer (金陵大酒店),
        `work`, behind which goods are but its object, or `due`, which follows the supply that it
        is charged for (保证金)."""
        return {r["word"]: r["kind"] for r in tables.rows("positions", self._root)}

    @cached_property
    def remarks(self) -> dict[str, str]:
        """Word that says something of the bill and not of the goods (尾款, 详见清单) → its
        places: `front` of the name, `behind` it, behind a `named` thing (打印纸采购), a `note` by
        itself; or before what comes along with the goods: `gift` before anything (赠), `along`
        before a known name (附, 含); or the `group` of goods, of `raw` goods or of `services` that
        is named before them (日用品-毛巾)."""
        return {r["word"]: r["place"] for r in tables.rows("remarks", self._root)}

    @cached_property
    def container_heads(self) -> frozenset[str]:
        """Suffixes that make a container, tool or service out of what stands before (茶叶罐)."""
        return frozenset(r["suffix"] for r in tables.rows("container_heads", self._root))

    @cached_property
    def brands(self) -> list[Brand]:
        return [
            Brand(
                name=r["brand"],
                categories=tables.split(r["categories"]),
                aliases=tables.split(r["aliases"]),
                also_word=r["also_word"] == "y",
            )
            for r in tables.rows("brands", self._root)
        ]

    @cached_property
    def brand_categories(self) -> dict[str, tuple[str, ...]]:
        """Brand category word → codes or subtrees it stands for, most usual first."""
        return {
            r["category"]: tables.split(r["codes"])
            for r in tables.rows("brand_categories", self._root)
        }

    @cached_property
    def maker_words(self) -> dict[str, tuple[str, ...]]:
        """Word in a manufacturer's or seller's name (酒业, 制药) → codes of what it makes."""
        return {r["word"]: tables.split(r["codes"]) for r in tables.rows("maker_words", self._root)}

    @cached_property
    def transformations(self) -> list[Transformation]:
        return [
            Transformation(
                tables.split(r["words"]), tables.split(r["from_prefixes"]), r["to_code"], r["why"]
            )
            for r in tables.rows("transformations", self._root)
        ]

    @cached_property
    def heads(self) -> dict[str, str]:
        """Single-character head noun (酒, 床) → its most usual code."""
        return {r["head"]: r["code"] for r in tables.rows("heads", self._root)}

    @cached_property
    def units(self) -> list[Unit]:
        return [
            Unit(r["unit"], tables.split(r["dimension"]), tables.split(r["aliases"]))
            for r in tables.rows("units", self._root)
        ]

    @cached_property
    def spec_marks(self) -> list[SpecMark]:
        return [
            SpecMark(r["word"], r["kind"], r["after_number"] == "y")
            for r in tables.rows("spec_marks", self._root)
        ]

    @cached_property
    def placeholders(self) -> frozenset[str]:
        """Texts that stand for a name and say nothing of what is supplied: 详见清单."""
        return frozenset(r["name"] for r in tables.rows("placeholders", self._root))

    @cached_property
    def abbreviations(self) -> dict[str, str]:
        """Short or trade word → the full word it stands for."""
        return {r["short"]: r["full"] for r in tables.rows("abbreviations", self._root)}

    @cached_property
    def variants(self) -> dict[str, str]:
        """Regional word or typo → the standard word."""
        return {r["variant"]: r["standard"] for r in tables.rows("variants", self._root)}
