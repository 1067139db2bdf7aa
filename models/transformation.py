"""What a material, process or state word does to a product: 腌渍 + 青花鱼 is no fresh fish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge_base import KnowledgeBase
from models.hits import NO_HITS, Hits
from models.normalise import normalise
from models.reading import Reading

# From this weight on a core is a known name; what a transformation leaves and carries over.
KNOWN, LEFT_BEHIND, CARRIED = 0.5, np.float32(0.4), np.float32(0.8)
CARRYING = ("suffix", "inside", "name", "official", "vote", "end1", "end2", "end3", "head")


@dataclass(frozen=True, slots=True)
class Move:
    """sources: places of the codes that the bare name alone would get; target: place of the code
    it moves to; why: the reason in Chinese."""

    sources: np.ndarray
    target: int
    why: str


@dataclass(slots=True)
class Transformations:
    """Words that move a product to another code. words: word → numbers of its moves."""

    words: dict[str, list[int]]
    moves: list[Move]

    def found(self, reading: Reading) -> list[tuple[str, Move]]:
        """The moves of the words that stand before the core's last noun, or beside it."""
        hits: dict[int, str] = {}
        core = reading.core
        before = core[: max(len(core) - 1, 0)]
        # Of a flavour only the whole word counts: 五香味 says roasted, 柚子 of 柚子味 nothing.
        tokens = [
            word
            for word, role, _ in reading.tokens
            if role not in {"flavour", "brand"} or word.endswith("味")
        ]
        starts = dict.fromkeys(core[:size] for size in (4, 3, 2, 1))  # the longest word is named
        for word in (*starts, *(t for t in tokens if t in before or t not in core)):
            for number in self.words.get(word, ()):
                hits.setdefault(number, word)
        return [(word, self.moves[number]) for number, word in sorted(hits.items())]


def transform(
    hits: dict[str, Hits],
    readings: Sequence[Reading],
    moves: Sequence[Sequence[tuple[str, Move]]],
    n: int,
) -> None:
    """Add the signal `moved`, and let it act on the others.

    moves: of each reading; n: number of codes.
    """
    if not any(moves):
        hits["moved"] = NO_HITS
        return
    hits["moved"], beside = _moved(hits, readings, moves, n)
    exact = hits["exact"].place[hits["exact"].value > 0] // n
    beside[exact] = False
    _transfer(hits, beside, n)


def _moved(
    hits: Mapping[str, Hits],
    readings: Sequence[Reading],
    moves: Sequence[Sequence[tuple[str, Move]]],
    n: int,
) -> tuple[Hits, np.ndarray]:
    """+ for codes a word moves the product to, − for those it moves it out of: as much as the
    bare name fits the codes it moves from.

    With it (n_lines,) bool: whether a word stands beside a core that is a known name of what it
    moves (保鲜盒 玻璃).
    """
    bare, known, out = np.zeros((3, len(moves), n), np.float32)
    fit = bare.reshape(-1)
    for name, weight in (("suffix", 1.0), ("name", 0.8), ("official", 0.8)):
        place, value = hits[name].place, hits[name].value
        fit[place] = np.maximum(fit[place], np.float32(weight) * value)
    known.reshape(-1)[hits["core_exact"].place] = hits["core_exact"].value
    beside = np.zeros(len(moves), bool)
    for i, (reading, found) in enumerate(zip(readings, moves, strict=True)):
        for word, move in found:
            best = float(bare[i, move.sources].max())
            if best > 0:
                out[i, move.sources] = np.minimum(out[i, move.sources], -best)
                out[i, move.target] = max(float(out[i, move.target]), best)
                beside[i] |= word not in reading.core and bool(known[i, move.sources].any())
    place = np.flatnonzero(out != 0)
    return Hits(place, out.reshape(-1)[place]), beside


def _transfer(hits: dict[str, Hits], beside: np.ndarray, n: int) -> None:
    """What the bare name says passes from the codes that a word leaves to the code it goes to,
    except where the whole core is a known name of a code and the word is part of that name.

    beside: (n_lines,) bool, the word stands beside the core.
    """
    moved, core = hits["moved"], hits["core_exact"]
    line = moved.place // n
    acts = beside[line]
    settled = np.isin(line, core.place[core.value >= KNOWN] // n) & ~acts
    named = np.isin(moved.place, core.place[core.value > 0]) & ~acts
    left = (moved.value < 0) & ~settled & ~named
    reached = (moved.value > 0) & ~settled
    if not (left.any() or reached.any()):
        return
    carried = CARRIED * moved.value
    for name in (*CARRYING, "core_exact"):
        own = acts if name == "core_exact" else True
        behind, to = moved.place[left & own], reached & own
        place, value = hits[name].place, hits[name].value
        value = np.where(np.isin(place, behind), LEFT_BEHIND * value, value)
        hits[name] = Hits(
            np.concatenate([place, moved.place[to]]), np.concatenate([value, carried[to]])
        ).highest()


def compile_transformations(kb: KnowledgeBase, places: dict[str, int]) -> Transformations:
    """The table of the knowledge base over code places."""
    words: dict[str, list[int]] = {}
    moves: list[Move] = []
    codes = sorted(places)
    for row in kb.lexicon.transformations:
        sources = [
            places[code]
            for code in codes
            if code.startswith(row.from_prefixes) and code != row.to_code
        ]
        for word in row.words:
            words.setdefault(normalise(word), []).append(len(moves))
        moves.append(Move(np.array(sources, np.int32), places[row.to_code], row.why))
    return Transformations(words, moves)
