"""The learned part on disk: ranker and calibration as JSON, committed with their provenance."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge_base.supplement import FILE
from models.calibration import Calibration
from models.ranking import Ranker

SHIPPED = Path(__file__).parent / "learned"


@dataclass(frozen=True, slots=True)
class Learned:
    """ranker, calibration and card (when, on what, how good); version: eight hex digits over all
    that decides, confirmed names included."""

    ranker: Ranker
    calibration: Calibration
    card: dict[str, Any]
    version: str


def load_learned(root: Path = SHIPPED) -> Learned:
    """The learned part of a directory; a clear error where it does not fit this program."""
    texts = {n: (root / f"{n}.json").read_bytes() for n in ("ranker", "calibration", "card")}
    data = {name: json.loads(text) for name, text in texts.items()}
    supplement = root / FILE
    names = supplement.read_bytes() if supplement.exists() else b""
    return Learned(
        ranker=Ranker.from_json(data["ranker"]),
        calibration=Calibration.from_json(data["calibration"]),
        card=data["card"],
        version=hashlib.sha256(texts["ranker"] + texts["calibration"] + names).hexdigest()[:8],
    )


def save_learned(
    root: Path, ranker: Ranker, calibration: Calibration, card: dict[str, Any]
) -> None:
    """Write the three files, each beside its place and renamed."""
    root.mkdir(parents=True, exist_ok=True)
    for name, value in (
        ("ranker", ranker.to_json()),
        ("calibration", calibration.to_json()),
        ("card", card),
    ):
        text = json.dumps(value, ensure_ascii=False, indent=None if name == "ranker" else 1)
        temporary = root / f".{name}.json.part"
        temporary.write_text(text + "\n", encoding="utf-8")
        os.replace(temporary, root / f"{name}.json")
