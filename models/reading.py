"""Reading a product name: what names the thing, what only describes it.

text → normalise → declared short name, brackets, sizes, model numbers → dictionary scan (names,
brands, descriptors, exceptions) → roles per character → core product and head.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from models.normalise import normalise
from models.tokenizer import Tokenizer

# What each role keeps of a word's weight when names are compared. The core product counts in
# full; what describes it counts for less the less it says about the kind of goods.
ROLE_WEIGHT: dict[str, float] = {
    "core": 1.0,
    "side": 0.5,
    "material": 0.9,
    "process": 0.9,
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
KEPT_ROLES = {"material", "audience", "process", "state"}
MAX_WORD = 12
# What is marked first where spans overlap: the line's own brand, flavours, known brands, the rest.
_ORDER = {"own_brand": 0, "flavour": 1, "scent": 1, "brand": 2}

_DECLARED = re.compile(r"^\s*\*([^*]{1,20})\*")
_BRACKETS = re.compile(r"[【\[({<《「『]([^】\])}>》」』]*)[】\])}>》」』]?")
_MODEL = re.compile(
    r"(?<![a-z0-9])(?=[a-z0-9\-/.]*\d)(?=[a-z0-9\-/.]*[a-z])[a-z0-9][a-z0-9\-/.]{2,}"
)
_NUMBER = re.compile(r"\d+(?:[.\-/:~+x*]\d+)*\s*(?:%?vol|[#%°度])?")
_FLAVOUR_END = re.compile(r"(口味|风味|味道|味型|味|香型)")
_SEPARATOR = re.compile(r"[\s,;:!?|/\\_+&·\-—~*\"'`.=#@$%^()\[\]{}<>]+")
_SPLIT = re.compile(rf"({_SEPARATOR.pattern})")
_MAKE = re.compile(r"^[\u4e00-\u9fff]{2,4}牌(?=.{2})")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the cleaned text with its role."""

    start: int
    end: int
    text: str
    role: str


class Segment(NamedTuple):
    """A stretch between separators. inside: in brackets; listed: after a slash, comma or dot,
    where the thing comes first and its attributes follow (after a space it comes last)."""

    text: str
    inside: bool
    listed: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What a name says.

    clean: the normalised name without declared short name, sizes and model numbers.
    core: the words that name the thing; head: its last noun.
    tokens: (word, role, in_core) in order.
    """

    text: str
    normalised: str
    clean: str
    core: str
    head: str
    tokens: tuple[tuple[str, str, bool], ...]
    spans: tuple[Span, ...] = ()
    declared_short_name: str = ""
    brands: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    @property
    def descriptors(self) -> tuple[tuple[str, str], ...]:
        """(word, kind) of what was set aside."""
        return tuple((s.text, s.role) for s in self.spans if s.role not in {"core", "brand"})

    @property
    def prompt(self) -> str:
        """The question a flavour set aside gives rise to; empty without one."""
        asked = [s.role for s in self.spans if s.role in ASKED_ROLES]
        if not asked or not self.core:
            return ""
        word = "风味" if asked[0] == "flavour" else "香味"
        return f"检测到{word}描述词,请确认实际商品是否为{self.core}?"


class Reader:
    """Reads names with the words of the knowledge base.

    names: every term that names goods or services (official and everyday);
    descriptors: word → kind; exceptions: words that only look like descriptors;
    heads: container suffixes; brands: brand or alias → True where it is an ordinary word too;
    replacements: whole-word abbreviations, regional words and typos → the standard word;
    units: unit words that may follow a number.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        names: Iterable[str],
        descriptors: Mapping[str, str],
        exceptions: Iterable[str],
        heads: Iterable[str],
        brands: Mapping[str, bool],
        replacements: Mapping[str, str],
        units: Iterable[str],
    ):
        self._tokenizer = tokenizer
        self._names = names if isinstance(names, Set) else frozenset(names)
        self._descriptors = descriptors
        self._exceptions = frozenset(exceptions)
        self._heads = frozenset(heads)
        self._brands = brands
        self._replacements = replacements
        self._size = _size_pattern(units)

    def read(self, text: str, brands: Sequence[str] = ()) -> Reading:
        """Reading of one name; never fails on any string. brands: words of the brand column."""
        declared, body = "", text.replace("＊", "*")
        if match := _DECLARED.match(body):
            declared, body = normalise(match[1]), body[match.end() :]
        normalised = normalise(body)
        rest, sizes, models = self._strip_measures(normalised)
        segments = self._segments(rest)
        if not segments and any(c.isalnum() for c in normalised):  # numbers alone: as they stand
            segments = [Segment(normalised, False, False)]
        return self._assemble(text, normalised, segments, declared, sizes, models, brands)

    # -- cleaning ---------------------------------------------------------------------------

    def _strip_measures(self, text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """Text with sizes, model numbers and bare numbers replaced by spaces."""
        if not any(c.isdigit() for c in text):
            return text, (), ()
        sizes: list[str] = []
        models: list[str] = []

        def take(store: list[str]) -> object:
            def replace(match: re.Match[str]) -> str:
                store.append(match[0].strip())
                return " "

            return replace

        text = self._size.sub(take(sizes), text)  # type: ignore[call-overload]
        text = _MODEL.sub(take(models), text)  # type: ignore[call-overload]
        text = _NUMBER.sub(take(sizes), text)  # type: ignore[call-overload]
        return text, tuple(sizes), tuple(models)

    def _segments(self, text: str) -> list[Segment]:
        """Segments in order, separators dropped, standard words for variants."""
        parts: list[tuple[str, bool]] = []
        place = 0
        for match in _BRACKETS.finditer(text):
            parts.append((text[place : match.start()], False))
            parts.append((match[1], True))
            place = match.end()
        parts.append((text[place:], False))
        segments = []
        for part, inside in parts:
            after = ""
            for i, piece in enumerate(_SPLIT.split(part)):
                if i % 2:
                    after = piece
                elif piece:
                    segments.append(Segment(piece, inside, bool(after.strip(" *"))))
        alone = len(segments) == 1
        return [s._replace(text=self._standard(s.text, alone)) for s in segments]

    def _standard(self, segment: str, alone: bool) -> str:
        """Abbreviations, regional words and typos → standard words.

        A word of the segment is replaced only where nothing known hides it; Latin abbreviations
        only where they are the whole name.
        """
        if segment in self._names:
            return segment
        known = self._replacements.get(segment)
        if known is not None and (alone or not segment.isascii()):
            return known
        for i in range(len(segment)):
            for j in range(min(len(segment), i + 6), i + 1, -1):
                piece = segment[i:j]
                standard = self._replacements.get(piece)
                if (
                    standard
                    and not piece.isascii()
                    and piece not in self._names
                    and not self._hidden(segment, i, j)
                ):
                    return segment[:i] + standard + self._standard(segment[j:], False)
        return segment

    def _hidden(self, segment: str, start: int, end: int) -> bool:
        """Whether a known name covers more than [start, end), or words cross its edges."""
        for i in range(max(0, start - 3), start + 1):
            for j in range(end, min(len(segment), end + 3) + 1):
                if j - i > end - start and segment[i:j] in self._names:
                    return True
        edges = self._edges(segment)
        return start not in edges or end not in edges

    def _edges(self, segment: str) -> set[int]:
        """Places where a word begins or ends, by jieba's cut."""
        edges, place = {0}, 0
        for word in self._tokenizer.cut(segment):
            place += len(word)
            edges.add(place)
        return edges

    # -- roles ------------------------------------------------------------------------------

    def _scan(self, segment: str, brands: Sequence[str], alone: bool) -> list[Span]:
        """Non-overlapping descriptor and brand spans of one segment, in order.

        brands: words of the line's brand column; alone: the name has no other segment.
        """
        length = len(segment)
        names: list[tuple[int, int]] = []
        found: list[tuple[int, int, str]] = []
        edges = self._edges(segment)
        for i in range(length):
            for j in range(i + 1, min(length, i + MAX_WORD) + 1):
                word = segment[i:j]
                if j - i > 1 and (word in self._names or word in self._exceptions):
                    names.append((i, j))
                if word in self._brands and (i == 0 or (i in edges and j in edges)):
                    found.append((i, j, "brand"))
                elif (kind := self._descriptors.get(word)) is not None:
                    whole = j - i == length and not alone
                    if kind == "flavour" and word[-1] not in "味型" and not whole:
                        continue
                    if whole or (j - i > 1 and i in edges and j in edges):
                        found.append((i, j, kind))
        found.extend(
            (at, at + len(brand) + segment.startswith("牌", at + len(brand)), "own_brand")
            for brand in brands
            if (at := segment.find(brand)) >= 0 and len(brand) < length
        )
        if match := _MAKE.match(segment):
            found.append((0, match.end(), "own_brand"))
        for match in _FLAVOUR_END.finditer(segment):
            if (flavour := self._flavour(segment, match.start())) is not None:
                found.append((flavour[0], match.end(), flavour[1]))
        return self._choose(segment, found, names)

    def _flavour(self, segment: str, end: int) -> tuple[int, str] | None:
        """(start, kind) of the flavour or scent that ends at `end` (before 味, 香型)."""
        for start in range(max(0, end - 5), end):
            kind = self._descriptors.get(segment[start:end])
            if kind in ASKED_ROLES:
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
            if kind == "own_brand":
                chosen.append(Span(i, j, segment[i:j], "brand"))
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
        if any(a <= i and j <= b and b - a > j - i for a, b in names):
            return False
        if segment[i:j].isascii() and (
            (i > 0 and segment[i - 1].isascii() and segment[i - 1].isalpha())
            or (j < len(segment) and segment[j].isascii() and segment[j].isalpha())
        ):
            return False
        if self._brands[segment[i:j]] or (i, j) in names:
            return i == 0 and j < len(segment) and not any(a < j < b for a, b in names)
        return not any(a < i < b or a < j < b for a, b in names if b - a > j - i)

    def _belongs_to_name(
        self, segment: str, i: int, j: int, kind: str, names: list[tuple[int, int]]
    ) -> bool:
        """Whether the word is part of a longer known name and so no descriptor (酱油瓶的酱)."""
        around = [(a, b) for a, b in names if a <= i and j <= b and b - a > j - i]
        if any(segment[a:b] in self._exceptions for a, b in around):
            return True
        if kind in {"colour", "flavour"} and j == len(segment) and i > 0 and (i, j) in names:
            return segment[i:j][-1] not in "味型色"
        if kind == "flavour":
            return any(a < i for a, _ in around) or segment[i:j] in self._exceptions
        if kind in {"material", "process", "state", "audience", "promotion"} and j < len(segment):
            return any(b - a <= 4 for a, b in around)
        return bool(around)

    # -- core and head ----------------------------------------------------------------------

    def _assemble(
        self,
        text: str,
        normalised: str,
        segments: list[Segment],
        declared: str,
        sizes: tuple[str, ...],
        models: tuple[str, ...],
        brands: Sequence[str],
    ) -> Reading:
        scanned = [(s, self._scan(s.text, brands, len(segments) == 1)) for s in segments]
        best, core = self._core(scanned)
        tokens: list[tuple[str, str, bool]] = []
        spans: list[Span] = []
        offset = 0
        for number, ((segment, _, _), found) in enumerate(scanned):
            in_core = number == best
            place = 0
            for span in [*found, Span(len(segment), len(segment), "", "")]:
                if span.start > place:
                    role = "core" if in_core else "side"
                    words = self._tokenizer.cut(segment[place : span.start])
                    tokens.extend((word, role, in_core) for word in words)
                if span.text:
                    tokens.append((span.text, span.role, in_core))
                    spans.append(Span(offset + span.start, offset + span.end, span.text, span.role))
                place = span.end
            offset += len(segment) + 1
        return Reading(
            text=text,
            normalised=normalised,
            clean=" ".join(segment.text for segment in segments),
            core=core,
            head=self._head(core),
            tokens=tuple(tokens),
            spans=tuple(spans),
            declared_short_name=declared,
            brands=tuple(dict.fromkeys(s.text for s in spans if s.role == "brand")),
            sizes=sizes,
            models=models,
        )

    def _core(self, scanned: list[tuple[Segment, list[Span]]]) -> tuple[int, str]:
        """(number of the segment that names the thing, the core product's words).

        The segment that ends with the longest known name; in a list the earlier, otherwise the
        later one; brackets, Latin text and whole descriptors stand back.
        """
        best, best_score, best_core = -1, -9.0, ""
        for number, (segment, found) in enumerate(scanned):
            core = _without(segment.text, found)
            if not core:
                continue
            known = min(self._name_length(core), 3.0)
            score = known + min(len(core), 4) * 0.1
            if core.isascii():
                score -= 2.0
            if core.endswith("系列") or len(core) == 1:
                score -= 2.0
            if segment.listed and best_score >= 1.0:
                score -= 2.5
            if segment.inside:
                score = score * 0.5 - 1.0
            if score >= best_score:
                best, best_score, best_core = number, score, core
        if best < 0 and scanned:  # only brands and descriptors: the last words stand for the thing
            best = max(range(len(scanned)), key=lambda n: (not scanned[n][0].inside, n))
            segment, found = scanned[best]
            spans = [s for s in found if s.role not in ("promotion", "packing")]
            best_core = spans[-1].text if spans else segment.text
        return best, best_core

    def _name_length(self, core: str) -> float:
        """Length of the longest known name that ends the core."""
        for start in range(max(0, len(core) - MAX_WORD), len(core) - 1):
            if core[start:] in self._names or core[start:] in self._exceptions:
                return float(len(core) - start)
        return 1.0 if core[-1:] in self._heads or core[-1:] in self._names else 0.0

    def _head(self, core: str) -> str:
        if not core:
            return ""
        words = self._tokenizer.cut(core)
        head = words[-1]
        if len(head) == 1 and len(words) > 1 and head not in self._heads:
            head = words[-2] + head
        return head


def _without(segment: str, found: list[Span]) -> str:
    """The segment's characters outside descriptor spans; what decides the kind of goods stays
    where more follows (不锈钢架, 速冻水饺)."""
    kept = []
    place = 0
    for span in found:
        kept.append(segment[place : span.start])
        if span.role in KEPT_ROLES and span.end < len(segment):
            kept.append(span.text)
        place = span.end
    kept.append(segment[place:])
    return "".join(kept)


def _size_pattern(units: Iterable[str]) -> re.Pattern[str]:
    words = sorted({re.escape(normalise(u)) for u in units if u}, key=lambda u: (-len(u), u))
    unit = "(?:" + "|".join(f"{w}(?![a-z])" if w[-1].isascii() else w for w in words) + ")"
    number = r"\d+(?:[.,]\d+)?(?:\s*[-~+x*/]\s*\d+(?:\.\d+)?)*"
    more = rf"(?:\s*[*x/\-]\s*(?:{number}\s*{unit}?|{unit}))*"
    return re.compile(rf"(?:约|净含量|规格|每)?[:]?{number}\s*{unit}(?!套){more}(?:装)?")
