"""Bundles: compiled knowledge on disk as plain arrays and JSON, memory-mapped, never pickled.

A bundle lives in a directory named by the hash of the data, the engine and the code that made
it. It is written beside and renamed, under a lock, and refused when anything does not match.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from filelock import FileLock, Timeout
from scipy import sparse

from knowledge_base import KnowledgeBase
from models.affinity import Affinity
from models.categories import Category
from models.compiled import CodeFacts, Compiled, compile_knowledge
from models.index import Index
from models.kept_readings import READING_SOURCES, source_digest
from models.meaning import Meaning
from models.quantities import Quantities
from models.reading_many import Progress
from models.transformation import Move, Transformations
from models.words import Words

FORMAT = "1"
LOCK_SECONDS = 180.0
_SOURCES = (*READING_SOURCES, "index", "affinity", "meaning", "transformation", "quantities",
            "categories", "compiled")  # fmt: skip


class BundleError(Exception):
    """A bundle that cannot be used; the message says why and what to do."""


def bundle_key(kb: KnowledgeBase, engine: str) -> str:
    """Identity of a bundle: data, engine, and the source of what compiles it."""
    return source_digest(f"{FORMAT}|{engine}|{kb.version}", _SOURCES)


def bundle_path(kb: KnowledgeBase, engine: str, root: Path) -> Path:
    """Where the bundle for this knowledge and engine is kept."""
    return root / f"{engine}-{bundle_key(kb, engine)}"


def load_or_compile(
    kb: KnowledgeBase, engine: str, root: Path, progress: Progress | None = None
) -> Compiled:
    """The bundle for this knowledge and engine, compiled on first use under a lock."""
    path = bundle_path(kb, engine, root)
    if not (path / "manifest.json").exists():
        root.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(root / ".lock", timeout=LOCK_SECONDS):
                if not (path / "manifest.json").exists():
                    compiled = compile_knowledge(kb, engine, root, progress)[0]
                    save(compiled, path, engine, kb.version)
        except Timeout:
            raise BundleError(
                f"另一个进程正在编译模型,等待超过 {LOCK_SECONDS:.0f} 秒;请稍后重试,"
                f"或删除 {root / '.lock'}"
            ) from None
    return load(path, engine, kb.version)


def save(compiled: Compiled, path: Path, engine: str, kb_version: str) -> None:
    """Write a bundle beside its place and rename it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".making-", dir=path.parent))
    try:
        for name, array in _arrays(compiled).items():
            np.save(temporary / f"{name}.npy", array, allow_pickle=False)
        for name, value in _documents(compiled).items():
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            (temporary / f"{name}.json").write_text(text, encoding="utf-8")
        files = {p.name: _digest(p) for p in sorted(temporary.iterdir())}
        manifest = {
            "format": FORMAT,
            "engine": engine,
            "kb_version": kb_version,
            "key": path.name,
            "n_codes": compiled.index.n_codes,
            "n_terms": len(compiled.index.terms),
            "files": files,
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        (temporary / "manifest.json").write_text(text, encoding="utf-8")
        shutil.rmtree(path, ignore_errors=True)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def load(path: Path, engine: str, kb_version: str) -> Compiled:
    """A checked bundle, its arrays memory-mapped read-only."""
    cure = f"请删除目录 {path} 后重试,系统会重新编译"
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        for key, wanted in (("format", FORMAT), ("engine", engine), ("kb_version", kb_version)):
            if manifest.get(key) != wanted:
                raise BundleError(f"模型包的 {key} 是 {manifest.get(key)!r},需要 {wanted!r};{cure}")
        for name, digest in manifest["files"].items():
            if _digest(path / name) != digest:
                raise BundleError(f"模型包文件 {name} 已损坏(校验值不符);{cure}")
        arrays = {
            # A plain view of the map: `np.memmap` itself is slow to slice.
            p.stem: np.asarray(np.load(p, mmap_mode="r", allow_pickle=False))
            for p in path.glob("*.npy")
        }
        documents = {
            name: orjson.loads((path / f"{name}.json").read_bytes())
            for name in ("codes", "terms", "words", "lookups")
        }
        return _assemble(arrays, documents)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(f"模型包无法读取({error});{cure}") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_SPARSE = ("postings", "profiles", "ends", "name_codes", "brands", "makers")
_PLAIN = ("term_code", "term_kind", "idf", "term_count")
_FACTS = ("group", "family", "catch_all", "service", "valid_from", "valid_to")
_MEANING = ("buckets", "vectors", "scale", "centres", "start")
_QUANTITIES = ("table", "group")


def _arrays(compiled: Compiled) -> dict[str, np.ndarray]:
    index = compiled.index
    tables = {
        "postings": index.postings,
        "profiles": index.profiles,
        "ends": index.ends,
        "name_codes": index.name_codes,
        "brands": compiled.brands.table,
        "makers": compiled.makers.table,
    }
    arrays = {
        f"{name}.{part}": getattr(table, part)
        for name, table in tables.items()
        for part in ("data", "indices", "indptr")
    }
    arrays.update({name: getattr(index, name) for name in _PLAIN})
    arrays.update({f"facts.{name}": getattr(compiled.facts, name) for name in _FACTS})
    arrays.update({f"meaning.{name}": getattr(compiled.meaning, name) for name in _MEANING})
    arrays.update({f"quantities.{n}": getattr(compiled.quantities, n) for n in _QUANTITIES})
    return arrays


def _documents(compiled: Compiled) -> dict[str, Any]:
    facts = compiled.facts
    return {
        "codes": compiled.index.codes,
        "terms": list(compiled.index.terms),
        "words": compiled.words.to_json(),
        "lookups": {
            "brand_words": compiled.brands.words,
            "maker_words": compiled.makers.words,
            "excluded_terms": facts.excluded_terms,
            "short_name_codes": {k: v.tolist() for k, v in facts.short_name_codes.items()},
            "transformations": {
                "words": compiled.transformations.words,
                "moves": [
                    [move.sources.tolist(), move.target, move.why]
                    for move in compiled.transformations.moves
                ],
            },
            "quantities": {
                "units": compiled.quantities.units,
                "alone": compiled.quantities.alone,
                "kinds": compiled.quantities.kinds,
            },
            "categories": {key: astuple(one) for key, one in compiled.categories.items()},
            "service_units": sorted(compiled.service_units),
            "goods_units": sorted(compiled.goods_units),
        },
    }


def _assemble(arrays: dict[str, np.ndarray], documents: dict[str, Any]) -> Compiled:
    codes, words, lookups = documents["codes"], documents["words"], documents["lookups"]
    widths = {"postings": len(documents["terms"])}
    tables = {}
    for name in _SPARSE:
        indptr = arrays[f"{name}.indptr"]
        tables[name] = sparse.csr_matrix(
            (arrays[f"{name}.data"], arrays[f"{name}.indices"], indptr),
            shape=(len(indptr) - 1, widths.get(name, len(codes))),
            copy=False,
        )
    names = {name: i for i, name in enumerate(words["names"])}
    facts = CodeFacts(
        **{name: arrays[f"facts.{name}"] for name in _FACTS},
        excluded_terms={k: [(a, b) for a, b in v] for k, v in lookups["excluded_terms"].items()},
        short_name_codes={k: np.array(v, np.int32) for k, v in lookups["short_name_codes"].items()},
    )
    return Compiled(
        words=Words.from_json(words, names.keys()),
        index=Index(
            codes=codes,
            terms=documents["terms"],
            postings=tables["postings"],
            profiles=tables["profiles"],
            ends=tables["ends"],
            names=names,
            name_codes=tables["name_codes"],
            **{name: arrays[name] for name in _PLAIN},
        ),
        facts=facts,
        brands=Affinity(lookups["brand_words"], tables["brands"]),
        makers=Affinity(lookups["maker_words"], tables["makers"]),
        meaning=Meaning(*(arrays[f"meaning.{name}"] for name in _MEANING)),
        transformations=Transformations(
            lookups["transformations"]["words"],
            [
                Move(np.array(sources, np.int32), target, why)
                for sources, target, why in lookups["transformations"]["moves"]
            ],
        ),
        quantities=Quantities(
            *(lookups["quantities"][name] for name in ("units", "alone", "kinds")),
            *(arrays[f"quantities.{name}"] for name in _QUANTITIES),
        ),
        categories={key: Category(*one) for key, one in lookups["categories"].items()},
        service_units=frozenset(lookups["service_units"]),
        goods_units=frozenset(lookups["goods_units"]),
    )
