"""What re-coding says of right and wrong declarations planted on names it has not learned from.

    python benchmarks/findings.py [--small] [--out findings.json]

Names are the frozen samples (never trained on, nor indexed). Each is declared with its right code,
with one of another 简称 from the same chapter of the code table (`near`) or from anywhere (`far`),
and, where a word before the product or a flavour has a 简称 of its own, with the code of that word
(`word`). A wrong code brings its own 简称 and rate along, as it does where a program prints them;
`near_rate` has the rate of the goods instead. Draws are of a fixed seed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from invoicer import Assistant
from invoicer.batch import Defaults
from invoicer.declared_rate import rate_label
from invoicer.recode.findings import Finding, Severity
from invoicer.recode.judge import Judge
from invoicer.recode.lines import row_of
from invoicer.recode.misread import Misread
from invoicer.recode.questions import question_of, unpack
from invoicer.recode.verdict import Verdict
from knowledge_base.rate_advice import TaxpayerType
from knowledge_base.taxonomy import TaxCode
from models.compiled import is_frozen
from models.words import name_key

SEED, SMALL = 20260101, 300
DAY = dt.date(2026, 3, 1)
CHAPTER = 3  # digits of a code: 103 food, drinks, tobacco
OF_NAME = (Finding.NAME_CONTRADICTS, Finding.MISREAD_WORD)
FIELDS = ("name", "date", "declared_code", "declared_short_name", "declared_rate", "amount")


@dataclass(frozen=True, slots=True)
class Planted:
    """A declaration on a name. right: the code of the goods; declared: what stands on the bill."""

    case: str
    name: str
    right: TaxCode
    declared: TaxCode
    rate_of: TaxCode


class Planter:
    """Draws declarations for names."""

    def __init__(self, assistant: Assistant):
        self._kb = assistant.kb
        self._misread = Misread(assistant)
        self._draw = random.Random(SEED)
        self._leaves = self._kb.taxonomy.leaves(DAY)
        self._chapters: dict[str, list[TaxCode]] = defaultdict(list)
        self._words: dict[tuple[str, str], TaxCode] = {}
        for row in self._leaves:
            self._chapters[row.code[:CHAPTER]].append(row)
            for term in (row.name, *row.keywords):
                self._words.setdefault((name_key(term), row.short_name), row)
        for code, term in self._kb.lexicon.everyday_names():
            row = self._kb.taxonomy[code]
            self._words.setdefault((name_key(term), row.short_name), row)

    def all(self, count: int | None) -> Iterator[Planted]:
        samples = [s for s in self._kb.lexicon.samples() if is_frozen(s)]
        self._draw.shuffle(samples)
        for sample in samples[:count]:
            right = self._kb.taxonomy[sample.code]
            if right.is_leaf and right.is_valid_on(DAY):
                yield from self._of(sample.name, right)

    def _of(self, name: str, right: TaxCode) -> Iterator[Planted]:
        far = self._other(self._leaves, right)
        near = self._other(self._chapters[right.code[:CHAPTER]], right) or far
        yield Planted("right", name, right, right, right)
        if near is not None and far is not None:
            yield Planted("near", name, right, near, near)
            yield Planted("near_rate", name, right, near, right)
            yield Planted("far", name, right, far, far)
        for group, said in self._misread.words(name, "").items():
            word = said.partition("“")[2].removesuffix("”")
            code = self._words.get((name_key(word), group))
            if group != right.short_name and code is not None:
                yield Planted("word", name, right, code, code)
                break

    def _other(self, rows: list[TaxCode], right: TaxCode) -> TaxCode | None:
        """One of the rows with another 简称 than the right one."""
        others = [row for row in rows if row.short_name != right.short_name]
        return self._draw.choice(others) if others else None


def verdicts(assistant: Assistant, planted: list[Planted]) -> Iterator[Verdict]:
    judge = Judge(assistant)
    places = {field: place for place, field in enumerate(FIELDS)}
    rates = assistant.rate_table
    packed = lru_cache(1)(lambda text: judge.packed_answers([text])[0])  # one name, several codes
    for one in planted:
        advice = rates.advise(one.rate_of, DAY, TaxpayerType.GENERAL)[0]
        rate = rate_label(advice.treatment, advice.rate)
        short_name = assistant.kb.taxonomy.short_name(one.declared.code, DAY)
        cells = [one.name, DAY.isoformat(), one.declared.code, short_name, rate, "100"]
        row = row_of(cells, places, Defaults())
        if row.line is None:
            raise SystemExit(f"{one.name}: {row.reason}")
        question = question_of(row.fields, judge.period(DAY))
        yield judge.judge(question, unpack(packed(question.text)), row.line, row.fields)


def measure(assistant: Assistant, count: int | None = None) -> dict[str, Any]:
    """Per case: lines, and shares in percent. flagged: name or word speaks against the code, high:
    surely; decided: the code that comes out has the right 简称; named: it, or the correction,
    names the right one; spoiled: another code than the declared one comes out, and a wrong one."""
    planted = list(Planter(assistant).all(count))
    taxonomy = assistant.kb.taxonomy
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one, verdict in zip(planted, verdicts(assistant, planted), strict=True):
        against = [f.severity for f in verdict.findings if f.kind in OF_NAME]
        group = taxonomy[verdict.code].short_name if verdict.code else ""
        decided = group == one.right.short_name
        moved = verdict.code not in ("", one.declared.code)
        found[one.case].update(
            lines=1,
            flagged=bool(against),
            high=Severity.HIGH in against,
            decided=decided,
            named=decided or taxonomy.short_name(one.right.code, DAY) in verdict.correction,
            spoiled=moved and not decided,
        )
    return {
        "model_version": assistant.model_version,
        "kb_version": assistant.kb_version,
        "cases": {
            case: {"lines": counts["lines"]} | {
                name: round(100 * count / counts["lines"], 1)
                for name, count in counts.items() if name != "lines"
            }
            for case, counts in found.items()
        },
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--small", action="store_true", help=f"{SMALL} names")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    result = measure(Assistant.load(), SMALL if options.small else None)
    text = json.dumps(result, ensure_ascii=False, indent=1)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
