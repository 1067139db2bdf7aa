"""Speed of invoicer beside the naive pipeline, in one run, on the same names.

    python benchmarks/speed.py [--small] [--out speed.json]

Naive: `jieba.lcut` + `TfidfVectorizer` over one text per code + `rapidfuzz.process.extract` with
`WRatio` over every official name, keyword and include. Ours: the installed package with its
compiled bundle (`INVOICER_DATA_DIR` says where it is). What each figure means stands in
`README.md`; no figure here fails a test, the targets are only printed beside them.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import logging
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from invoicer import Assistant
from invoicer.batch import Defaults, answer_rows
from invoicer.settings import Settings
from knowledge_base.tables import columns
from models.compiled import is_frozen
from models.tokenizer import available_engine

HERE = Path(__file__).parent
ON = dt.date(2026, 1, 1)
FIRST_NAME = "柚子味鱼排 200g"
SIZES = ("200g", "500ml", "1kg*12", "330ml*24罐", "250克", "12支装", "1.5L", "100片")
TOP = 5

# figure → (target, whether more is better)
TARGETS = {
    "ratio": (100.0, True),
    "distinct_lines_per_s": (3000.0, True),
    "single_p50_ms": (1.5, False),
    "single_p99_ms": (6.0, False),
    "start_to_first_answer_s": (1.5, False),
    "pss_mb": (350.0, False),
}


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: names through the naive pipeline, distinct lines, single calls,
    process starts."""

    naive: int
    distinct: int
    single: int
    starts: int


FULL = Effort(naive=500, distinct=20_000, single=2000, starts=5)
SMALL = Effort(naive=8, distinct=2100, single=60, starts=1)


def read_column(path: Path, column: str) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[column] for row in csv.DictReader(file)]


class NaivePipeline:
    """What one writes in an afternoon: word TF-IDF over codes, fuzzy match over all terms."""

    def __init__(self, codes: list[str], terms: list[str]):
        import jieba
        from sklearn.feature_extraction.text import TfidfVectorizer

        jieba.setLogLevel(logging.WARNING)
        texts: dict[str, list[str]] = defaultdict(list)
        for code, term in zip(codes, terms, strict=True):
            texts[code].append(term)
        self.terms, self.term_codes, self.codes = terms, codes, list(texts)
        self._vectorizer = TfidfVectorizer(analyzer=jieba.lcut)
        self._matrix = self._vectorizer.fit_transform(" ".join(t) for t in texts.values())

    def answer(self, name: str) -> tuple[list[str], list[str]]:
        """(best codes by TF-IDF, best codes by fuzzy match), at most TOP each."""
        from rapidfuzz import fuzz, process

        scores = (self._vectorizer.transform([name]) @ self._matrix.T).toarray()[0]
        near = process.extract(name, self.terms, scorer=fuzz.WRatio, limit=TOP)
        best = [self.codes[i] for i in np.argsort(-scores)[:TOP]]
        return best, [self.term_codes[i] for _, _, i in near]


def distinct_lines(n: int) -> list[str]:
    """n different lines: the names of `samples.csv`, then the same names with sizes."""
    names = list(dict.fromkeys(name for (name,) in columns("samples", "name")))
    lines: dict[str, None] = {}
    for turn in count():
        size = SIZES[turn % len(SIZES)]
        pack = f" {turn // len(SIZES) + 1}箱" if turn >= len(SIZES) else ""
        for name in names:
            lines[f"{name} {size}{pack}"] = None
            if len(lines) == n:
                return list(lines)
    raise AssertionError("unreachable")


def cpu_seconds() -> float:
    """Processor time of this process and of its finished children: what a busy machine does not
    distort."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def measure_naive(names: list[str]) -> dict[str, float]:
    start = time.perf_counter()
    pipeline = NaivePipeline(
        read_column(HERE / "naive_terms.csv", "code"), read_column(HERE / "naive_terms.csv", "term")
    )
    pipeline.answer(names[0])
    ready = time.perf_counter()
    cpu = cpu_seconds()
    answered = sum(bool(pipeline.answer(name)[1]) for name in names)
    seconds, cpu = time.perf_counter() - ready, cpu_seconds() - cpu
    return {
        "naive_names": len(names),
        "naive_answered": answered,
        "naive_terms": len(pipeline.terms),
        "naive_codes": len(pipeline.codes),
        "naive_set_up_s": round(ready - start, 3),
        "naive_names_per_s": round(len(names) / seconds, 2),
        "naive_names_per_cpu_s": round(len(names) / cpu, 2),
    }


def measure_ours(assistant: Assistant, names: list[str], rounds: int = 3) -> dict[str, float]:
    """The same names in one process, best of a few rounds (the naive one is too slow for more)."""
    assistant.suggest(names[:64])
    best, cpu = 0.0, cpu_seconds()
    for _ in range(rounds):
        start = time.perf_counter()
        answers = assistant.suggest(names)
        best = max(best, len(names) / (time.perf_counter() - start))
    return {
        "our_names": len(names),
        "our_answered": sum(bool(s.candidates) for s in answers),
        "our_names_per_s": round(best, 1),
        "our_names_per_cpu_s": round(rounds * len(names) / (cpu_seconds() - cpu), 1),
    }


def measure_batch(assistant: Assistant, n: int, workers: int) -> dict[str, float]:
    """Distinct lines through the batch path, worker start included; `steady` is the slope from a
    quarter of the answers to the last, so without the start."""
    rows = [[line] for line in distinct_lines(n)]
    defaults = Defaults(date=ON)
    start, cpu = time.perf_counter(), cpu_seconds()
    answered, quarter, failed = 0, start, 0
    for row in answer_rows(assistant, rows, {"name": 0}, defaults, workers):
        answered += 1
        failed += bool(row.error)
        if answered == n // 4:
            quarter = time.perf_counter()
    end, cpu = time.perf_counter(), cpu_seconds() - cpu
    return {
        "distinct_lines": len({row[0] for row in rows}),
        "distinct_answered": answered - failed,
        "workers": workers,
        "distinct_lines_per_s": round(answered / (end - start), 1),
        "distinct_lines_per_cpu_s": round(answered / cpu, 1),
        "distinct_lines_per_s_steady": round((answered - n // 4) / (end - quarter), 1),
    }


def measure_single(assistant: Assistant, n: int) -> dict[str, float]:
    """One call a name, on samples that nothing was trained on."""
    names = [s.name for s in assistant.kb.lexicon.samples() if is_frozen(s)]
    for name in names[:50]:
        assistant.suggest(name)
    times = []
    for i in range(n):
        start = time.perf_counter()
        assistant.suggest(names[i % len(names)])
        times.append((time.perf_counter() - start) * 1e3)
    p50, p99 = np.percentile(times, [50, 99])
    return {
        "single_calls": n,
        "single_p50_ms": round(float(p50), 3),
        "single_p99_ms": round(float(p99), 3),
    }


def measure_start(times: int) -> dict[str, float]:
    """Wall time of a fresh process from start to its first answer, median; API and command."""
    api = "from invoicer import Assistant\n"
    api += f"print(Assistant.load().suggest({FIRST_NAME!r}).candidates[0].code)"
    commands = {
        "start_to_first_answer_s": [sys.executable, "-c", api],
        "start_command_s": [
            sys.executable, "-m", "invoicer.cli", "classify", FIRST_NAME, "--format", "jsonl",
        ],
    }  # fmt: skip
    found: dict[str, float] = {}
    for figure, command in commands.items():
        seconds = []
        for _ in range(times):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
        found[figure] = round(statistics.median(seconds), 3)
    return found


def measure_memory() -> dict[str, float]:
    """PSS of a process that has answered 500 single names and 500 in one call."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), "--serve-and-weigh"],
        check=True,
        capture_output=True,
        text=True,
    )
    return {"pss_mb": float(done.stdout.split()[-1])}


def serve_and_weigh() -> float:
    """Answer the frozen names here, then this process's PSS in MB (Linux only)."""
    assistant = Assistant.load()
    names = read_column(HERE / "names_500.csv", "name")
    for name in names:
        assistant.suggest(name)
    assistant.suggest(names)
    text = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    match = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    if match is None:
        raise RuntimeError("no Pss line in /proc/self/smaps_rollup")
    return round(int(match[1]) / 1024, 1)


def machine() -> dict[str, Any]:
    """Where and when, and how busy the machine was: a busy machine makes poor figures."""
    packages = ("numpy", "scipy", "scikit-learn", "jieba", "rjieba", "rapidfuzz")
    return {
        "date": dt.datetime.now().isoformat(timespec="minutes"),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load_at_start": round(os.getloadavg()[0], 2),
        "packages": {name: version(name) for name in packages},
    }


def run(effort: Effort, workers: int) -> dict[str, Any]:
    where = machine()
    assistant = Assistant.load()
    names = read_column(HERE / "names_500.csv", "name")
    figures = measure_naive(names[: effort.naive])
    figures |= measure_ours(assistant, names)
    figures["ratio"] = round(figures["our_names_per_s"] / figures["naive_names_per_s"], 1)
    figures["ratio_cpu"] = round(
        figures["our_names_per_cpu_s"] / figures["naive_names_per_cpu_s"], 1
    )
    figures |= measure_single(assistant, effort.single)
    figures |= measure_start(effort.starts)
    figures |= measure_memory()
    figures |= measure_batch(assistant, effort.distinct, workers)
    figures["ratio_with_workers"] = round(
        figures["distinct_lines_per_s"] / figures["naive_names_per_s"], 1
    )
    return {
        **where,
        "engine": Settings().engine or available_engine(),
        "model_version": assistant.model_version,
        "kb_version": assistant.kb_version,
        "figures": figures,
        "targets": {
            name: {
                "target": target,
                "value": figures[name],
                "met": figures[name] >= target if more else figures[name] <= target,
            }
            for name, (target, more) in TARGETS.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a short run, to see that it works")
    parser.add_argument("--workers", type=int, default=2, help="worker processes of the batch")
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    parser.add_argument("--serve-and-weigh", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_and_weigh:
        print(serve_and_weigh())
        return
    result = run(SMALL if options.small else FULL, options.workers)
    text = json.dumps(result, ensure_ascii=False, indent=1)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
