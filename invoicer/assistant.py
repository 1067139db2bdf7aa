"""The assistant: invoice lines in, suggestions out."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import overload

from invoicer.errors import UnavailableError
from invoicer.evidence import reasons
from invoicer.line import InvoiceLine, today
from invoicer.settings import Settings
from invoicer.suggestion import Candidate, Suggestion
from invoicer.tiers import TierFacts, tier_of
from knowledge_base import KnowledgeBase
from knowledge_base.lexicon import Ambiguous
from knowledge_base.rates import RateTable, TaxpayerType
from models.bundle import BundleError, load_or_compile
from models.compiled import Progress
from models.learned import SHIPPED, Learned, load_learned
from models.matcher import Match, Matcher
from models.query import Query, make_query
from models.reading import Reader
from models.tokenizer import available_engine
from models.words import name_key

N_CANDIDATES = 5


class Assistant:
    """Knowledge base, matcher and rates behind one call: `suggest`.

    Safe to share between threads.
    """

    def __init__(self, kb: KnowledgeBase, matcher: Matcher, reader: Reader, learned: Learned):
        self.kb = kb
        self.matcher = matcher
        self.reader = reader
        self.learned = learned
        self.model_version = learned.version
        self.kb_version = kb.version

    @classmethod
    def load(
        cls, settings: Settings | None = None, progress: Progress | None = None
    ) -> Assistant:
        """The assistant of this installation; compiles its bundle on first use."""
        settings = settings or Settings()
        engine = settings.engine or available_engine()
        kb = KnowledgeBase.load()
        try:
            compiled = load_or_compile(kb, engine, settings.data_dir / "bundles", progress)
        except BundleError as error:
            raise UnavailableError(str(error)) from error
        learned = load_learned(SHIPPED)
        matcher = Matcher(compiled, learned.ranker, learned.calibration)
        return cls(kb, matcher, compiled.words.reader(engine), learned)

    @cached_property
    def rate_table(self) -> RateTable:
        return RateTable.load(self.kb.root)

    @cached_property
    def _ambiguous(self) -> dict[str, Ambiguous]:
        return {name_key(term): a for term, a in self.kb.lexicon.ambiguous.items()}

    @overload
    def suggest(self, line: InvoiceLine | str) -> Suggestion: ...
    @overload
    def suggest(self, line: Iterable[InvoiceLine | str]) -> list[Suggestion]: ...

    def suggest(
        self, line: InvoiceLine | str | Iterable[InvoiceLine | str]
    ) -> Suggestion | list[Suggestion]:
        """Suggestion for a line, or a list of them for several, in their order."""
        if isinstance(line, InvoiceLine | str):
            return self._suggest([_as_line(line)])[0]
        return self._suggest([_as_line(one) for one in line])

    def query(self, line: InvoiceLine) -> Query:
        """What is matched for a line."""
        return make_query(
            self.reader,
            line.name,
            spec=line.spec,
            unit=line.unit,
            brand=line.brand,
            manufacturer=line.manufacturer,
            declared_code=line.declared_code,
            declared_short_name=line.declared_short_name,
        )

    def match(self, lines: Sequence[InvoiceLine]) -> list[tuple[Query, Match]]:
        """Query and match of each line, each by the code table of its date."""
        queries = [self.query(line) for line in lines]
        by_day: dict[dt.date, list[int]] = defaultdict(list)
        now = today()
        for i, line in enumerate(lines):
            by_day[line.date or now].append(i)
        matches: list[Match | None] = [None] * len(lines)
        for day, places in by_day.items():
            found = self.matcher.match([queries[i] for i in places], day)
            for i, match in zip(places, found, strict=True):
                matches[i] = match
        return [(q, m) for q, m in zip(queries, matches, strict=True) if m is not None]

    def _suggest(self, lines: list[InvoiceLine]) -> list[Suggestion]:
        now = today()
        return [
            self._suggestion(line, query, match, line.date or now)
            for line, (query, match) in zip(lines, self.match(lines), strict=True)
        ]

    def _suggestion(
        self, line: InvoiceLine, query: Query, match: Match, day: dt.date
    ) -> Suggestion:
        compiled = self.matcher.compiled
        candidates = tuple(
            self._candidate(compiled.index.codes[place], float(confidence), day)
            for place, confidence in zip(
                match.places[:N_CANDIDATES], match.confidence[:N_CANDIDATES], strict=True
            )
        )
        top = candidates[0]
        asked = self._question(query)
        tier = tier_of(
            match.probability,
            self.matcher.calibration,
            TierFacts(
                ambiguous=asked is not None,
                catch_all=match.signal("catch_all") > 0,
                supported=match.signal("exact") > 0
                or match.signal("core_exact") > 0
                or match.signal("declared") >= 1.0,
            ),
        )
        weak = tier.value == "weak"
        taxpayer = line.taxpayer or TaxpayerType.GENERAL
        return Suggestion(
            code="" if weak else top.code,
            short_name="" if weak else top.short_name,
            tier=tier,
            confidence=match.probability,
            candidates=candidates,
            rates=tuple(self.rate_table.advise(self.kb.taxonomy[top.code], day, taxpayer)),
            prompt=query.reading.prompt or (asked.question if asked else ""),
            question=asked.question if asked else "",
            options=asked.options if asked else {},
            evidence=reasons(
                query, match, compiled.index.terms, self.kb.taxonomy[top.code].name
            ),
            warnings=line.warnings,
            model_version=self.model_version,
            kb_version=self.kb_version,
        )

    def _candidate(self, code: str, confidence: float, day: dt.date) -> Candidate:
        taxonomy = self.kb.taxonomy
        return Candidate(code, taxonomy.short_name(code, day), taxonomy[code].name, confidence)

    def _question(self, query: Query) -> Ambiguous | None:
        """The open question of a name that equals an ambiguous term after reading."""
        for text in (query.reading.core, query.reading.clean):
            if (found := self._ambiguous.get(text.replace(" ", ""))) is not None:
                return found
        return None


def _as_line(line: InvoiceLine | str) -> InvoiceLine:
    return InvoiceLine.from_fields({"name": line}) if isinstance(line, str) else line
