"""Roles in a segment: which stretches are brands or descriptors, not the thing itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from models.tokenizer import Tokenizer

# What each role keeps of a word's weight when names are compared. The core product counts in
# full; what describes it counts for less the less it says about the kind of goods.
ROLE_WEIGHT: dict[str, float] = {
    "core": 1.0,
    "side": 0.5,
    "material": 0.9,
    "process": 0.9,
    "feature": 0.9,
    "state": 0.9,
    "audience": 0.6,
    "brand": 0.25,
    "flavour": 0.1,
    "scent": 0.1,
    "colour": 0.15,
    "size_word": 0.15,
    "grade": 0.15,
    "season_style": 0.25,
    "origin": 0.15,
    "packing": 0.15,
    "condition": 0.1,
    "certification": 0.1,
    "promotion": 0.0,
}
ASKED_ROLES = ("flavour", "scent")
# What says nothing of the kind of goods; a brand does.
IDLE_ROLES = {r for r, weight in ROLE_WEIGHT.items() if weight <= 0.25} - {"brand"} | {"feature"}
KEPT_ROLES = {"material", "audience", "process", "state"}
MAX_WORD, MAX_TASTE = 12, 6
# What is marked first where spans overlap: the line's own brand, flavours and promotions, known
# brands, the rest.
_ORDER = {"own_brand": 0, "own_flavour": 0, "flavour": 1, "scent": 1, "promotion": 1, "brand": 2}
# What its place alone makes a brand or flavour, whatever names it is part of.
_BY_PLACE = {"own_brand": "brand", "own_flavour": "flavour"}

_FLAVOUR_END = re.compile(r"(口味|风味|味道|味型|味|香型)")
# For whom or what: 白领专用, 烘焙用; the second is nothing that is done (租用, 使用).
_USE_END = re.compile(
    r"[\u4e00-\u9fff]{1,4}(?:专用|专享|专供|适用|通用|(?<=[\u4e00-\u9fff]{2})(?<![租使费借占耗信公应])用)$"
)
# A colour glued on: 单芯铜线红.
_COLOUR_END = re.compile(r"(?<=[\u4e00-\u9fff]{2})[红黑白蓝绿紫黄灰]$")
_SERIES = re.compile(r"(?<=.)系列(?:产品|商品)?$")
_MAKE = re.compile(r"^[\u4e00-\u9fff]{2,4}牌(?=.{2})")
_NUMBERS = re.compile(r"[^\u4e00-\u9fff]+$")


class Span(NamedTuple):
    """A stretch of the cleaned text with its role."""

    start: int
    end: int
    text: str
    role: str


def ends_named(text: str, names: Set[str]) -> bool:
    """Whether a known name of two characters or more ends the text, numbers aside."""
    text = _NUMBERS.sub("", text)
    first = max(0, len(text) - MAX_WORD)
    return any(text[start:] in names for start in range(first, len(text) - 1))


class Roles:
    """Finds the roles in a segment.

    names: every known name; descriptors: word → kind; exceptions: words that only look like
    descriptors; brands: brand or alias → True where it is an ordinary word too; flavoured: names
    that their taste, scent or filling may follow; longest: first two characters → length of the
    longest of all these.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        names: Set[str],
        descriptors: Mapping[str, str],
        exceptions: Set[str],
        brands: Mapping[str, bool],
        flavoured: Set[str],
        longest: Mapping[str, int],
    ):
        self._tokenizer = tokenizer
        self._names = names
        self._descriptors = descriptors
        self._exceptions = exceptions
        self._brands = brands
        self._marked = frozenset((*brands, *descriptors))
        self._flavoured = flavoured
        self._longest = longest

    def scan(self, segment: str, brands: Sequence[str], alone: bool) -> list[Span]:
        """Non-overlapping descriptor and brand spans of one segment, in order.

        brands: words of the line's brand column; alone: the name has no other segment.
        """
        length = len(segment)
        names: list[tuple[int, int]] = []
        found: list[tuple[int, int, str]] = []
        edges: Set[int] = frozenset()
        ends: set[int] = set()  # of names
        for i, char in enumerate(segment):
            # Most stretches begin no word: no more than their first character is looked at.
            longest = self._longest.get(segment[i : i + 2], 1)
            if longest == 1 and char not in self._marked:
                continue
            for j in range(i + 1, min(i + longest, length) + 1):
                word = segment[i:j]
                if j - i > 1 and (word in self._names or word in self._exceptions):
                    names.append((i, j))
                    ends.add(j)
                if word not in self._marked:
                    continue
                edges = edges or self._tokenizer.edges(segment)
                if word in self._brands and (i == 0 or (i in edges and j in edges)):
                    found.append((i, j, "brand"))
                elif (kind := self._descriptors.get(word)) is not None:
                    whole = j - i == length and not alone
                    if kind == "flavour" and word[-1] not in "味型" and not whole:
                        continue
                    packed = kind == "packing" and j == length and (i in ends or i in edges)
                    if whole or packed or (j - i > 1 and i in edges and j in edges):
                        found.append((i, j, kind))
        found.extend(
            (at, at + len(brand) + segment.startswith("牌", at + len(brand)), "own_brand")
            for brand in brands
            if (at := segment.find(brand)) >= 0
            and (len(brand) < length or not alone)
            and (at, at + len(brand) + 1) not in names  # 三金片 is what 三金 calls its tablets
        )
        if (match := _SERIES.search(segment)) is not None:
            found.append((match.start(), length, "grade"))
        if (match := _MAKE.match(segment)) and match[0] not in self._names:
            found.append((0, match.end(), "own_brand"))
        if start := self._own_flavour(segment, names):
            found.append((start, length, "own_flavour"))
        if match := _USE_END.search(segment):
            whole = not alone and match.start() == 0 and length not in ends
            if whole or (start := self._after_name(match, names)):
                found.append((0 if whole else start, length, "audience"))
        if length - 1 in ends and length not in ends and _COLOUR_END.search(segment):
            found.append((length - 1, length, "colour"))
        for match in _FLAVOUR_END.finditer(segment):
            if (flavour := self._flavour(segment, match.start())) is not None:
                found.append((flavour[0], match.end(), flavour[1]))
        return self._choose(segment, found, names) if found else []

    @staticmethod
    def _after_name(use: re.Match[str], names: list[tuple[int, int]]) -> int:
        """Where the words for whom or what begin, right after a known name (安全套|白领专用);
        0 without one."""
        first, last = use.start(), use.end() - 3
        return max((end for _, end in names if first < end <= last), default=0)

    def _own_flavour(self, segment: str, names: list[tuple[int, int]]) -> int:
        """Where the taste or filling begins, right after the first name that takes one
        (水饺|韭菜鸡蛋); 0 without one."""
        for start, end in names:
            if segment[start:end] in self._flavoured:
                part = any(a <= start and end < b for a, b in names)  # of a longer name
                return 0 if part or not self._is_taste(segment[end:]) else end
        return 0

    def is_filling(self, goods: str, core: str) -> bool:
        """Whether a core is but the taste or filling of the goods named before (米线 香辣排骨)."""
        return self._takes_taste(goods) and self._is_taste(core)

    def _takes_taste(self, core: str) -> bool:
        return any(core[start:] in self._flavoured for start in range(len(core) - 1))

    def _is_taste(self, text: str) -> bool:
        """Whether flavours, scents and fillings are all that a text names; not goods that take
        one themselves (海苔曲奇)."""
        if self._takes_taste(text):
            return False
        ends = {0}  # how far the words from the beginning on can reach
        for end in range(2, len(text) + 1):
            starts = (s for s in range(max(0, end - MAX_TASTE), end - 1) if s in ends)
            if any(self._descriptors.get(text[s:end]) in ASKED_ROLES for s in starts):
                ends.add(end)
        return len(text) in ends and bool(text)

    def _flavour(self, segment: str, end: int) -> tuple[int, str] | None:
        """(start, kind) of the flavour or scent that ends at `end` (before 味, 香型), with a taste
        before it that is no thing of its own (麻辣 + 牛肉味)."""
        for start in range(max(0, end - 5), end):
            kind = self._descriptors.get(segment[start:end])
            if kind in ASKED_ROLES:
                taste = segment[max(0, start - 2) : start]
                if self._descriptors.get(taste) == "flavour" and taste not in self._names:
                    start -= len(taste)
                return start, str(kind)
        return None

    def _choose(
        self, segment: str, found: list[tuple[int, int, str]], names: list[tuple[int, int]]
    ) -> list[Span]:
        chosen: list[Span] = []
        taken = [False] * len(segment)
        found.sort(key=lambda f: (_ORDER.get(f[2], 3), f[0] - f[1], f[0]))
        for i, j, kind in found:
            if any(taken[i:j]):
                continue
            if kind in _BY_PLACE:
                chosen.append(Span(i, j, segment[i:j], _BY_PLACE[kind]))
                taken[i:j] = [True] * (j - i)
                continue
            if kind == "brand" and not self._is_brand(segment, i, j, names):
                continue
            if kind != "brand" and self._belongs_to_name(segment, i, j, kind, names):
                continue
            chosen.append(Span(i, j, segment[i:j], kind))
            taken[i:j] = [True] * (j - i)
        chosen.sort(key=lambda s: s.start)
        return chosen

    def _is_brand(self, segment: str, i: int, j: int, names: list[tuple[int, int]]) -> bool:
        """A brand that is an ordinary word counts only in front, and only where no name goes
        across its end (苹果手机 yes, 苹果汁 no)."""
        length = len(segment)
        if any(a <= i and j <= b and b - a > j - i for a, b in names):
            return False
        if segment[i:j].isascii() and (
            (i > 0 and segment[i - 1].isascii() and segment[i - 1].isalpha())
            or (j < len(segment) and segment[j].isascii() and segment[j].isalpha())
        ):
            return False
        if self._brands[segment[i:j]] or (i, j) in names:
            return i == 0 and j < len(segment) and not any(a < j < b for a, b in names)
        if i == 0 and segment[j:] in self._names:
            return True
        if length - j == 1 and any(i < a < j < b for a, b in names):
            return False  # 南方黑芝麻糊 is a 黑芝麻糊
        return not any(a < i < b or a < j < b for a, b in names if b - a > j - i)

    def _belongs_to_name(
        self, segment: str, i: int, j: int, kind: str, names: list[tuple[int, int]]
    ) -> bool:
        """Whether the word is part of a longer known name and so no descriptor (酱油瓶的酱)."""
        around = [(a, b) for a, b in names if a <= i and j <= b and b - a > j - i]
        across = [(a, b) for a, b in names if i < a < j < b]  # 古龙香水 is a 香水, no 古龙香
        if any(segment[a:b] in self._exceptions for a, b in (*around, *across)):
            return True
        if kind in {"colour", "flavour"} and j == len(segment) and i > 0 and (i, j) in names:
            return segment[i:j][-1] not in "味型色"
        if kind == "flavour":
            return any(a < i for a, _ in around) or segment[i:j] in self._exceptions
        if kind in {*KEPT_ROLES, "feature", "promotion"} and j < len(segment):
            return any(b - a <= 4 for a, b in around)
        return bool(around)
