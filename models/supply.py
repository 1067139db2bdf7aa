"""Which of several supplies in one name a line is coded by, and the question they raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from knowledge_base.industries import industries_of
from models.mixed import is_work
from models.questions import Answers

SPLIT = "分行开票"


@dataclass(frozen=True, slots=True)
class Supply:
    """parts: the supplies that a name holds, none for a single one; part: the one that the line
    is coded by; choice: the option a person chose, "" while it is open; number: that of the
    question's first option."""

    parts: tuple[str, ...] = ()
    part: str = ""
    choice: str = ""
    number: int = 1

    @property
    def is_open(self) -> bool:
        """Several supplies, and nobody has said how they are billed."""
        return bool(self.parts) and not self.choice

    @property
    def question(self) -> str:
        named = "、".join(self.parts)
        return f"名称含{named},请确认是分别核算(兼营,分行开票)还是一项混合销售(按主业开票)"

    @property
    def options(self) -> Mapping[str, str]:
        """Option → the part that the line is coded by."""
        mixed = {f"混合销售按{part}开票": part for part in self.parts}
        return {**mixed, SPLIT: self.part}


SINGLE = Supply()


def supply_of(parts: tuple[str, ...], seller: str, answers: Answers) -> tuple[Supply, Answers]:
    """The supply of a name with these parts, and the answers that are left."""
    supply = Supply(parts, principal(parts, seller), number=answers.number)
    choice, left = answers.take(tuple(supply.options))
    if choice is None:
        return supply, left
    return Supply(parts, supply.options[choice], choice, supply.number), left


def principal(parts: tuple[str, ...], seller: str) -> str:
    """The main business: what is sold before the work done on it, unless the seller is known to
    provide services; of several of a kind the one named first."""
    wanted = bool(seller) and industries_of(seller).provides_services
    return next((part for part in parts if is_work(part) == wanted), parts[0])
