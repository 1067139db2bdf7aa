"""The situation of a line: what rules and answers decide, and which one fact is missing.

Two sources: scenarios (phrase × seller industry × condition) and ambiguous everyday names. An
answer given with the line settles the question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from knowledge_base import KnowledgeBase
from knowledge_base.lexicon import Ambiguous
from knowledge_base.scenarios import ScenarioTable
from models.normalise import normalise
from models.reading import Reading
from models.words import name_key

DECIDED, OPTION, DEFAULT = 1.0, 0.3, 0.5


@dataclass(frozen=True, slots=True)
class Situation:
    """support: code → how strongly the rules speak for it; decided: the code they settle on, or
    ""; question, options: the open question, answer → code; evidence: reason in Chinese;
    answered: a person's answer settled it; unknown_answer: the given answer fits no option."""

    support: Mapping[str, float] = field(default_factory=dict)
    decided: str = ""
    question: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    evidence: str = ""
    answered: bool = False
    unknown_answer: bool = False

    @property
    def is_open(self) -> bool:
        """A question that nobody has answered."""
        return bool(self.question)


NOTHING = Situation()


def settled(code: str, evidence: str) -> Situation:
    """The situation of a line about which people have decided."""
    return Situation({code: DECIDED}, code, evidence=evidence, answered=True)


class Situations:
    """Finds the situation of a line from its reading, its seller and an answer."""

    def __init__(self, scenarios: ScenarioTable, ambiguous: Mapping[str, Ambiguous]):
        self._scenarios = scenarios
        self._ambiguous = {name_key(term): row for term, row in ambiguous.items()}

    @classmethod
    def load(cls, kb: KnowledgeBase) -> Situations:
        return cls(ScenarioTable.load(kb.root), kb.lexicon.ambiguous)

    def find(self, reading: Reading, seller: str = "", answer: str = "") -> Situation:
        """The scenario's situation where one fits, else that of an ambiguous name.

        A scenario that only assumes the usual case leaves an ambiguous name's question open; one
        that the seller or the name itself decides does not.
        """
        row = self._question_of(reading)
        hit = self._scenarios.find(reading.core, reading.clean, seller)
        if hit is not None and hit.decided is not None:
            if row is None or seller:
                decided = hit.decided
                return Situation({decided.code: DECIDED}, decided.code, evidence=decided.evidence)
            return _asked(row.question, row.options, hit.decided.code, answer)
        if hit is not None:
            options = {text: option.code for text, option in hit.options.items()}
            return _asked(hit.question, options, "", answer)
        if row is not None:
            return _asked(row.question, row.options, row.default_code, answer)
        return NOTHING

    def _question_of(self, reading: Reading) -> Ambiguous | None:
        """The row of an ambiguous name, as typed or after reading."""
        for text in (reading.normalised, reading.core, reading.clean):
            if (row := self._ambiguous.get(text.replace(" ", ""))) is not None:
                return row
        return None


def _asked(question: str, options: Mapping[str, str], default: str, answer: str) -> Situation:
    """An open question, or what its answer (an option's text or its number) decides."""
    support = dict.fromkeys(options.values(), OPTION)
    if default:
        support[default] = DEFAULT
    if not answer:
        return Situation(support, question=question, options=options)
    code = _chosen(options, answer)
    if code is None:
        return Situation(support, question=question, options=options, unknown_answer=True)
    evidence = f"已回答“{answer}”({question})"
    return settled(code, evidence)


def _chosen(options: Mapping[str, str], answer: str) -> str | None:
    wanted = normalise(answer)
    for number, (text, code) in enumerate(options.items(), 1):
        if wanted in {normalise(text), str(number)}:
            return code
    return None
