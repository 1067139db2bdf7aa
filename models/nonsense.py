"""Names that mean nothing: what the ranker has to learn to be unsure about."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence

SIZES = ("", "", " 100ml", " 2型", " 500g", "*12")


def nonsense(names: Sequence[str], count: int, seed: int = 0) -> list[str]:
    """`count` names without a meaning, half of them characters drawn from different real names,
    half random letters and figures; the same ones for the same seed."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        if number % 2:
            size = chance.randint(2, 5)
            text = "".join(chance.choice(chance.choice(names)) for _ in range(size))
        else:
            size = chance.randint(2, 8)
            letters = chance.choice((string.ascii_lowercase, string.ascii_lowercase + "0123456789"))
            text = "".join(chance.choice(letters) for _ in range(size))
        made.append(text + chance.choice(SIZES))
    return made
