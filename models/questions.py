"""The facts a line can lack, and the answers a person gives to them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.normalise import normalise

_BETWEEN = re.compile(r"[;；、\r\n]+")


class Fact(StrEnum):
    """What a question asks for: which of several goods a name means; a scenario's condition; one
    supply or several; the taxpayer type; the condition of one of a code's two rates."""

    PRODUCT = "product"
    SCENARIO = "scenario"
    SUPPLY = "supply"
    TAXPAYER = "taxpayer"
    RATE_CONDITION = "rate_condition"


@dataclass(frozen=True, slots=True)
class Answers:
    """A person's answers to the questions of one line, in any order: an option's text or number.

    Numbers count on from question to question, so that one number means one option.
    left: answers that no question has taken yet, each as it is compared; number: the number of
    the next question's first option; given: some question has found its answer.
    """

    left: tuple[str, ...] = ()
    number: int = 1
    given: bool = False

    @classmethod
    def of(cls, text: str) -> Answers:
        """Answers written one after another with ; ； 、 or line breaks between them."""
        return cls(_parts(text)) if text else NO_ANSWERS

    def take(self, options: Sequence[str]) -> tuple[str | None, Answers]:
        """The option that is answered, None without one, and the answers for other questions."""
        number = self.number + len(options)
        if not self.left:
            return None, Answers((), number, self.given)
        texts = [(_parts(option), option) for option in options]
        texts.sort(key=lambda pair: -len(pair[0]))
        texts += [((str(self.number + i),), option) for i, option in enumerate(options)]
        for parts, option in texts:
            for at in range(len(self.left) - len(parts) + 1):
                if self.left[at : at + len(parts)] == parts:
                    rest = self.left[:at] + self.left[at + len(parts) :]
                    return option, Answers(rest, number, True)
        return None, Answers(self.left, number, self.given)


NO_ANSWERS = Answers()


def _parts(text: str) -> tuple[str, ...]:
    """A text cut at what stands between answers: an option may hold 、 itself."""
    return tuple(part for piece in _BETWEEN.split(text) if (part := normalise(piece)))
