"""What a material, process or state word does to a product: 腌渍 + 青花鱼 is no fresh fish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge_base import KnowledgeBase
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
        starts = {core[:size] for size in (1, 2, 3, 4)}
        for word in (*starts, *(t for t in tokens if t in before or t not in core)):
            for number in self.words.get(word, ()):
                hits.setdefault(number, word)
        return [(word, self.moves[number]) for number, word in sorted(hits.items())]

    def fill(
        self, out: np.ndarray, readings: Sequence[Reading], bare: np.ndarray, known: np.ndarray
    ) -> np.ndarray:
        """Into zeros (n_lines, n_codes): + for codes a word moves the product to, − for those it
        moves it out of. Where the word stands beside a core that is a known name of what it
        moves (保鲜盒 玻璃), the line is marked in the array returned, (n_lines,) bool.

        bare: (n_lines, n_codes) how well the name alone fits each code, 0–1; known: likewise, the
        codes whose known name the core is.
        """
        beside = np.zeros(len(readings), bool)
        for i, reading in enumerate(readings):
            for word, move in self.found(reading):
                fit = float(bare[i, move.sources].max())
                if fit > 0:
                    out[i, move.sources] = np.minimum(out[i, move.sources], -fit)
                    out[i, move.target] = max(float(out[i, move.target]), fit)
                    if word not in reading.core and known[i, move.sources].any():
                        beside[i] = True
        return beside


def transfer(dense: dict[str, np.ndarray], beside: np.ndarray) -> None:
    """Let a transformation act: what the bare name says passes from the codes it leaves to the
    code it goes to, except where the whole core is a known name of a code and the word that
    moves it part of that name.

    beside: (n_lines,) bool, the word stands beside the core.
    """
    for i in np.flatnonzero(dense["moved"].any(axis=1)):
        known = dense["core_exact"][i]
        acts = beside[i] and not dense["exact"][i].any()
        if known.max() >= KNOWN and not acts:
            continue
        moved = dense["moved"][i]
        left = np.flatnonzero((moved < 0) & ((known == 0) | acts))
        reached = np.flatnonzero(moved > 0)
        for name in (*CARRYING, "core_exact") if acts else CARRYING:
            row = dense[name][i]
            row[left] *= LEFT_BEHIND
            row[reached] = np.maximum(row[reached], CARRIED * moved[reached])


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
