"""What comes along with the goods: 颈枕 附收纳袋, 电动牙刷(赠牙膏), 电子秤 含电池."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Set

from models.roles import MAX_WORD, ends_named

_UNIT = "个只条片支枚节粒颗包瓶盒袋套件张把双对副份根块卷本台"
_COUNT = re.compile(rf"(?:\d{{1,3}}|[一二两三四五六七八九十]{{1,2}}|若干)[{_UNIT}]?")
MAX_BEFORE = 200  # characters before an extra in which the goods are looked for
_BREAKS = " ()[],;/+&:"


class Extras:
    """Takes them out of a normalised name.

    words: what an extra begins with → its place: `gift` before anything, `along` before a known
    name; names: every known name, which no extra begins with (带鱼, 含乳饮料); descriptors:
    likewise (带皮).
    """

    def __init__(
        self, words: Mapping[str, str], names: Set[str], descriptors: Container[str] = ()
    ):
        self._names = names
        self._descriptors = descriptors
        self._gifts = frozenset(word for word, place in words.items() if place == "gift")
        starts = [word for word, place in words.items() if place in ("gift", "along")]
        starts.sort(key=len, reverse=True)
        self._firsts = frozenset(word[0] for word in starts)
        breaks = re.escape(_BREAKS)
        self._parts = re.compile(f"[{breaks}]+")
        self._part = re.compile(rf"(?<=[{breaks}])({'|'.join(starts)})([^{breaks}]{{2,}})")

    def strip(self, text: str) -> tuple[str, tuple[str, ...]]:
        """(the text without extras, the extras)."""
        if self._firsts.isdisjoint(text):
            return text, ()
        found: list[str] = []

        def take(match: re.Match[str]) -> str:
            if not self._is_extra(match[1], match[2], text[: match.start()]):
                return match[0]
            found.append(match[0])
            return " "

        rest = self._part.sub(take, text)
        return (" ".join(rest.split()), tuple(found)) if found else (text, ())

    def _is_extra(self, word: str, what: str, before: str) -> bool:
        """Whether this is no name of its own, and something is named before it."""
        part = word + what
        begun = [part[:end] for end in range(len(word) + 1, min(len(part), MAX_WORD) + 1)]
        if any(text in self._names or text in self._descriptors for text in begun):
            return False
        if not any(char.isalpha() for char in before):
            return False
        if word in self._gifts or _COUNT.sub("", what, count=1) in self._names:
            return True
        near = self._parts.split(before[-MAX_BEFORE:])
        return ends_named(what, self._names) and any(ends_named(n, self._names) for n in near)
