"""Judging a declared line: declared code, 简称 and rate are evidence beside the name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import orjson

from invoicer.assistant import N_CANDIDATES, Assistant
from invoicer.declared_rate import DeclaredRate, read_rate
from invoicer.line import InvoiceLine, today
from invoicer.recode.correction import correction_of
from invoicer.recode.declared import Declared, DeclaredCodes
from invoicer.recode.findings import Finding, Found, Severity
from invoicer.recode.misread import Misread
from invoicer.recode.questions import Answer, Periods, Question, line_of_question, pack
from invoicer.recode.rate_check import RateCheck, RateVerdict
from invoicer.recode.verdict import Verdict
from invoicer.suggestion import Tier
from invoicer.weighing import Weighed, weigh
from knowledge_base.rate_advice import TaxpayerType
from knowledge_base.rates import RateTable
from knowledge_base.taxonomy import TaxCode
from models.normalise import normalise
from models.query import Query
from models.supply import SINGLE

_shown = lru_cache(10_001)(repr)  # of a confidence: there are not more of four digits
# From here on a contradiction is called likely, else possible.
LIKELY = 0.8
CACHED = 10_000
RATES_CACHED = 40_000  # a few thousand codes, each at a few dates and rates


class Judge:
    """Weighs the evidence of a line and says what is wrong with it. Holds caches; not shared
    between threads."""

    def __init__(self, assistant: Assistant):
        self.assistant = assistant
        self.taxonomy = assistant.kb.taxonomy
        rates = RateTable.load(assistant.kb.root, self.taxonomy)
        self.code_periods = Periods.of_codes(self.taxonomy)
        self._periods = Periods(self.taxonomy.change_days() | rates.change_days())
        self._codes = DeclaredCodes(self.taxonomy)
        self._rates = RateCheck(rates, self.taxonomy)
        self._groups = {row.code: row.short_name for row in self.taxonomy}
        # Few codes ever change their 简称: those of the others need no date.
        names = ((code, self.taxonomy.short_names(code)) for code in self._groups)
        self._lasting = {code: next(iter(found)) for code, found in names if len(found) == 1}
        self._dated_name = lru_cache(CACHED)(self.taxonomy.short_name)
        self._names_ever = lru_cache(CACHED)(
            lambda code: frozenset(map(normalise, self.taxonomy.short_names(code)))
        )
        self._misread = Misread(assistant)
        self._check_rate = lru_cache(RATES_CACHED)(self._rates.judge)
        self._read_rate = lru_cache(CACHED)(read_rate)
        self._clean = lru_cache(CACHED)(lambda code, day: self._codes.read(code, day, ()))
        self._candidate = lru_cache(CACHED)(self._candidate_json)

    def period(self, day: dt.date | None) -> int:
        """The number of the code table's period that a question belongs to."""
        return self.code_periods.number(day or today())

    def bucket(self, day: dt.date | None) -> int:
        """Lines of one bucket are judged by the same tables."""
        return self._periods.number(day or today())

    def row_of(self, code: str) -> TaxCode | None:
        return self.taxonomy.get(code)

    def name_of(self, code: str) -> str:
        """The 简称 of a declared code; "" where the table does not know it."""
        return self._groups.get(code, "")

    def packed_answers(self, texts: Sequence[str]) -> list[bytes]:
        """The packed answers of questions, each given as its text."""
        lines = [line_of_question(text, self.code_periods) for text in texts]
        return [
            pack(suggestion, self._misreadable(line, query))
            for line, (query, suggestion) in zip(
                lines, self.assistant.suggest_with_queries(lines), strict=True
            )
        ]

    def _misreadable(self, line: InvoiceLine, query: Query) -> dict[str, str]:
        """The words of a line that it could be misread from (`Answer.words`); query: of the
        line."""
        if query.supply is SINGLE and not query.situation:
            return self._misread.words_of(query)
        return self._misread.words(line.name, line.brand)  # the seller may choose what is read

    def judge(
        self, question: Question, answer: Answer, line: InvoiceLine, fields: Mapping[str, str]
    ) -> Verdict:
        """The verdict on a line. fields: its texts as given, the declared code among them."""
        day = self._periods.day(self._periods.number(line.date or today()))
        rate, rate_warning = self._read_rate(fields.get("declared_rate", ""))
        declared = self._declared(fields.get("declared_code", ""), day, answer)
        printed = normalise(line.declared_short_name or question.printed)
        return self._decide(
            question, answer, declared, printed, rate, rate_warning, day, line.taxpayer
        )

    def settle(self, line: InvoiceLine, fields: Mapping[str, str], code: str) -> Verdict:
        """The verdict on a line whose code people have settled on."""
        settled = Answer(Tier.STRONG, 1.0, ((code, 1.0),), "", False)
        day = self._periods.day(self._periods.number(line.date or today()))
        rate, _ = self._read_rate(fields.get("declared_rate", ""))
        declared = self._declared(fields.get("declared_code", ""), day, settled)
        found = []
        if declared.row is not None and self._group(declared.row.code) != self._group(code):
            said = f"人工确认应为 {code} {self._short_name(code, day)}"
            found.append(Found.of(Finding.NAME_CONTRADICTS, said))
        verdict = self._verdict(settled, code, 1.0, declared, found, rate, day, line.taxpayer)
        return replace(verdict, tier=Tier.STRONG)  # a person may settle on a catch-all, too

    def _declared(self, text: str, day: dt.date, answer: Answer) -> Declared:
        clean = self._clean(text, day)
        return clean if clean.fault is None else self._codes.read(text, day, answer.codes)

    def _decide(
        self,
        question: Question,
        answer: Answer,
        declared: Declared,
        printed: str,
        rate: DeclaredRate | None,
        rate_warning: str,
        day: dt.date,
        taxpayer: TaxpayerType | None,
    ) -> Verdict:
        stated = declared.row.code if declared.row is not None and declared.usable else ""
        if not stated and declared.proposed:
            stated = declared.proposed[0]

        def fits_rate(code: str) -> bool | None:
            if rate is None or not rate.known:
                return None
            return self._check_rate(code, day, taxpayer, rate).possible

        def fits_printed(code: str) -> bool | None:
            return printed in self._names_ever(code) if printed else None

        weighed = weigh(answer.candidates, stated, self._group, fits_rate, fits_printed)
        chosen, probability = weighed.chosen, weighed.probability
        found: list[Found] = []
        if rate_warning:
            found.append(Found.of(Finding.RATE_IMPOSSIBLE, rate_warning, Severity.MEDIUM))
        keeps = stated and self._group(stated) == self._group(chosen)
        doubt = ""
        if stated and not keeps:
            several = fits_rate(stated) is False or (
                fits_printed(stated) is False and fits_printed(chosen) is True
            )
            brand = question.context[2] if question.context else ""
            words = answer.words
            if words is None:
                words = self._misread.words(question.name, brand)
            word = words.get(self._group(stated), "")
            several = several or (bool(word) and probability >= LIKELY)
            found.append(self._contradiction(answer, stated, weighed, several, word))
            if answer.tier is not Tier.STRONG and not several:
                doubt, chosen, probability = chosen, stated, 1.0 - probability
        elif keeps:
            found += self._finer(answer, stated)
        was = declared.row.code if declared.row is not None else ""
        if printed and (not was or declared.usable or printed not in self._names_ever(was)):
            found += self._short_name_faults(printed, stated or chosen, chosen, day)
        return self._verdict(
            answer, chosen, probability, declared, found, rate, day, taxpayer, doubt
        )

    def _dated(self, day: dt.date) -> Callable[[str], str]:
        """The 简称 of a code on a day."""
        return lambda code: self._short_name(code, day)

    def _short_name(self, code: str, day: dt.date) -> str:
        """The 简称 of a code on a day."""
        return self._lasting.get(code) or self._dated_name(code, day)

    def _group(self, code: str) -> str:
        return self._groups[code]

    def _contradiction(
        self, answer: Answer, stated: str, weighed: Weighed, several: bool, word: str
    ) -> Found:
        """several: more than the name speaks against the declared code; word: what was misread."""
        row, other = self.taxonomy[stated], self.taxonomy[weighed.chosen]
        sure = weighed.probability >= LIKELY and (answer.tier is Tier.STRONG or several)
        how = "很可能" if sure else "可能"
        percent = round(weighed.probability * 100)
        severity = Severity.HIGH if sure else Severity.MEDIUM
        if word:
            said = f"{word}被当成商品({row.short_name}),实际商品{how}属于{other.short_name}"
            return Found.of(Finding.MISREAD_WORD, f"{said}(把握 {percent}%)", severity)
        said = f"原编码为{row.short_name}({row.name}),品名{how}属于{other.short_name}"
        return Found.of(Finding.NAME_CONTRADICTS, f"{said}({other.name},把握 {percent}%)", severity)

    def _finer(self, answer: Answer, stated: str) -> list[Found]:
        """A catch-all where the name says which of its siblings it is."""
        row = self.taxonomy[stated]
        best = self.taxonomy[answer.candidates[0][0]]
        if not row.is_catch_all or best.is_catch_all or best.code == stated:
            return []
        if answer.tier is Tier.WEAK or best.short_name != row.short_name:
            return []
        said = f"{row.name}是兜底编码,品名可归入 {best.code} {best.name}"
        return [Found.of(Finding.CATCH_ALL, said)]

    def _short_name_faults(self, printed: str, code: str, chosen: str, day: dt.date) -> list[Found]:
        right = self._short_name(code, day)
        if printed == normalise(right):
            return []
        if printed in self._names_ever(code):
            said = f"“{printed}”不是开票当日的简称,当日为“{right}”"
            return [Found.of(Finding.SHORT_NAME_OUTDATED, said)]
        said = f"票面简称“{printed}”,编码 {code} 的简称是“{right}”"
        fits = printed in self._names_ever(chosen)
        return [Found.of(Finding.SHORT_NAME_MISMATCH, said, Severity.LOW if fits else None)]

    def _verdict(
        self,
        answer: Answer,
        chosen: str,
        probability: float,
        declared: Declared,
        found: list[Found],
        rate: DeclaredRate | None,
        day: dt.date,
        taxpayer: TaxpayerType | None,
        doubt: str = "",
    ) -> Verdict:
        """Put together: tier, rate faults, correction. doubt: what else it may be."""
        if declared.fault is not None:
            found = [declared.fault, *found]
        kept = declared.row is not None and declared.usable and declared.row.code == chosen
        tier = self._tier(answer, probability, kept, chosen)
        checked = self._check_rate(chosen, day, taxpayer, rate)
        if fault := self._rate_fault(chosen, declared, checked, day, taxpayer, rate):
            found.append(fault)
        right = checked.right
        if doubt:
            right = tuple(
                dict.fromkeys((*right, *self._check_rate(doubt, day, taxpayer, rate).right))
            )
        shown = chosen if kept or tier is not Tier.WEAK else ""
        correction = correction_of(declared, shown, doubt, checked, found, self._dated(day))
        value, treatment = None, None
        if shown and rate is not None and rate.known and checked.possible:
            value, treatment = rate.rate, rate.treatment
        elif shown and checked.first is not None:
            value, treatment = checked.first.rate, checked.first.treatment
        return Verdict(
            first=chosen,
            code=shown,
            short_name=self._short_name(shown, day) if shown else "",
            rate=value,
            treatment=treatment,
            tier=tier,
            confidence=probability,
            candidates=self._candidates(answer, chosen, probability, day),
            findings=tuple(sorted(found, key=lambda f: -f.severity)),
            correction=correction,
            right=right if shown else (),
            declared_rate=rate.value if rate is not None else None,
            preference=checked.preference,
        )  # fmt: skip

    def _tier(self, answer: Answer, probability: float, kept: bool, chosen: str) -> Tier:
        calibration = self.assistant.matcher.calibration
        if answer.tier is Tier.WEAK or probability < calibration.weak:
            return Tier.WEAK
        settled = kept or not (answer.is_open or self.taxonomy[chosen].is_catch_all)
        agrees = answer.tier is Tier.STRONG or kept
        strong = probability >= calibration.strong and settled and agrees
        return Tier.STRONG if strong else Tier.MEDIUM

    def _rate_fault(
        self,
        chosen: str,
        declared: Declared,
        checked: RateVerdict,
        day: dt.date,
        taxpayer: TaxpayerType | None,
        rate: DeclaredRate | None,
    ) -> Found | None:
        """The fault of the rate for the declared code, else for the right one."""
        if declared.usable and declared.row is not None and declared.row.code != chosen:
            own = self._check_rate(declared.row.code, day, taxpayer, rate)
            return own.found or checked.found
        return checked.found

    def _candidates(
        self, answer: Answer, chosen: str, probability: float, day: dt.date
    ) -> str:
        """The decided code first, then the name's own candidates, as JSON."""
        shown = [(chosen, round(probability, 4))]
        shown += [one for one in answer.candidates if one[0] != chosen]
        texts = [
            f"{self._candidate(code, self._short_name(code, day))}{_shown(confidence)}}}"
            for code, confidence in shown[:N_CANDIDATES]
        ]
        return f"[{','.join(texts)}]"

    def _candidate_json(self, code: str, short_name: str) -> str:
        """A candidate up to its confidence."""
        known = {"code": code, "short_name": short_name, "name": self.taxonomy[code].name}
        return f'{orjson.dumps(known).decode()[:-1]},"confidence":'
