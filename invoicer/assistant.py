"""The assistant: invoice lines in, suggestions out."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import overload

from invoicer.errors import UnavailableError
from invoicer.evidence import reasons
from invoicer.learning.versions import ModelStore
from invoicer.line import InvoiceLine, today
from invoicer.settings import Settings
from invoicer.suggestion import Candidate, Option, Suggestion, Tier
from invoicer.tiers import facts_of, tier_of
from knowledge_base import KnowledgeBase
from knowledge_base.rates import RateAdvice, RateTable, TaxpayerType
from models.bundle import BundleError, load_or_compile
from models.compiled import Compiled
from models.learned import Learned
from models.matcher import Match, Matcher
from models.mixed import split_supply
from models.query import Query, QueryMaker
from models.reading_many import Progress
from models.semantic import SemanticRanker, is_available
from models.situation import Situations, settled
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
    def load(cls, settings: Settings | None = None, progress: Progress | None = None) -> Assistant:
        """The assistant of this installation; compiles its bundle on first use."""
        settings = settings or Settings()
        engine = settings.engine or available_engine()
        models = ModelStore(settings.models_dir)
        version = models.current()
        learned = models.load(version)
        kb = settings.knowledge_base(models.supplement(version))
        try:
            compiled = load_or_compile(kb, engine, settings.bundles_dir, progress)
        except BundleError as error:
            raise UnavailableError(str(error)) from error
        return cls.assemble(kb, compiled, learned, engine, _semantic(settings.semantic))

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
        queries = QueryMaker(compiled.words.reader(engine), Situations.load(kb))
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
            return replace(query, situation=settled(line.confirmed_code, line.confirmed_by))
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
        situation = query.situation
        taxpayer = line.taxpayer or TaxpayerType.GENERAL
        parts = split_supply(query.reading, compiled.words.names.__contains__)
        tier = tier_of(
            match.probability,
            self.matcher.calibration,
            facts_of(query, match.signal, top.code, bool(parts)),
        )
        weak = tier is Tier.WEAK
        prompts = [query.reading.prompt, situation.question]
        if not situation.is_open:
            prompts.append(self._mixed_prompt(parts, line))
        warnings = line.warnings
        if situation.unknown_answer:
            warnings += (f"回答“{line.answer[:40]}”不在选项中,请从选项中选择",)
        return Suggestion(
            core=query.reading.core,
            code="" if weak else top.code,
            short_name="" if weak else top.short_name,
            tier=tier,
            confidence=match.probability,
            candidates=candidates,
            rates=self._rates(top.code, day, taxpayer),
            prompt=";".join(text for text in prompts if text),
            question=situation.question,
            options=tuple(
                self._option(answer, code, day, taxpayer)
                for answer, code in situation.options.items()
                if situation.is_open
            ),
            evidence=reasons(
                query,
                match,
                compiled.index.terms,
                self.kb.taxonomy[top.code].name,
                compiled.transformations,
            ),
            warnings=warnings,
            model_version=self.model_version,
            kb_version=self.kb_version,
        )

    def _option(self, answer: str, code: str, day: dt.date, taxpayer: TaxpayerType) -> Option:
        rates = self._rates(code, day, taxpayer)
        name = self._short_name(code, day)
        return Option(answer, code, name, rates[0] if rates else None)

    def _mixed_prompt(self, parts: Sequence[str], line: InvoiceLine) -> str:
        """What to settle where one name holds several supplies at different rates."""
        if not parts:
            return ""
        each = self._suggest([replace(line, name=part, answer="") for part in parts])
        if len({one.rates[0].rate for one in each if one.rates}) < 2:
            return ""
        named = "、".join(parts)
        return f"名称含{named},请确认是分别核算(兼营,分行开票)还是一项混合销售(按主业开票)"

    def _candidate(self, code: str, confidence: float, day: dt.date) -> Candidate:
        taxonomy = self.kb.taxonomy
        return Candidate(code, self._short_name(code, day), taxonomy[code].name, confidence)


def _semantic(wanted: bool) -> SemanticRanker | None:
    """The embedding re-ranker where it is asked for; a clear error where it is not installed."""
    if not wanted:
        return None
    if not is_available():
        raise UnavailableError("语义重排需要安装扩展:pip install 'invoicer[semantic]'")
    return SemanticRanker()


def _as_line(line: InvoiceLine | str) -> InvoiceLine:
    return InvoiceLine.from_fields({"name": line}) if isinstance(line, str) else line
