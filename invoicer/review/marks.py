"""A name as it was written, its stretches marked with what the reading says of them."""

from __future__ import annotations

from dataclasses import dataclass

from models.normalise import normalise
from models.reading import Reading
from models.roles import KEPT_ROLES

SIZE, MODEL, DECLARED = "size", "model", "declared"


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of the written name. role: as in a reading, size, model, declared, or "" where
    nothing is known of it; core: it names the thing."""

    text: str
    role: str
    core: bool


def marks(name: str, reading: Reading) -> list[Mark]:
    """The whole name in stretches, in order; joined they are the name again."""
    folded, origin = _folded(name)
    roles: list[tuple[str, bool]] = [("", False)] * len(name)
    taken = [False] * len(folded)

    def mark(word: str, role: str, core: bool, start: int = 0) -> int:
        """Mark the first free place of a word; where it ends, or `start` if there is none."""
        at = folded.find(word, start) if word else -1
        while at >= 0 and any(taken[at : at + len(word)]):
            at = folded.find(word, at + 1)
        if at < 0:
            return start
        for place in range(at, at + len(word)):
            taken[place] = True
            roles[origin[place]] = (role, core)
        return at + len(word)

    if reading.declared_short_name:
        mark(f"*{reading.declared_short_name}*", DECLARED, False)
    for role, words in ((SIZE, reading.sizes), (MODEL, reading.models)):
        for word in words:
            mark(word, role, False)
    place = 0
    for word, role, in_core in reading.tokens:
        core = role == "core" or (in_core and role in KEPT_ROLES)
        place = mark(word, role, core, place)
    return _joined(name, roles)


def _folded(name: str) -> tuple[str, list[int]]:
    """The name as it is compared, and for each of its characters the place it was written at.

    Characters are looked at one by one, so a form that only a whole word takes goes unmarked.
    """
    text: list[str] = []
    origin: list[int] = []
    for place, char in enumerate(name):
        for part in normalise(char) or " ":
            text.append(part)
            origin.append(place)
    return "".join(text), origin


def _joined(name: str, roles: list[tuple[str, bool]]) -> list[Mark]:
    """Neighbours with the same role as one stretch."""
    found: list[Mark] = []
    for char, (role, core) in zip(name, roles, strict=True):
        if found and (found[-1].role, found[-1].core) == (role, core):
            found[-1] = Mark(found[-1].text + char, role, core)
        else:
            found.append(Mark(char, role, core))
    return found
