"""What a material, process or state word does to a product: 腌渍 + 青花鱼 is no fresh fish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge_base import KnowledgeBase
from models.hits import NUMBER, Block
from models.normalise import normalise
from models.reading import Reading

# From this weight on a core is a known name; what a transformation leaves and carries over.
KNOWN, LEFT_BEHIND, CARRIED = 0.5, np.float32(0.4), np.float32(0.8)
ANY_TASTE = "味"  # stands in the table for every word of taste
CARRYING = [
    NUMBER[name]
    for name in ("suffix", "inside", "name", "official", "vote", "end1", "end2", "end3", "head")
]
# How well the bare name fits a code: by these signals, the one that says most.
FITTING = [NUMBER[name] for name in ("suffix", "name", "official")]
FIT = np.array([1.0, 0.8, 0.8], np.float32)


@dataclass(frozen=True, slots=True)
class Move:
    """sources: places of the codes that the bare name alone would get; target: place of the code
    it moves to; why: the reason in Chinese."""

    sources: np.ndarray
    target: int
    why: str


@dataclass(slots=True)
class Transformations:
    """Words that move a product to another code. words: word → numbers of its moves; the word
    ANY_TASTE is every flavour that ends with it."""

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
            if role not in {"flavour", "brand"} or word.endswith(ANY_TASTE)
        ]
        starts = dict.fromkeys(core[:size] for size in (4, 3, 2, 1))  # the longest word is named
        for word in (*starts, *(t for t in tokens if t in before or t not in core)):
            for number in self.words.get(word, ()):
                hits.setdefault(number, word)
        for word, role, _ in reading.tokens:
            if role == "flavour" and word.endswith(ANY_TASTE):
                for number in self.words.get(ANY_TASTE, ()):
                    hits.setdefault(number, word)
        return [(word, self.moves[number]) for number, word in sorted(hits.items())]


Moves = Sequence[tuple[str, Move]]  # of one line, each with the word that stands for it


def places_of(moves: Sequence[Moves], n: int) -> np.ndarray:
    """Flat places that the moves of a batch concern; n: number of codes."""
    found = [
        place + line * n
        for line, own in enumerate(moves)
        for _, move in own
        for place in (*move.sources.tolist(), move.target)
    ]
    return np.array(found, np.intp)


def transform(block: Block, readings: Sequence[Reading], moves: Sequence[Moves], n: int) -> None:
    """Add the signal `moved`, and let it act on the others.

    moves: of each reading; n: number of codes.
    """
    for line, (reading, own) in enumerate(zip(readings, moves, strict=True)):
        if own:
            first, last = np.searchsorted(block.place, [line * n, (line + 1) * n]) + 1
            place = block.column[line * n : (line + 1) * n] - first
            _act(block.value[:, first:last], reading, own, place)


def _act(value: np.ndarray, reading: Reading, moves: Moves, column: np.ndarray) -> None:
    """The moves of one line. value: its columns of the block; column: of each code in it.

    `moved` is + for codes a word moves the product to, − for those it moves it out of: as much as
    the bare name fits the codes it moves from. What the bare name says passes from the codes that
    a word leaves to the code it goes to, except where the whole core is a known name of a code and
    the word is part of that name. A word that stands beside a core that is a known name of what it
    moves (保鲜盒 玻璃) is not excepted.
    """
    bare = (value[FITTING] * FIT[:, None]).max(axis=0)
    core, moved = value[NUMBER["core_exact"]], value[NUMBER["moved"]]
    beside = False
    for word, move in moves:
        sources, target = column[move.sources], column[move.target]
        best = bare[sources].max()
        if best > 0:
            moved[sources] = np.minimum(moved[sources], -best)
            moved[target] = max(moved[target], best)
            beside |= word not in reading.core and bool(core[sources].any())
    beside = beside and not value[NUMBER["exact"]].any()
    if not beside and core.max() >= KNOWN:
        return
    left, reached = moved < 0, np.flatnonzero(moved > 0)
    if not beside:
        left &= core <= 0
    carried = CARRIED * moved[reached]
    for signal in CARRYING + [NUMBER["core_exact"]] * beside:
        own = value[signal]
        own[left] *= LEFT_BEHIND
        own[reached] = np.maximum(own[reached], carried)


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
