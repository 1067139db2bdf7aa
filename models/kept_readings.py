"""Readings kept from one compilation to the next.

Words that changed concern few of very many terms: only those that hold all characters of such a
word are read anew. What stands in between cannot matter, for reading looks up nothing but pieces
of a name, put together or as its standard words are written.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from scipy import sparse

from models.reading import Reader
from models.reading_many import Progress, TermReading, read_many
from models.words import Words

MANY = 2000  # from so many changed words on all is read anew
# The modules that read; a reading by another source of theirs is not taken over.
READING_SOURCES = ("normalise", "tokenizer", "groups", "remarks", "extras", "measures", "works",
                   "segments", "roles", "core", "reading", "words", "features", "reading_many",
                   "kept_readings")  # fmt: skip


def source_digest(identity: str, modules: Iterable[str]) -> str:
    """A short hash over an identity and the source of these modules of `models`."""
    digest = hashlib.sha256(identity.encode())
    for name in modules:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()[:16]


def read_terms(
    words: Words,
    reader: Reader,
    texts: Sequence[str],
    folder: Path | None,
    progress: Progress | None = None,
) -> tuple[list[TermReading], sparse.csr_matrix]:
    """Readings of the texts and their feature rows (n_texts, N_FEATURES), in order.

    words: what the reader is made of; folder: where readings are kept, none where they are not.
    """
    rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    engine = reader.engine
    name = f"readings-{engine}-{source_digest(engine, READING_SOURCES)}.npz"
    path = folder / name if folder else None
    before = _load(path) if path else None
    taken = before.untouched(words) if before else {}
    new = [text for text in rows if text not in taken]
    readings, raw = read_many(reader, new, progress)
    if before and taken:
        fresh = {text: row for row, text in enumerate(new, len(before.readings))}
        order = [taken[text] if text in taken else fresh[text] for text in rows]
        both = before.readings + readings
        readings = [both[row] for row in order]
        raw = sparse.vstack([before.raw, raw], format="csr")[order]
    if path and new:
        _save(path, Kept(words, rows, readings, raw))
    order = [rows[text] for text in texts]
    return [readings[row] for row in order], raw[order]


@dataclass(frozen=True, slots=True)
class Kept:
    """words: what was read by; rows: text → its row in readings and raw."""

    words: Words
    rows: dict[str, int]
    readings: list[TermReading]
    raw: sparse.csr_matrix

    def untouched(self, words: Words) -> dict[str, int]:
        """Texts whose readings hold with other words, too, with their rows."""
        changed = _changed(self.words, words)
        if changed is None or len(changed) > MANY:
            return {}
        by_letter: dict[str, list[Set[str]]] = defaultdict(list)
        for word in changed:
            by_letter[word[0]].append(frozenset(word) - {" "})

        def is_touched(letters: str) -> bool:
            own = frozenset(letters)
            return any(word <= own for letter in letters for word in by_letter.get(letter, ()))

        readings = self.readings
        return {text: row for text, row in self.rows.items()
                if not is_touched(readings[row].letters)}  # fmt: skip


def _changed(a: Words, b: Words) -> set[str] | None:
    """The words that came, went or mean something else; None where more than words changed."""
    if (a.units, a.replacements, a.remarks) != (b.units, b.replacements, b.remarks):
        return None
    sets = ((a.names, b.names), (a.exceptions, b.exceptions), (a.heads, b.heads))
    kinds = (
        (a.descriptors, b.descriptors),
        (a.positions, b.positions),
        (a.brands, b.brands),
    )
    changed = {word for one, other in sets for word in one ^ other}
    for one, other in kinds:
        changed |= {word for word, _ in one.items() ^ other.items()}
    return changed


def _load(path: Path) -> Kept | None:
    """What is kept; None where nothing is, or nothing that can be used."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            document = orjson.loads(stored["document"].tobytes())
            raw = sparse.csr_matrix(
                (stored["data"], stored["indices"], stored["indptr"]), document["shape"]
            )
        readings = [
            TermReading(normalised, core, head, letters, tuple(brands))
            for normalised, core, head, letters, brands in document["readings"]
        ]
        rows = {text: row for row, text in enumerate(document["texts"])}
        return Kept(Words.from_json(document["words"]), rows, readings, raw)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def _save(path: Path, kept: Kept) -> None:
    """Keep it in place of what was kept; written beside and renamed."""
    document: dict[str, Any] = {
        "shape": kept.raw.shape,
        "words": kept.words.to_json(),
        "texts": list(kept.rows),
        "readings": [tuple(one) for one in kept.readings],
    }
    raw = kept.raw
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".making-", suffix=".npz", dir=path.parent)
    os.close(handle)
    try:
        text = np.frombuffer(orjson.dumps(document), np.uint8)
        np.savez(temporary, document=text, data=raw.data, indices=raw.indices, indptr=raw.indptr)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    engine = path.name.rsplit("-", 1)[0]
    for other in path.parent.glob(f"{engine}-*.npz"):
        if other != path:
            other.unlink(missing_ok=True)
