"""What a line says of the bill, not of the goods: months, stages of payment, references, buyers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set

from models.roles import MAX_WORD, ends_named

_YEAR = r"(?:(?:20)?\d{2}年度?的?)?"
_NUMBER = "[一二三四五六七八九十]{1,2}"
_PERIOD = re.compile(
    rf"{_YEAR}(?:第?[一二三四1-4]季度|[上下]半年|(?:\d{{1,2}}|{_NUMBER})月份|[本当上]月份?|本[季年]度)的?"
)
_REFERENCE = re.compile(
    r"(?:(?:合同|订单|工单|运单|批次|流水|协议|采购单|发票|车牌|设备|序列|单据)(?:编?号码?|编码):?\s*"
    r"[a-z0-9\u4e00-\u9fff]?|(?:合同|订单|工单|运单):?\s*(?=[a-z0-9\-_/]*\d{3}))"
    r"[a-z0-9][a-z0-9\-_/]{2,}"
)
_BATCH = re.compile(rf"第(?:\d{{1,3}}|{_NUMBER})(?:批次?|车|船|笔)")
_LABEL = re.compile(
    r"(?:规格型号|[产商]品型号|型号规格|型号|[货料]号|订货号):?\s*(?=[a-z0-9])"
    r"|(?<![^\s,;/])(?:(?:品牌|颜色|色号|产地|材质|尺寸|等级|包装|生产厂家|厂家|规格):\s*"
    r"|单位:\s*[^\s,;]{1,4})"
)
_COMPANY = re.compile(r"^[\u4e00-\u9fff()]{2,24}?有限(?:责任)?公司(?:[^\u4e00-\u9fff]*)(?=.{2})")
# One of the words that each holds, looked for first: most names have none of them.
_PATTERNS = (
    (("公司",), _COMPANY),
    (("号", "码", "单", "合同"), _REFERENCE),
    (("型号", "货号", "料号", ":"), _LABEL),
    (("第",), _BATCH),
    (("季", "月", "半年", "本年"), _PERIOD),
)
MAX_MORE = 2  # remarks that may stand between a name and one that is bound to it
_BEFORE, _BEHIND = " ([,;:/-", " )]"
_EDGES = _BEFORE + _BEHIND
_PARTS = re.compile(rf"([{re.escape(_EDGES)}]+)")


class Remarks:
    """Takes remarks out of a normalised name.

    words: remark → its places: `front` of the name, `behind` it, behind a known name only (`named`:
    打印纸采购), or a `note` by itself, behind or in brackets; names of groups of codes → `whole`;
    names: every known name. No remark is part of these (建筑服务预收款, 软件产品).
    """

    def __init__(self, words: Mapping[str, str], names: Set[str]):
        self._names = names
        self._whole = frozenset(placed(words, "whole"))
        self._front = _by_character(placed(words, "front"), 0)
        self._bound = frozenset(placed(words, "named"))
        self._behind = _by_character([*placed(words, "behind"), *self._bound], -1)
        self._note = _by_character(placed(words, "note"), -1)

    def strip(self, text: str) -> tuple[str, tuple[str, ...]]:
        """(the text without remarks, the remarks); as it is where nothing else would be left."""
        whole = text.replace(" ", "")
        if whole in self._names or whole in self._whole:
            return text, ()
        found: list[str] = []

        def take(match: re.Match[str]) -> str:
            found.append(match[0].strip(_EDGES))
            return " "

        rest = text
        for marks, pattern in _PATTERNS:
            if any(mark in rest for mark in marks):
                rest = pattern.sub(take, rest)
        if note := self._noted(rest):
            found.append(note)
            rest = rest.rstrip(_BEHIND).removesuffix(note).rstrip(_BEFORE)
        rest = self._within(rest.rstrip(), found)
        while word := self._ending(rest):
            found.append(word)
            rest = rest.removesuffix(word).rstrip()
        for word in self._front.get(rest[:1], ()):
            if rest.startswith(word) and rest[len(word) :] in self._names:
                found.append(word)
                rest = rest[len(word) :]
        if not found or not any(char.isalnum() for char in rest):
            return text, ()
        return " ".join(rest.split()), tuple(found)

    def _within(self, text: str, found: list[str]) -> str:
        """The text without what stands behind known names, but not at its end (车票款-合肥)."""
        parts = _PARTS.split(text)
        for number, part in enumerate(parts[:-1:2]):
            word = self._ending(part)
            if word in self._bound and ends_named(part.removesuffix(word), self._names):
                found.append(word)
                parts[2 * number] = part.removesuffix(word)
        return "".join(parts)

    def _noted(self, text: str) -> str:
        """The note that stands by itself at the end of a text; "" without one."""
        text = text.rstrip(_BEHIND)
        for word in self._note.get(text[-1:], ()):
            if text.endswith(word) and text[: -len(word)].endswith(tuple(_BEFORE)):
                return word
        return ""

    def _ending(self, text: str, more: int = MAX_MORE) -> str:
        """The remark right behind the name; "" without one. more: remarks that may stand between
        the name and one that is bound to it (钢材|产品|采购)."""
        for word in self._behind.get(text[-1:], ()):
            at = len(text) - len(word)
            if at == 0 or not text.endswith(word) or self._is_named(text, at):
                continue
            before = text[:at]
            if word not in self._bound or ends_named(before, self._names):
                return word
            if more and self._ending(before, more - 1):
                return word
        return ""

    def _is_named(self, text: str, at: int) -> bool:
        """Whether a known name ends the text that begins before `at`, with its fee (包装材料费)
        or without the second half of 费用 (刻章费用)."""
        starts = range(max(0, len(text) - MAX_WORD), at)
        ends = any(text[start:] in self._names for start in starts)
        if not ends and text.endswith("费"):
            ends = any(text[start:-1] in self._names for start in starts)
        return ends or (text[at:] == "费用" and f"{text[:at]}费" in self._names)


def placed(words: Mapping[str, str], place: str) -> list[str]:
    """The words that may stand in a place; a word's places are parted by a bar."""
    return [word for word, places in words.items() if place in places.split("|")]


def _by_character(words: Iterable[str], at: int) -> dict[str, list[str]]:
    """Words by their first or last character, the longest first."""
    found: dict[str, list[str]] = defaultdict(list)
    for word in sorted(words, key=lambda word: (-len(word), word)):
        found[word[at]].append(word)
    return dict(found)
