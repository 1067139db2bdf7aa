"""What a ruling is about: a name, and where it matters its specification and unit."""

from __future__ import annotations

from dataclasses import dataclass

from invoicer.line import InvoiceLine
from models.reading import split_declared
from models.words import name_key


def subject_key(name: str) -> str:
    """The form in which names are the same subject: without a printed 简称, width, case, space."""
    return name_key(split_declared(name)[1])


@dataclass(frozen=True, slots=True)
class Subject:
    """A name with its specification and unit; empty where any will do."""

    name: str
    spec: str = ""
    unit: str = ""

    @property
    def key(self) -> str:
        return subject_key(self.name)

    @property
    def title(self) -> str:
        """As people write it: 柚子味鱼排(200g,袋)."""
        facts = ",".join(filter(None, (self.spec, self.unit)))
        return f"{self.name}({facts})" if facts else self.name

    @property
    def detail(self) -> int:
        """How much it asks for: the more, the closer it is to the line it fits."""
        return 2 * bool(self.spec) + bool(self.unit)

    def fits(self, line: InvoiceLine) -> bool:
        """Whether a line of the same name also has the specification and unit."""
        return all(
            not wanted or name_key(wanted) == name_key(given)
            for wanted, given in ((self.spec, line.spec), (self.unit, line.unit))
        )
