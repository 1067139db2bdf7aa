"""The facts that a line lacks: each is asked for where its answer changes code or rate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from invoicer.suggestion import Option, Question
from knowledge_base.preferences import Preference
from knowledge_base.rate_advice import RateAdvice, RateKind, TaxpayerType, Treatment
from knowledge_base.scenarios import Scenario
from models.query import Query
from models.questions import Fact
from models.situation import OpenQuestion, answered

TAXPAYERS = {"一般纳税人": TaxpayerType.GENERAL, "小规模纳税人": TaxpayerType.SMALL}
WHICH_TAXPAYER = "开票方是一般纳税人还是小规模纳税人?"
WHICH_CASE = "该编码有两档税率,属于哪种情形?"
# How what no rate is printed for is declared.
_UNTAXED = {
    Treatment.EXEMPT: (RateKind.EXEMPT_POSSIBLE, Preference.EXEMPT),
    Treatment.NOT_TAXED: (RateKind.NOT_TAXED, Preference.NOT_TAXED),
    Treatment.ZERO: (RateKind.ZERO, Preference.EXPORT_ZERO),
}
ASSUMED = "未注明纳税人类型,按一般纳税人"


@dataclass(frozen=True, slots=True)
class Asked:
    """rates: of the first candidate, the one that applies first; questions: what is missing;
    evidence: what answers said; unfit: answers that fit no option."""

    rates: tuple[RateAdvice, ...]
    questions: tuple[Question, ...]
    evidence: tuple[str, ...] = ()
    unfit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offers:
    """What an answer leads to on a day.

    rates: every rate that can apply to (code, day, taxpayer type); short_name: of (code, day);
    in_force: whether the code table of the day has a code.
    """

    rates: Callable[[str, dt.date, TaxpayerType], tuple[RateAdvice, ...]]
    short_name: Callable[[str, dt.date], str]
    in_force: Callable[[str, dt.date], bool]
    day: dt.date

    def ask(
        self,
        query: Query,
        code: str,
        stated: TaxpayerType | None,
        part_codes: Mapping[str, str],
        confirmed: bool,
    ) -> Asked:
        """What is missing of a line whose first candidate is `code`, and the rates that apply.

        stated: the line's own taxpayer type. part_codes: codes of the parts of an open supply.
        confirmed: a person looks at the line anyway. The taxpayer type is asked for only together
        with something else, a rate's condition only where the code is settled: a plain line
        keeps the usual case, and its rate says which.
        """
        situation, supply, answers = query.situation, query.supply, query.answers
        said, choice = [], None
        taxpayer, number = stated, answers.number
        if stated is None:
            choice, answers = answers.take(tuple(TAXPAYERS))
            taxpayer = TAXPAYERS.get(choice or "")
            said += [answered(choice, WHICH_TAXPAYER)] if choice else []
        assumed = taxpayer or TaxpayerType.GENERAL
        found = [self._situation(asked, assumed) for asked in situation.questions]
        questions = [question for question in found if question.options]
        if supply.is_open:
            questions += self._supply(query, {**part_codes, supply.part: code}, assumed)
        elif supply.choice:
            said.append(answered(supply.choice, supply.question))
        rates = self.rates(code, self.day, assumed)
        if code == situation.decided:
            rates = self._by(situation.scenario, rates, assumed)
        cases = _cases(rates)
        case = _stated_case(cases, query.reading.normalised + situation.choice)
        open_case: list[Question] = []
        text = None
        if cases and case is None:
            case_number = answers.number
            text, answers = answers.take([each.condition for each in cases])
            case = next((each for each in cases if each.condition == text), None)
            if text is not None:
                said.append(answered(text, WHICH_CASE))
            elif self._settled(query, assumed) if questions else confirmed or answers.given:
                open_case.append(self._case(code, cases, case_number))
        if case is not None:
            rates = (case, *(each for each in rates if each is not case))
        if taxpayer is None:
            if questions or open_case:
                questions += self._taxpayer(code, number)
            rates = _as_assumed(rates)
        questions += open_case
        asks = questions or situation.answered or supply.choice or text
        unfit = answers.left if asks else ()
        return Asked(rates, tuple(questions), tuple(said), unfit)

    def _option(self, number: int, answer: str, code: str, rate: RateAdvice | None) -> Option:
        return Option(number, answer, code, self.short_name(code, self.day), rate)

    def _first(self, code: str, taxpayer: TaxpayerType) -> RateAdvice | None:
        return next(iter(self.rates(code, self.day, taxpayer)), None)

    def _situation(self, asked: OpenQuestion, taxpayer: TaxpayerType) -> Question:
        options = []
        for number, (text, code) in enumerate(asked.options.items(), asked.number):
            if not self.in_force(code, self.day):
                continue
            rates = self.rates(code, self.day, taxpayer)
            rates = self._by(asked.scenarios.get(text), rates, taxpayer)
            options.append(self._option(number, text, code, rates[0]))
        return Question(asked.fact, asked.text, tuple(options))

    def _by(
        self, row: Scenario | None, rates: tuple[RateAdvice, ...], taxpayer: TaxpayerType
    ) -> tuple[RateAdvice, ...]:
        """The rates with the one first that a scenario's row brings about.

        Rates and levies are the rate table's, which knows the day; an exemption or 不征税 that
        seller or buyer decide, and no code, is the row's own.
        """
        if row is None:
            return rates
        general = taxpayer is TaxpayerType.GENERAL
        wanted = row.rate_general if general else row.levy_small
        if wanted.treatment is Treatment.TAXED:
            return rates
        found = [each for each in rates if each.treatment is wanted.treatment][:1]
        if not found:
            kind, preference = _UNTAXED[wanted.treatment]
            found = [
                RateAdvice(
                    rate=wanted.rate,
                    treatment=wanted.treatment,
                    kind=kind,
                    condition=row.condition,
                    basis=row.note,
                    valid_from=self.day,
                    valid_to=None,
                    provisional=True,
                    preference=preference,
                )
            ]
        return (*found, *(each for each in rates if each is not found[0]))

    def _supply(
        self, query: Query, codes: Mapping[str, str], taxpayer: TaxpayerType
    ) -> list[Question]:
        """One supply or several: only where the parts pay different rates."""
        supply = query.supply
        rates = {part: self._first(code, taxpayer) for part, code in codes.items()}
        if len({(r.treatment, r.rate) for r in rates.values() if r is not None}) < 2:
            return []
        options = tuple(
            self._option(number, text, codes[part], rates[part])
            for number, (text, part) in enumerate(supply.options.items(), supply.number)
        )
        return [Question(Fact.SUPPLY, supply.question, options)]

    def _taxpayer(self, code: str, number: int) -> list[Question]:
        """Which taxpayer bills: only where it changes the rate."""
        firsts = [self._first(code, taxpayer) for taxpayer in TAXPAYERS.values()]
        if len({(r.treatment, r.rate) for r in firsts if r is not None}) < 2:
            return []
        options = tuple(
            self._option(n, text, code, rate)
            for n, (text, rate) in enumerate(zip(TAXPAYERS, firsts, strict=True), number)
        )
        return [Question(Fact.TAXPAYER, WHICH_TAXPAYER, options)]

    def _case(self, code: str, cases: Sequence[RateAdvice], number: int) -> Question:
        options = tuple(
            self._option(n, case.condition, code, case) for n, case in enumerate(cases, number)
        )
        return Question(Fact.RATE_CONDITION, WHICH_CASE, options)

    def _settled(self, query: Query, taxpayer: TaxpayerType) -> bool:
        """Whether every open answer leads to the same choice of rates."""
        if query.supply.is_open:
            return False
        codes = [c for asked in query.situation.questions for c in asked.options.values()]
        found = {
            tuple(case.condition for case in _cases(self.rates(code, self.day, taxpayer)))
            for code in codes
        }
        return len(found) == 1 and () not in found


def _cases(rates: Sequence[RateAdvice]) -> tuple[RateAdvice, ...]:
    """The rates of a code that has several, each with the condition that decides."""
    cases = tuple(a for a in rates if a.condition and a.kind is RateKind.STANDARD)
    return cases if len(cases) > 1 and len({a.rate for a in cases}) > 1 else ()


def _stated_case(cases: Sequence[RateAdvice], name: str) -> RateAdvice | None:
    """The case that a name states; the longest words win (酸牛奶 over 牛奶)."""
    lengths = [max((len(w) for w in case.stated if w in name), default=0) for case in cases]
    longest = max(lengths, default=0)
    return cases[lengths.index(longest)] if longest and lengths.count(longest) == 1 else None


def _as_assumed(rates: tuple[RateAdvice, ...]) -> tuple[RateAdvice, ...]:
    """The first rate says that it is the general taxpayer's."""
    if not rates or rates[0].treatment is Treatment.NOT_TAXED:
        return rates
    return (_assumed(rates[0]), *rates[1:])


@lru_cache(4096)  # few rates, many lines
def _assumed(rate: RateAdvice) -> RateAdvice:
    return replace(rate, condition=";".join(filter(None, (ASSUMED, rate.condition))))
