"""Throughput of `invoicer recode --engine spark` on this machine, beside the local engine.

    python benchmarks/spark.py [--small] [--lines N] [--names N] [--cores N] [--out spark.json]

One made-up CSV history of a fixed seed (that of `recode.py`) goes through both engines; their
outputs are compared byte by byte. The time of Spark's start is in its figure, as in that of a
short job.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from recode import write_csv

from invoicer import Assistant

LINES, NAMES, SMALL = 200_000, 15_000, 20


def run(source: Path, out: Path, *more: str, cores: int) -> float:
    """Seconds of one run."""
    command = [sys.executable, "-m", "invoicer.cli", "recode", str(source), "-o", str(out), *more]
    settings = f"--master local[{cores}] --conf spark.ui.enabled=false pyspark-shell"
    start = time.perf_counter()
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, env={**os.environ, "PYSPARK_SUBMIT_ARGS": settings}
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"recode ended with {done.returncode}")
    return time.perf_counter() - start


def is_same(whole: Path, parts: Path) -> bool:
    """Whether the part files hold what the local engine wrote."""
    text = whole.read_bytes()
    header = text[: text.index(b"\r\n") + 2]
    joined = [part.read_bytes().removeprefix(header) for part in sorted(parts.glob("part-*"))]
    return header + b"".join(joined) == text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--small", action="store_true", help="little data, to see that it works")
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--names", type=int, default=NAMES)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    part = SMALL if given.small else 1
    lines, names = given.lines // part, given.names // part
    Assistant.load()  # the bundle is compiled before anything is timed
    result: dict[str, Any] = {
        "cores": given.cores, "load_at_start": os.getloadavg()[0], "lines": lines, "names": names,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, whole, parts = folder / "in.csv", folder / "local.csv", folder / "spark.csv"
        write_csv(source, lines, names)
        for engine, out in (("local", whole), ("spark", parts)):
            more = ["--workers", str(given.cores)] if engine == "local" else ["--engine", "spark"]
            seconds = run(source, out, *more, cores=given.cores)
            result[engine] = {"seconds": round(seconds, 1), "lines_per_s": round(lines / seconds)}
        result["same_bytes"] = is_same(whole, parts)
    print(json.dumps(result, ensure_ascii=False))
    if given.out:
        given.out.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
