"""Charges and work that stand apart from what they are for: 空调 维修, 钢材-运费, 电梯(检测)."""

from __future__ import annotations

import re
from collections.abc import Set

from models.roles import ends_named
from models.segments import stretches

CHARGES = ("费", "费用", "租金")
MAX_BEFORE = 50  # characters before work in which its object is looked for
_APART = re.compile(r"(?<=[\u4e00-\u9fff)\]])(?:[\s\-—–]*[(\[【]\s*|[\s\-—–]+)(?=[\u4e00-\u9fff])")
_WORD = re.compile(r"([\u4e00-\u9fff]+)\s*[)\]】]?(?=\s|$)")


class Works:
    """Joins them with it, so that the work is what is sold.

    names: every known name; endings: of charges and work.
    """

    def __init__(self, names: Set[str], endings: tuple[str, ...]):
        self._names = names
        self._endings = endings
        either = "|".join(map(re.escape, endings)) or "(?!)"
        self._work = re.compile(f"(?:{either})+")  # 维护保养服务

    def join(self, text: str) -> str:
        """The text with every work that is a name by itself, or nothing but work, right behind
        known goods."""
        place = 0
        while match := _APART.search(text, place):
            place = match.end()
            word = _WORD.match(text, place)
            if word is None or not self._is_work(word[1]):
                continue
            before = stretches(text[max(0, match.start() - MAX_BEFORE) : match.start()])
            if before and self._is_object(before[-1]):
                rest = text[word.end() :].lstrip()
                text = f"{text[: match.start()]}{word[1]} {rest}".rstrip()
                place = match.start()
        return text

    def _is_object(self, text: str) -> bool:
        """Whether something known is named that is no work itself."""
        return not text.endswith(self._endings) and ends_named(text, self._names)

    def _is_work(self, word: str) -> bool:
        """Whether a known work, a charge for one, or nothing but work is named: no 免费安装."""
        if word.endswith(CHARGES):
            return ends_named(word, self._names)
        named = word in self._names and word.endswith(self._endings)
        return named or self._work.fullmatch(word) is not None
