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
        tokens = [word for word, role, _ in reading.tokens if role not in {"flavour", "brand"}]
        starts = dict.fromkeys(core[:size] for size in (4, 3, 2, 1))  # the longest word is named
        for word in (*starts, *(t for t in tokens if t in before or t not in core)):
            for number in self.words.get(word, ()):
                hits.setdefault(number, word)
        return [(word, self.moves[number]) for number, word in sorted(hits.items())]


def transform(hits: dict[str, Hits], moves: Sequence[Sequence[tuple[str, Move]]], n: int) -> None:
    """Add the signal `moved`, and let it act on the others.

    moves: of each line; n: number of codes.
    """
    if not any(moves):
        hits["moved"] = NO_HITS
        return
    hits["moved"] = _moved(hits, moves, n)
    _transfer(hits, n)


def _moved(hits: Mapping[str, Hits], moves: Sequence[Sequence[tuple[str, Move]]], n: int) -> Hits:
    """+ for codes a word moves the product to, − for those it moves it out of: as much as the
    bare name fits the codes it moves from."""
    bare, out = np.zeros((2, len(moves), n), np.float32)
    fit = bare.reshape(-1)
    for name, weight in (("suffix", 1.0), ("name", 0.8), ("official", 0.8)):
        place, value = hits[name].place, hits[name].value
        fit[place] = np.maximum(fit[place], np.float32(weight) * value)
    for i, found in enumerate(moves):
        for _, move in found:
            best = float(bare[i, move.sources].max())
            if best > 0:
                out[i, move.sources] = np.minimum(out[i, move.sources], -best)
                out[i, move.target] = max(float(out[i, move.target]), best)
    place = np.flatnonzero(out != 0)
    return Hits(place, out.reshape(-1)[place])


def _transfer(hits: dict[str, Hits], n: int) -> None:
    """What the bare name says passes from the codes that a word leaves to the code it goes to,
    except where the whole core is a known name of a code."""
    moved, core = hits["moved"], hits["core_exact"]
    settled = np.isin(moved.place // n, core.place[core.value >= KNOWN] // n)
    left = (moved.value < 0) & ~settled & ~np.isin(moved.place, core.place[core.value > 0])
    reached = (moved.value > 0) & ~settled
    if not (left.any() or reached.any()):
        return
    behind, to = moved.place[left], moved.place[reached]
    carried = CARRIED * moved.value[reached]
    for name in CARRYING:
        place, value = hits[name].place, hits[name].value
        value = np.where(np.isin(place, behind), LEFT_BEHIND * value, value)
        hits[name] = Hits(np.concatenate([place, to]), np.concatenate([value, carried])).highest()


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
