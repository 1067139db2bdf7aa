"""The service under load: `invoicer serve` on loopback, driven by wrk.

    python benchmarks/load.py [--small] [--soak MINUTES] [--out load.json]

Distinct names, a key, limits and the log switched on, 32 connections. Needs wrk (Debian: wrk).
What each figure means stands in `README.md`; no figure here fails a test.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from invoicer.access import keys, tenants
from invoicer.access.principals import Role
from invoicer.store import Store
from knowledge_base import KnowledgeBase
from models.compiled import is_frozen

HERE = Path(__file__).parent
CONNECTIONS = 32

# figure → (target, whether more is better)
TARGETS = {
    "one_worker_200.p50_ms": (5.0, False),
    "one_worker_200.p99_ms": (25.0, False),
    "two_workers.requests_per_s": (700.0, True),
    "batches.lines_per_s": (2500.0, True),
    "single_beside_batch.p99_ms": (60.0, False),
    "memory.extra_worker_mb": (130.0, False),
}


@dataclass(frozen=True, slots=True)
class Server:
    """A running service with a key for it."""

    port: int
    key: str
    names: Path
    log: Path
    process: subprocess.Popen[bytes]


@contextmanager
def serving(workers: int, folder: Path) -> Iterator[Server]:
    """`invoicer serve` with its own database."""
    port = free_port()
    database = folder / f"load-{workers}-{port}.db"
    store = Store.open(database)
    tenants.create(store, "load")
    _, key = keys.create(store, "load", "wrk", Role.CLIENT, lines_per_second=1e6)
    store.close()
    names = folder / "names.txt"
    samples = KnowledgeBase.load().lexicon.samples()
    plain = [s.name for s in samples if is_frozen(s) and not set('"\\') & set(s.name)]
    names.write_text("\n".join(plain), encoding="utf-8")
    log = folder / f"log-{port}.jsonl"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "serve", "--port", str(port),
             "--workers", str(workers)],
            env={**os.environ, "INVOICER_DATABASE": str(database), "OMP_NUM_THREADS": "1"},
            stderr=output,
        )  # fmt: skip
    try:
        wait_until_ready(port, process)
        yield Server(port, key, names, log, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait for a started service; ends the program where it does not come up."""
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit("invoicer serve did not start")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("invoicer serve did not become ready")


def start_load(
    server: Server,
    seconds: float,
    *,
    rate: float = 0,
    lines: int = 1,
    connections: int = CONNECTIONS,
) -> subprocess.Popen[str]:
    """wrk in the background. rate: requests a second, 0 for as many as are taken."""
    threads = min(2, connections)
    return subprocess.Popen(
        ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds:.0f}s",
         "--timeout", "30s", "-s", str(HERE / "load.lua"), f"http://127.0.0.1:{server.port}"],
        env={**os.environ, "KEY": server.key, "NAMES": str(server.names), "LINES": str(lines),
             "RATE": str(rate), "THREADS": str(threads)},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def result_of(load: subprocess.Popen[str], lines: int = 1) -> dict[str, float]:
    """What wrk measured."""
    text, _ = load.communicate()
    found = [line for line in text.splitlines() if line.startswith("RESULT ")]
    if not found:
        raise SystemExit(f"wrk failed: {text}")
    result: dict[str, float] = json.loads(found[0].removeprefix("RESULT "))
    result["requests_per_s"] = round(result["requests"] / result["seconds"], 1)
    if lines > 1:
        result["lines_per_s"] = round(result["requests_per_s"] * lines, 1)
    return result


def processes(server: Server) -> list[int]:
    """The service's process and its workers."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(
                    (entry / "stat").read_text().rsplit(")")[1].split()[1]
                )
            except OSError:
                continue
    root = server.process.pid
    return [root, *(pid for pid, parent in parents.items() if parent == root)]


def memory_mb(pid: int, field: str) -> float:
    """A sum from /proc/PID/smaps_rollup: Pss, or Private_Dirty + Private_Clean as `Private`."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    kib = sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(field))
    return kib / 1024


def memory(server: Server) -> dict[str, Any]:
    """Memory of all processes (PSS), and what each worker has for itself."""
    pids = processes(server)
    private = [round(memory_mb(pid, "Private"), 1) for pid in pids[1:]]
    return {
        "pss_mb": round(sum(memory_mb(pid, "Pss:") for pid in pids), 1),
        "worker_private_mb": private,
        "extra_worker_mb": max(private, default=0.0),
    }


def measure(seconds: float, batch: int, folder: Path) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    with serving(1, folder) as server:
        result_of(start_load(server, min(3, seconds)))
        figures["one_worker"] = result_of(start_load(server, seconds))
        figures["one_worker_200"] = result_of(start_load(server, seconds, rate=200))
    with serving(2, folder) as server:
        result_of(start_load(server, min(3, seconds)))
        figures["two_workers"] = result_of(start_load(server, seconds))
        figures["memory"] = memory(server)
        figures["batches"] = result_of(
            start_load(server, seconds, lines=batch, connections=4), batch
        )
        beside = start_load(server, seconds + 2, lines=batch, connections=1)
        figures["single_beside_batch"] = result_of(start_load(server, seconds, rate=50))
        figures["batch_beside_single"] = result_of(beside, batch)
    return figures


def soak(minutes: float, rate: float, folder: Path) -> dict[str, Any]:
    """Minutes at a rate, with the memory at the start, in the middle and at the end."""
    with serving(2, folder) as server:
        result_of(start_load(server, 5))
        load = start_load(server, minutes * 60, rate=rate)
        seen = []
        while load.poll() is None:
            seen.append(memory(server)["pss_mb"])
            time.sleep(max(1.0, minutes * 60 / 20))
        return {"minutes": minutes, "rate": rate, **result_of(load), "pss_mb": seen}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="2 seconds a figure")
    parser.add_argument("--soak", type=float, default=0, metavar="MINUTES")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed (Debian: apt-get install wrk)")
    result: dict[str, Any] = {
        "date": dt.date.today().isoformat(),
        "cores": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "load_at_start": os.getloadavg()[0],
        "versions": {name: version(name) for name in ("fastapi", "uvicorn", "gunicorn")},
    }
    with tempfile.TemporaryDirectory() as folder:
        result |= measure(*((2, 50) if given.small else (20, 1000)), Path(folder))
        if given.soak:
            most = result["two_workers"]["requests_per_s"]
            result["soak"] = soak(given.soak, 0.8 * most, Path(folder))
    result["targets"] = {
        name: {"target": target, "more_is_better": more} for name, (target, more) in TARGETS.items()
    }
    text = json.dumps(result, ensure_ascii=False, indent=1)
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
