"""Speed of this installation: single answers and a batch, on the project's own samples."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from invoicer.assistant import Assistant
from models.compiled import is_frozen


def run(seconds: float, date: str) -> dict[str, Any]:
    """p50 and p99 of one `suggest` in ms, and distinct lines/s in one process."""
    start = time.perf_counter()
    assistant = Assistant.load()
    names = [s.name for s in assistant.kb.lexicon.samples() if is_frozen(s)]
    assistant.suggest(names[0])
    ready = time.perf_counter() - start
    times = []
    stop = time.perf_counter() + seconds
    for name in names * 50:
        t = time.perf_counter()
        assistant.suggest(name)
        times.append(time.perf_counter() - t)
        if time.perf_counter() > stop:
            break
    t = time.perf_counter()
    assistant.suggest(names)
    batch = time.perf_counter() - t
    return {
        "date": date,
        "load_to_first_answer_s": round(ready, 3),
        "single_p50_ms": round(float(np.percentile(times, 50)) * 1e3, 3),
        "single_p99_ms": round(float(np.percentile(times, 99)) * 1e3, 3),
        "batch_lines": len(names),
        "batch_lines_per_s": round(len(names) / batch),
        "model_version": assistant.model_version,
        "kb_version": assistant.kb_version,
    }
