"""The assistant: invoice lines in, suggestions out."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import overload

from invoicer.declared_rate import read_rate
from invoicer.errors import UnavailableError
from invoicer.evidence import provisional, reasons
from invoicer.learning.versions import ModelStore
from invoicer.line import InvoiceLine, today
from invoicer.questions import Offers
from invoicer.rate_evidence import RateEvidence
from invoicer.settings import Settings
from invoicer.suggestion import Candidate, Suggestion, Tier
from invoicer.tiers import facts_of, tier_of
from knowledge_base import KnowledgeBase
from knowledge_base.rate_advice import RateAdvice, TaxpayerType
from knowledge_base.rates import RateTable
from models.bundle import BundleError, bundle_path, load_or_compile
from models.compiled import Compiled
from models.learned import Learned
from models.matcher import Match, Matcher
from models.query import Query, QueryMaker
from models.reading_many import Progress
from models.semantic import SemanticRanker, is_available
from models.situation import Situations, settled
from models.supply import SINGLE
from models.tokenizer import available_engine

N_CANDIDATES = 5
CACHED = 20_000


class Assistant:
    """Knowledge base, matcher and rates behind one call: `suggest`.

    Safe to share between threads.
    """

    def __init__(self, kb: KnowledgeBase, matcher: Matcher, queries: QueryMaker, learned: Learned):
        self.kb = kb
        self.matcher = matcher
        self.queries = queries
        self.learned = learned
        self.model_version = learned.version
        self.kb_version = kb.version
        # The same few thousand codes come again and again; both answers are fixed for a date.
        self._rates = lru_cache(CACHED)(self._advise)
        self._short_name = lru_cache(CACHED)(kb.taxonomy.short_name)

    @classmethod
    def load(
        cls,
        settings: Settings | None = None,
        progress: Progress | None = None,
        version: str = "",
    ) -> Assistant:
        """The assistant of this installation; compiles its bundle on first use.

        version: of the model; the one in use where none is given.
        """
        settings = settings or Settings()
        engine = settings.engine or available_engine()
        models = ModelStore(settings.models_dir)
        version = version or models.current()
        learned = models.load(version)
        kb = settings.knowledge_base(models.supplement(version))
        try:
            compiled = load_or_compile(kb, engine, settings.bundles_dir, progress)
        except BundleError as error:
            raise UnavailableError(str(error)) from error
        return cls.assemble(kb, compiled, learned, engine, _semantic(settings.semantic))

    @staticmethod
    def is_compiled(settings: Settings | None = None) -> bool:
        """Whether `load` finds its bundle and need not compile."""
        settings = settings or Settings()
        models = ModelStore(settings.models_dir)
        kb = settings.knowledge_base(models.supplement(models.current()))
        engine = settings.engine or available_engine()
        return bundle_path(kb, engine, settings.bundles_dir).exists()

    @classmethod
    def assemble(
        cls,
        kb: KnowledgeBase,
        compiled: Compiled,
        learned: Learned,
        engine: str,
        semantic: SemanticRanker | None = None,
    ) -> Assistant:
        """The assistant of these parts."""
        matcher = Matcher(compiled, learned.ranker, learned.calibration, semantic)
        situations = Situations.load(kb, compiled.categories)
        queries = QueryMaker(compiled.words.reader(engine), situations, kb.lexicon.placeholders)
        return cls(kb, matcher, queries, learned)

    def _advise(self, code: str, day: dt.date, taxpayer: TaxpayerType) -> tuple[RateAdvice, ...]:
        return tuple(self.rate_table.advise(self.kb.taxonomy[code], day, taxpayer))

    def is_usable(self, code: str, day: str = "") -> bool:
        """Whether a code may be printed on an invoice of a day (ISO; today by default)."""
        row = self.kb.taxonomy.get(code)
        on = dt.date.fromisoformat(day) if day else today()
        return row is not None and row.is_leaf and row.is_valid_on(on)

    @cached_property
    def rate_table(self) -> RateTable:
        return RateTable.load(self.kb.root)

    @overload
    def suggest(self, line: InvoiceLine | str) -> Suggestion: ...
    @overload
    def suggest(
        self, line: list[InvoiceLine] | list[str] | list[InvoiceLine | str]
    ) -> list[Suggestion]: ...

    def suggest(
        self, line: InvoiceLine | str | list[InvoiceLine] | list[str] | list[InvoiceLine | str]
    ) -> Suggestion | list[Suggestion]:
        """Suggestion for a line, or a list of them for several, in their order."""
        if isinstance(line, InvoiceLine | str):
            return self._suggest([_as_line(line)])[0]
        return self._suggest([_as_line(one) for one in line])

    def suggest_with_queries(
        self, lines: Sequence[InvoiceLine]
    ) -> list[tuple[Query, Suggestion]]:
        """The suggestion of each line, with what was matched for it."""
        now = today()
        return [
            (query, self._suggestion(line, query, match, line.date or now))
            for line, (query, match) in zip(lines, self.match(lines), strict=True)
        ]

    def query(self, line: InvoiceLine) -> Query:
        """What is matched for a line."""
        query = self.queries.query(
            line.name,
            spec=line.spec,
            unit=line.unit,
            brand=line.brand,
            manufacturer=line.manufacturer,
            seller=line.seller_industry,
            answer=line.answer,
            declared_code=line.declared_code,
            declared_short_name=line.declared_short_name,
        )
        if line.confirmed_code:
            known = settled(line.confirmed_code, line.confirmed_by)
            return replace(query, situation=known, supply=SINGLE)
        return query

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
        return [suggestion for _, suggestion in self.suggest_with_queries(lines)]

    def _suggestion(
        self, line: InvoiceLine, query: Query, match: Match, day: dt.date
    ) -> Suggestion:
        compiled = self.matcher.compiled
        candidates = self._candidates(match, day)
        warnings, said = line.warnings, ""
        if line.declared_rate:
            match, said, unread = self._by_rate(line, query, match, candidates, day)
            candidates = self._candidates(match, day)
            warnings += (unread,) if unread else ()
        top = candidates[0]
        tier = tier_of(
            match.probability,
            self.matcher.calibration,
            facts_of(query, match.signal, top.code),
        )
        asked = Offers(self._rates, self._short_name, self.matcher.in_force, day).ask(
            query,
            top.code,
            line.taxpayer,
            self._part_codes(line, query),
            confirmed=tier is Tier.MEDIUM,
        )
        if asked.questions and tier is Tier.STRONG:
            tier = Tier.MEDIUM
        weak = tier is Tier.WEAK
        if asked.unfit:
            unfit = ";".join(asked.unfit)[:40]
            warnings += (f"回答“{unfit}”不在选项中,请从选项中选择",)
        why = reasons(
            query,
            match,
            compiled.index.terms,
            self.kb.taxonomy[top.code].name,
            compiled.transformations,
        )
        basis = self._basis(line, query, match, top.code)
        return Suggestion(
            core=query.reading.core,
            code="" if weak else top.code,
            short_name="" if weak else top.short_name,
            tier=tier,
            confidence=match.probability,
            candidates=candidates,
            rates=asked.rates,
            basis=basis,
            hint=query.hint,
            questions=asked.questions,
            evidence=tuple(dict.fromkeys(filter(None, (basis, said, *asked.evidence, *why)))),
            warnings=warnings,
            model_version=self.model_version,
            kb_version=self.kb_version,
        )

    def _by_rate(
        self,
        line: InvoiceLine,
        query: Query,
        match: Match,
        candidates: Sequence[Candidate],
        day: dt.date,
    ) -> tuple[Match, str, str]:
        """The match with the declared rate weighed in; what it says; what could not be read.

        What people have settled stays as it is.
        """
        declared, unread = read_rate(line.declared_rate)
        if declared is None or not declared.known or line.confirmed_code:
            return match, "", unread
        if query.situation.answered:
            return match, "", ""
        evidence = RateEvidence(declared, self._rates, day, line.taxpayer)
        return *evidence.weighed(match, candidates), ""

    def _basis(self, line: InvoiceLine, query: Query, match: Match, code: str) -> str:
        """What has to be told with the answer: the ruling or the provisional mapping behind it."""
        if line.confirmed_code == code:
            return line.basis
        marked = self.kb.lexicon.provisional.get(code, ())
        return provisional(query, match, self.matcher.compiled.index.terms, marked)

    def _part_codes(self, line: InvoiceLine, query: Query) -> dict[str, str]:
        """The codes of the parts that an open supply would be coded by otherwise."""
        supply = query.supply
        if not supply.is_open:
            return {}
        parts = [part for part in dict.fromkeys(supply.parts) if part != supply.part]
        found = self._suggest([replace(line, name=part, answer="") for part in parts])
        return {p: one.candidates[0].code for p, one in zip(parts, found, strict=True)}

    def _candidates(self, match: Match, day: dt.date) -> tuple[Candidate, ...]:
        codes, taxonomy = self.matcher.compiled.index.codes, self.kb.taxonomy
        return tuple(
            Candidate(
                code := codes[place], self._short_name(code, day), taxonomy[code].name, confidence
            )
            for place, confidence in zip(
                match.places[:N_CANDIDATES], match.confidence[:N_CANDIDATES], strict=True
            )
        )


def _semantic(wanted: bool) -> SemanticRanker | None:
    """The embedding re-ranker where it is asked for; a clear error where it is not installed."""
    if not wanted:
        return None
    if not is_available():
        raise UnavailableError("语义重排需要安装扩展:pip install 'invoicer[semantic]'")
    return SemanticRanker()


def _as_line(line: InvoiceLine | str) -> InvoiceLine:
    return InvoiceLine.from_fields({"name": line}) if isinstance(line, str) else line
