"""Segments of a name: what brackets and separators part, in the knowledge base's own words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from typing import NamedTuple

from models.tokenizer import Tokenizer

_BRACKETS = re.compile(r"[【\[({<《「『]([^】\])}>》」』]*)[】\])}>》」』]?")
_MARKS = r"\s,;:!?|/\\_+&·\-—~*\"'`“”‘’.=#@$%^()\[\]{}<>"
_SPLIT = re.compile(rf"([{_MARKS}]+)")
_BETWEEN = re.compile(rf"[^{_MARKS}【】《》「」『』]+")


def stretches(text: str) -> list[str]:
    """What stands between separators and brackets of any kind, in order."""
    return _BETWEEN.findall(text)


class Segment(NamedTuple):
    """A stretch between separators. inside: in brackets; listed: after a slash, comma or dot,
    where the thing comes first and its attributes follow (after a space it comes last)."""

    text: str
    inside: bool
    listed: bool


class Segmenter:
    """Splits a name into segments.

    names: every known name; replacements: abbreviations, regional words and typos → the
    standard word.
    """

    def __init__(self, tokenizer: Tokenizer, names: Set[str], replacements: Mapping[str, str]):
        self._tokenizer = tokenizer
        self._names = names
        self._replacements = replacements
        self._starts = frozenset(word[0] for word in replacements)

    def split(self, text: str) -> list[Segment]:
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
        for i, char in enumerate(segment):
            if char not in self._starts:
                continue
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
        edges = self._tokenizer.edges(segment)
        return start not in edges or end not in edges
