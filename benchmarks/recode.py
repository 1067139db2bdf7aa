"""Speed and memory of `invoicer recode` on made-up histories of a fixed seed.

    python benchmarks/recode.py [--small] [--lines N] [--case NAME ...] [--out recode.json]

Cases: `repeated` (many lines, few names), `distinct` (every line another name), `sheet` (XLSX in
and out, 15 columns), `full_sheet` (an XLSX of 1,048,576 rows, as many as there can be), `killed`
(kill -9 several times, then resumed: the same bytes?). No figure here fails a test; the targets are
only printed beside them. `cpu_seconds` is the processor time of all processes, `yardstick_seconds`
that of a fixed loop before and after: where the machine is shared, their ratio says more than the
clock. Lines are names of the knowledge base
with amounts and dates drawn at random, one code in ten another one's. Linux only: memory is PSS
from /proc, added up over all processes, looked at every half second.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from invoicer import Assistant
from knowledge_base import KnowledgeBase
from knowledge_base.rate_advice import TaxpayerType, format_rate
from knowledge_base.rates import RateTable

SEED = 20260101
HEADER = (
    "发票号码", "开票日期", "销售方名称", "购买方名称", "商品名称", "规格型号", "单位", "数量",
    "单价", "金额", "税率", "税额", "税收分类编码", "备注", "部门",
)  # fmt: skip
WRONG = 0.1
TARGETS = {"repeated": 8_000, "distinct": 2_500}
SHEET_SECONDS, PSS_MB = 90, 600


def pool(size: int) -> list[tuple[str, str]]:
    """(name, code) pairs, all names different."""
    kb = KnowledgeBase.load()
    known = dict.fromkeys(
        [(s.name, s.code) for s in kb.lexicon.samples()]
        + [(term, code) for code, term in kb.lexicon.everyday_names()]
    )
    base = list({name: (name, code) for name, code in known if kb.taxonomy[code].is_leaf}.values())
    random.Random(SEED).shuffle(base)
    found = base[:size]
    turn = 1
    while len(found) < size:
        found += [(f"{name} {100 + turn}g", code) for name, code in base[: size - len(found)]]
        turn += 1
    return found


def rows(lines: int, names: int) -> Iterator[list[str]]:
    """Made-up lines; every name once where there are as many names as lines."""
    kb = KnowledgeBase.load()
    table, draw = RateTable.load(taxonomy=kb.taxonomy), random.Random(SEED)
    products, rates = pool(names), dict[tuple[str, int], str]()
    for number in range(lines):
        name, code = products[number if names == lines else draw.randrange(names)]
        declared = products[draw.randrange(names)][1] if draw.random() < WRONG else code
        year, month, day = draw.randrange(2020, 2026), draw.randrange(1, 13), draw.randrange(1, 29)
        if (code, year) not in rates:
            advice = table.advise(kb.taxonomy[code], dt.date(year, 7, 1), TaxpayerType.GENERAL)[0]
            rate = advice.rate
            rates[code, year] = "免税" if rate is None else f"{format_rate(rate * 100)}%"
        quantity, price = draw.randrange(1, 50), draw.randrange(100, 90_000)
        rate, fen = rates[code, year], quantity * price
        tax = 0 if rate == "免税" else fen * float(rate[:-1]) / 100
        yield [
            f"24{number // 4:018d}", f"{year}-{month:02d}-{day:02d}",
            f"第{draw.randrange(40)}商贸有限公司", "远航科技有限公司", name, "", "个",
            str(quantity), f"{price / 100:.2f}", f"{fen / 100:.2f}", rate, f"{tax / 100:.2f}",
            declared, "", "采购",
        ]  # fmt: skip


def write_csv(path: Path, lines: int, names: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows(lines, names))


def write_sheet(path: Path, lines: int, names: int, columns: Sequence[str] = HEADER) -> None:
    shown = [HEADER.index(title) for title in columns]
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, columns)
    for place, row in enumerate(rows(lines, names), 1):
        for column, number in enumerate(shown):
            sheet.write_string(place, column, row[number])
    book.close()


def processes_of(parent: int) -> list[int]:
    """A process and all below it."""
    found = [parent]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*"):
            try:
                found += map(int, (task / "children").read_text().split())
            except OSError:
                continue
    return found


def pss_mb(parent: int) -> float:
    """Proportional set size of a process and all below it."""
    total = 0
    for pid in processes_of(parent):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next((int(x.split()[1]) for x in text.splitlines() if x.startswith("Pss:")), 0)
    return total / 1024


def command(source: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "invoicer.cli", "recode", str(source), "-o", str(out),
            "--workers", "2", *more]  # fmt: skip


def yardstick() -> float:
    """Processor seconds of ten million rounds of a fixed loop, of which a fifth is run."""
    start, total = time.process_time(), 0
    for number in range(2_000_000):
        total += number * number % 7
    return 5 * (time.process_time() - start)


def cpu_seconds() -> float:
    """Processor time of all ended processes below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(source: Path, out: Path) -> dict[str, float]:
    """Seconds by the clock and of the processors, and highest PSS of one run."""
    before, used = yardstick(), cpu_seconds()
    start, most = time.perf_counter(), 0.0
    process = subprocess.Popen(command(source, out), stdout=subprocess.DEVNULL)
    while process.poll() is None:
        most = max(most, pss_mb(process.pid))
        time.sleep(0.5)
    if process.returncode not in (0, 1):
        raise SystemExit(f"recode ended with {process.returncode}")
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(cpu_seconds() - used, 1),
        "yardstick_seconds": round((before + yardstick()) / 2, 2),
        "pss_mb": round(most),
    }


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def repeated(folder: Path, lines: int) -> dict[str, Any]:
    names = max(1, lines * 3 // 40)
    write_csv(folder / "repeated.csv", lines, names)
    found = run(folder / "repeated.csv", folder / "repeated.out.csv")
    return {"lines": lines, "names": names, **found, **_rate(lines, found, "repeated")}


def distinct(folder: Path, lines: int) -> dict[str, Any]:
    write_csv(folder / "distinct.csv", lines, lines)
    found = run(folder / "distinct.csv", folder / "distinct.out.csv")
    return {"lines": lines, "names": lines, **found, **_rate(lines, found, "distinct")}


def _rate(lines: int, found: dict[str, float], case: str) -> dict[str, Any]:
    return {
        "lines_per_s": round(lines / found["seconds"]), "target_lines_per_s": TARGETS[case],
        "target_pss_mb": PSS_MB,
    }  # fmt: skip


def sheet(folder: Path, lines: int) -> dict[str, Any]:
    write_sheet(folder / "sheet.xlsx", lines, max(1, lines // 10))
    found = run(folder / "sheet.xlsx", folder / "sheet.out.xlsx")
    return {"lines": lines, "columns": len(HEADER), **found, "target_seconds": SHEET_SECONDS}


def full_sheet(folder: Path, lines: int) -> dict[str, Any]:
    columns = ("商品名称", "金额", "税率", "税收分类编码")
    write_sheet(folder / "full.xlsx", lines, max(1, lines // 500), columns)
    found = run(folder / "full.xlsx", folder / "full.out.csv")
    return {"rows": lines + 1, "columns": len(columns), **found}


def killed(folder: Path, lines: int) -> dict[str, Any]:
    """Killed at growing intervals until it is through."""
    source, out = folder / "killed.csv", folder / "killed.out.csv"
    write_csv(source, lines, max(1, lines // 10))
    whole = folder / "whole.out.csv"
    seconds = run(source, whole)["seconds"]
    kills, share, resume = 0, 0.3, ()
    while True:
        process = subprocess.Popen(command(source, out, *resume), stdout=subprocess.DEVNULL)
        try:
            process.wait(timeout=max(seconds * share, 1.0))
            break
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            time.sleep(3)  # its worker processes notice and end
        kills, share = kills + 1, share + 0.2
        if (out.parent / f".{out.name}.work" / "manifest.json").exists():
            resume = ("--resume",)
    return {"lines": lines, "kills": kills, "same_bytes": digest(out) == digest(whole)}


CASES = {
    "repeated": (repeated, 2_000_000, 4_000), "distinct": (distinct, 200_000, 2_000),
    "sheet": (sheet, 100_000, 1_000), "full_sheet": (full_sheet, 1_048_575, 1_000),
    "killed": (killed, 200_000, 3_000),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--small", action="store_true", help="little data, to see that it works")
    parser.add_argument("--lines", type=int, help="another number of lines")
    parser.add_argument("--case", action="append", choices=list(CASES))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    Assistant.load()  # the bundle is compiled before anything is timed
    result: dict[str, Any] = {"cores": os.cpu_count(), "load_at_start": os.getloadavg()[0]}
    for name in given.case or CASES:
        case, full, small = CASES[name]
        with tempfile.TemporaryDirectory() as folder:
            result[name] = case(Path(folder), given.lines or (small if given.small else full))
        print(name, json.dumps(result[name], ensure_ascii=False), flush=True)
    if given.out:
        given.out.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
