"""What a line says of the bill, not of the goods: months, stages of payment, references, buyers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set

from models.roles import MAX_WORD

_YEAR = r"(?:(?:20)?\d{2}年度?的?)?"
_NUMBER = "[一二三四五六七八九十]{1,2}"
_PERIOD = re.compile(
    rf"{_YEAR}(?:第?[一二三四1-4]季度|[上下]半年|(?:\d{{1,2}}|{_NUMBER})月份|[本当上]月份?|本[季年]度)的?"
)
_REFERENCE = re.compile(
    r"(?:合同|订单|工单|运单|批次|流水|协议|采购单|发票|车牌|设备|序列|单据)(?:编?号码?|编码)[:：]?\s*"
    r"[a-z0-9\u4e00-\u9fff]?[a-z0-9][a-z0-9\-_/]{2,}"
)
_COMPANY = re.compile(r"^[\u4e00-\u9fff()]{2,24}?有限(?:责任)?公司(?:[^\u4e00-\u9fff]*)(?=.{2})")
_EDGES = " ()[],;:/-"


class Remarks:
    """Takes remarks out of a normalised name.

    words: remark → its place: `front` of the name, `behind` it, or a `note` by itself, behind or in
    brackets; names: every known name, which no remark is part of (建筑服务预收款).
    """

    def __init__(self, words: Mapping[str, str], names: Set[str]):
        self._names = names
        self._front = re.compile(rf"^{_any_of(words, 'front')}")
        self._behind = re.compile(rf"(?<=.){_any_of(words, 'behind')}$")
        self._note = re.compile(rf"[ (\[,;:/-]+{_any_of(words, 'note')}[ )\]]*$")

    def strip(self, text: str) -> tuple[str, tuple[str, ...]]:
        """(the text without remarks, the remarks); as it is where nothing else would be left."""
        if text.replace(" ", "") in self._names:
            return text, ()
        found: list[str] = []

        def take(match: re.Match[str]) -> str:
            found.append(match[0].strip(_EDGES))
            return " "

        rest = _COMPANY.sub(take, text)
        rest = _PERIOD.sub(take, _REFERENCE.sub(take, rest))
        rest = self._note.sub(take, rest).rstrip(" ([,;:/-")
        while (match := self._behind.search(rest)) and not self._is_named(rest, match.start()):
            take(match)
            rest = rest[: match.start()].rstrip()
        if (match := self._front.match(rest)) and rest[match.end() :] in self._names:
            take(match)
            rest = rest[match.end() :]
        if not found or not any(char.isalnum() for char in rest):
            return text, ()
        return " ".join(rest.split()), tuple(found)

    def _is_named(self, text: str, at: int) -> bool:
        """Whether a known name ends the text that begins before `at`, or a fee is known by what
        stands before it (刻章费, 刻章费用)."""
        first = max(0, len(text) - MAX_WORD)
        ends = any(text[start:] in self._names for start in range(first, at))
        return ends or (text[at:] == "费用" and f"{text[:at]}费" in self._names)


def _any_of(words: Mapping[str, str], place: str) -> str:
    found: Iterable[str] = (re.escape(word) for word, where in words.items() if where == place)
    return f"(?:{'|'.join(sorted(found, key=lambda word: (-len(word), word)))})"
