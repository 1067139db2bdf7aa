"""All that matching needs, compiled from the knowledge base: built here, kept in a bundle."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np

from knowledge_base import KnowledgeBase
from knowledge_base.lexicon import Sample
from models.affinity import Affinity, compile_brands, compile_makers
from models.categories import Category, compile_categories
from models.index import (
    PROFILE_KINDS,
    SAMPLE,
    Index,
    Term,
    compile_index,
    leaves_of,
    terms_of,
)
from models.kept_readings import read_terms
from models.meaning import Meaning, compile_meaning
from models.normalise import normalise
from models.quantities import Quantities, compile_quantities
from models.reading import Reader
from models.reading_many import Progress, TermReading
from models.transformation import Transformations, compile_transformations
from models.words import Words

FROZEN_PERCENT = 15


@dataclass(slots=True)
class CodeFacts:
    """Per code place: group of its 简称 and family (first five digits) as small integers, flags
    as 0/1 float32; excluded_terms: goods named in an official exclusion → (out of, into) places;
    valid_from, valid_to: proleptic day numbers, the last day included."""

    group: np.ndarray
    family: np.ndarray
    catch_all: np.ndarray
    service: np.ndarray
    valid_from: np.ndarray
    valid_to: np.ndarray
    excluded_terms: dict[str, list[tuple[int, int]]]
    short_name_codes: dict[str, np.ndarray]


@dataclass(slots=True)
class Compiled:
    """Everything a matcher works with, bar the learned part."""

    words: Words
    index: Index
    facts: CodeFacts
    brands: Affinity
    makers: Affinity
    meaning: Meaning
    transformations: Transformations
    quantities: Quantities
    categories: dict[str, Category]
    service_units: frozenset[str]
    goods_units: frozenset[str]


def is_frozen(sample: Sample) -> bool:
    """Whether a sample belongs to the regression set, which nothing is ever trained on."""
    return crc32(f"{sample.code}{sample.name}".encode()) % 100 < FROZEN_PERCENT


def compile_knowledge(
    kb: KnowledgeBase, engine: str, folder: Path | None = None, progress: Progress | None = None
) -> tuple[Compiled, Reader, list[Term], list[TermReading]]:
    """Compiled knowledge with the reader that made it, its terms and their readings.

    folder: where readings are kept for the next time; none where they are not.
    """
    words = Words.of(kb)
    reader = words.reader(engine)
    samples = [s for s in kb.lexicon.samples() if not is_frozen(s)]
    terms = terms_of(kb, samples)
    readings, raw = read_terms(words, reader, [term.text for term in terms], folder, progress)
    index = compile_index(kb, terms, readings, raw, words.names)
    places = {code: i for i, code in enumerate(index.codes)}
    service_units, goods_units = _units(kb)
    facts = _facts(kb, places)
    compiled = Compiled(
        words=words,
        index=index,
        facts=facts,
        brands=compile_brands(
            kb,
            places,
            ((t.code, r) for t, r in zip(terms, readings, strict=True) if t.kinds & SAMPLE),
        ),
        makers=compile_makers(kb, places),
        meaning=compile_meaning(
            kb.root,
            raw,
            index.term_code,
            ((index.term_kind & PROFILE_KINDS) > 0).astype(np.float32),
            index.n_codes,
        ),
        transformations=compile_transformations(kb, places),
        quantities=compile_quantities(kb, index.codes, samples),
        categories=compile_categories(kb, index, facts.group),
        service_units=service_units,
        goods_units=goods_units,
    )
    return compiled, reader, terms, readings


def _facts(kb: KnowledgeBase, places: dict[str, int]) -> CodeFacts:
    leaves = leaves_of(kb)
    groups: dict[str, int] = {}
    families: dict[str, int] = {}
    short_name_codes: dict[str, list[int]] = defaultdict(list)
    for place, leaf in enumerate(leaves):
        for name in sorted(kb.taxonomy.short_names(leaf.code)):
            short_name_codes[normalise(name)].append(place)
    excluded: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for code in kb.taxonomy:
        for item in code.excludes:
            if item.code not in kb.taxonomy:
                continue
            sources = [places[leaf.code] for leaf in kb.taxonomy.under(code.code)]
            targets = [places[leaf.code] for leaf in kb.taxonomy.under(item.code)]
            excluded[normalise(item.term)].extend((s, t) for s in sources for t in targets)
    return CodeFacts(
        group=np.array([groups.setdefault(c.short_name, len(groups)) for c in leaves], np.int32),
        family=np.array([families.setdefault(c.code[:5], len(families)) for c in leaves], np.int32),
        catch_all=np.array([c.is_catch_all for c in leaves], np.float32),
        service=np.array([c.is_service for c in leaves], np.float32),
        valid_from=np.array([c.valid_from.toordinal() for c in leaves], np.int32),
        valid_to=np.array(
            [c.valid_to.toordinal() if c.valid_to else np.iinfo(np.int32).max for c in leaves],
            np.int32,
        ),
        excluded_terms={term: moves for term, moves in excluded.items() if len(term) > 1},
        short_name_codes={k: np.array(v, np.int32) for k, v in short_name_codes.items()},
    )


def _units(kb: KnowledgeBase) -> tuple[frozenset[str], frozenset[str]]:
    """(units that only services are counted in, units that only goods are counted in)."""
    service: set[str] = set()
    goods: set[str] = set()
    for unit in kb.lexicon.units:
        dimensions = set(unit.dimensions)
        target = service if dimensions <= {"service", "time"} else goods
        if target is goods and dimensions & {"service", "time", "money"}:
            continue
        target.update(normalise(name) for name in (unit.name, *unit.aliases))
    return frozenset(service - goods), frozenset(goods - service)
