"""The situation of a line: what rules and answers decide, and which facts are missing.

Three sources: scenarios (phrase × seller industry × condition), ambiguous everyday names, and names
of categories. An answer given with the line settles its question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from knowledge_base import KnowledgeBase
from knowledge_base.lexicon import Ambiguous
from knowledge_base.scenarios import Scenario, ScenarioTable
from models.categories import Category
from models.questions import Answers, Fact
from models.reading import Reading
from models.words import name_key

DECIDED, OPTION, DEFAULT = 1.0, 0.3, 0.5
MAX_OPTIONS = 12  # of a category, for a question


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A fact that nobody has stated. options: answer → code; number: that of the first option;
    scenarios: answer → the row that it makes apply."""

    fact: Fact
    text: str
    options: Mapping[str, str]
    number: int = 1
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Situation:
    """support: code → how strongly the rules speak for it; decided: the code they settle on, or
    ""; questions: what is still to be asked; evidence: reason in Chinese; choice: the option of a
    person's answer that settled it; scenario: the row that the answer makes apply; category: whose
    name the line bears, while it is open."""

    support: Mapping[str, float] = field(default_factory=dict)
    decided: str = ""
    questions: tuple[OpenQuestion, ...] = ()
    evidence: str = ""
    choice: str = ""
    scenario: Scenario | None = None
    category: Category | None = None

    @property
    def answered(self) -> bool:
        """A person's answer settled it."""
        return bool(self.choice)

    @property
    def is_open(self) -> bool:
        """Something that nobody has said decides, whether a question can hold it or not."""
        return bool(self.questions) or self.category is not None

    @property
    def is_vague(self) -> bool:
        """A category of more codes than a question can hold."""
        return self.category is not None and not self.questions

    def leaning_to(self, code: str) -> Situation:
        """The same with one of the options taken for the usual one."""
        if code not in self.support:
            return self
        return replace(self, support={**self.support, code: DEFAULT})

    def __bool__(self) -> bool:
        """Whether any rule speaks of the line."""
        return bool(self.support)


NOTHING = Situation()


def settled(code: str, evidence: str) -> Situation:
    """The situation of a line about which people have decided."""
    return Situation({code: DECIDED}, code, evidence=evidence, choice="人工确认")


class Situations:
    """Finds the situation of a line from its reading, its seller and the answers.

    dues: ambiguous names that ask as well where they end another name.
    """

    def __init__(
        self,
        scenarios: ScenarioTable,
        ambiguous: Mapping[str, Ambiguous],
        categories: Mapping[str, Category],
        dues: tuple[str, ...] = (),
    ):
        self._scenarios = scenarios
        self._dues = dues
        self._ambiguous = {name_key(term): row for term, row in ambiguous.items()}
        self._categories = categories

    @classmethod
    def load(cls, kb: KnowledgeBase, categories: Mapping[str, Category]) -> Situations:
        dues = tuple(word for word, kind in kb.lexicon.positions.items() if kind == "due")
        return cls(ScenarioTable.load(kb.root), kb.lexicon.ambiguous, categories, dues)

    def is_category(self, reading: Reading) -> bool:
        """Whether a name as it stands is that of a category."""
        return reading.normalised.replace(" ", "") in self._categories

    def find(self, reading: Reading, seller: str, answers: Answers) -> tuple[Situation, Answers]:
        """The situation of a name, and the answers that are left for other questions.

        A scenario that only assumes the usual case leaves an ambiguous name's question open; one
        that the seller or the name itself decides does not. Where both ask, see `_both`.
        """
        row = self._question_of(reading)
        hit = self._scenarios.find(reading.core, reading.clean, seller)
        product = OpenQuestion(Fact.PRODUCT, row.question, row.options) if row else None
        if hit is not None and hit.decided is not None:
            decided = hit.decided
            if product is None or seller:
                support = {decided.code: DECIDED}
                return Situation(support, decided.code, evidence=decided.evidence), answers
            return _asked(product, decided.code, answers)
        if hit is not None:
            options = {text: option.code for text, option in hit.options.items()}
            scenario = OpenQuestion(Fact.SCENARIO, hit.question, options, scenarios=hit.options)
            if row is None or product is None:
                return _asked(scenario, "", answers)
            return _both(product, row.default_code, scenario, answers)
        if row is not None and product is not None:
            return _asked(product, row.default_code, answers)
        category = self._category_of(reading)
        return _in_category(category, answers) if category else (NOTHING, answers)

    def _question_of(self, reading: Reading) -> Ambiguous | None:
        """The row of an ambiguous name, as typed or after reading."""
        texts = [reading.normalised]
        if not self.is_category(reading):  # 水果、坚果加工品 asks for more than 水果
            texts += [reading.core, reading.clean]
        # What falls due beside a supply is asked about whatever the supply (电梯安装 违约金).
        texts += [due for due in self._dues if reading.normalised.endswith(due)]
        keys = (text.replace(" ", "") for text in texts)
        return next((self._ambiguous[key] for key in keys if key in self._ambiguous), None)

    def _category_of(self, reading: Reading) -> Category | None:
        """The category that a name is no more than."""
        texts = [reading.normalised, reading.clean]
        if not any(role == "side" for _, role, _ in reading.tokens):
            texts.append(reading.core)
        keys = (text.replace(" ", "") for text in texts)
        return next((self._categories[key] for key in keys if key in self._categories), None)


def _in_category(category: Category, answers: Answers) -> tuple[Situation, Answers]:
    """The only code of a category; which of a few, as a question; else all of them."""
    codes = list(category.options.values())
    if len(codes) == 1:
        evidence = f"“{category.name}”这一类只有一个编码"
        return Situation({codes[0]: DECIDED}, codes[0], evidence=evidence), answers
    if len(codes) <= MAX_OPTIONS:
        text = f"“{category.name}”是一类的名称,具体是哪一种?"
        found, left = _asked(OpenQuestion(Fact.PRODUCT, text, category.options), "", answers)
        return found if found.answered else replace(found, category=category), left
    return Situation(dict.fromkeys(codes, OPTION), category=category), answers


def _both(
    product: OpenQuestion, default: str, scenario: OpenQuestion, answers: Answers
) -> tuple[Situation, Answers]:
    """A name that is ambiguous and whose scenario lacks a condition.

    Where the two lead to the same codes they ask for one fact, and the scenario's words are the
    law's: it is asked, with whatever else the name can mean. Otherwise the name comes first, and
    the condition is asked for only once it is known to matter.
    """
    codes = set(scenario.options.values())
    others = {text: code for text, code in product.options.items() if code not in codes}
    if len(codes & set(product.options.values())) > 1:
        return _asked(replace(scenario, options={**scenario.options, **others}), "", answers)
    first, left = _asked(product, default, answers)
    then, after = _asked(scenario, first.decided, left)
    if then.answered and (first.is_open or first.decided in codes):
        return then, after
    if first.decided in codes:
        return replace(then, evidence=first.evidence), after
    return first, replace(left, number=after.number)  # its numbers stay the condition's own


def _asked(question: OpenQuestion, default: str, answers: Answers) -> tuple[Situation, Answers]:
    """An open question, or what its answer decides."""
    option, left = answers.take(tuple(question.options))
    if option is not None:
        code = question.options[option]
        evidence = answered(option, question.text)
        row = question.scenarios.get(option)
        return Situation({code: DECIDED}, code, (), evidence, option, row), left
    support = dict.fromkeys(question.options.values(), OPTION)
    if default:
        support[default] = DEFAULT
    return Situation(support, questions=(replace(question, number=answers.number),)), left


def answered(option: str, question: str) -> str:
    """The reason that an answer is."""
    return f"已回答“{option}”({question})"
