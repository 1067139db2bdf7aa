"""Refitting the learned part from the knowledge base and labelled files."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from invoicer.errors import InputError
from invoicer.evaluate import read_labelled
from invoicer.line import InvoiceLine
from invoicer.tiers import facts_of, may_be_strong
from knowledge_base import KnowledgeBase
from knowledge_base.lexicon import Sample
from models.calibration import Calibration, calibration_error, wilson
from models.candidates import AT
from models.compiled import compile_knowledge
from models.examples import join
from models.fitting import fit_calibration
from models.labels import LabelledLine
from models.learned import SHIPPED, save_learned
from models.out_of_fold import OutOfFold, answered
from models.query import Query, QueryMaker
from models.signals import Signals
from models.situation import Situations
from models.tokenizer import available_engine
from models.training import Trainer

# One name without a meaning for so many labelled lines, when the calibration is fitted.
NONSENSE_PART = 10


def refit(
    labelled: Sequence[Path],
    promise: Sequence[str],
    output: Path | None,
    seed: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Fit ranker and calibration, write them, return the model card.

    promise: names of the labelled files on which the precision of the strong tier is promised;
    all of them where none is named.
    """
    known = [path.name for path in labelled]
    if strange := sorted(set(promise) - set(known)):
        choice = "、".join(known) or "(没有标注文件)"
        raise InputError(f"--promise {strange[0]} 不是所给标注文件的文件名,可选:{choice}")
    kb = KnowledgeBase.load()
    engine = available_engine()
    say("编译知识库…")
    compiled, reader, terms, readings = compile_knowledge(kb, engine)
    queries = QueryMaker(reader, Situations.load(kb, compiled.categories), kb.lexicon.placeholders)
    trainer = Trainer(kb, Signals(compiled), dt.date.today(), seed)
    say("准备训练样例…")

    def sample_query(sample: Sample) -> Query:
        return _sample_query(queries, sample)

    lexicon, lexicon_queries = trainer.lexicon_examples(terms, readings, sample_query)
    general = join([lexicon, trainer.nonsense_examples(sample_query)])
    sets = {path.name: read_labelled(path) for path in labelled}
    lines = [pair for rows in sets.values() for pair in rows]
    card: dict[str, Any] = {
        "date": dt.date.today().isoformat(),
        "engine": engine,
        "kb_version": kb.version,
        "seed": seed,
        "lexicon_examples": lexicon.n_lines,
        "labelled_sets": {
            path.name: {
                "lines": len(sets[path.name]),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in labelled
        },
    }
    if lines:
        asked = [_line_query(queries, line) for line, _ in lines]
        examples = trainer.labelled_examples([label for _, label in lines], asked)
        everything = join([general, examples])
    else:
        say("没有带标注的文件,用样例校准")
        asked, examples, everything = lexicon_queries, lexicon, general
    say("交叉拟合校准…")
    found = trainer.cross_fit(general, examples)
    eligible = np.array(
        [_eligible(query, examples.values[pair], compiled.index.codes[examples.code[pair]])
         for query, pair in zip(asked, found.pair, strict=True)]
    )  # fmt: skip
    say("拟合排序器…")
    ranker = trainer.fit_ranker(everything)
    meaningless = trainer.nonsense_examples(sample_query, len(eligible) // NONSENSE_PART, draw=1)
    promised = np.ones(len(eligible), bool)
    if lines and promise:
        promised = np.concatenate(
            [np.full(len(rows), name in promise) for name, rows in sets.items()]
        )
    calibration = fit_calibration(
        found, eligible & promised, answered(ranker, meaningless, compiled.facts.group)
    )
    strong = eligible & (calibration.probability(found.score, found.margin) >= calibration.strong)
    kept = found.right[strong & promised]
    low, high = wilson(int(kept.sum()), len(kept))
    card["strong"] = {
        "threshold": calibration.strong,
        "promised_on": list(promise) or list(sets),
        "lines": len(kept),
        "of": int(promised.sum()),
        "precision": round(float(kept.mean()), 4) if len(kept) else None,
        "wilson_95": [round(low, 4), round(high, 4)],
        "measured": "out of fold, by 简称",
    }
    card["out_of_fold"] = _out_of_fold(sets, found, strong, calibration) if lines else {}
    save_learned(output or SHIPPED, ranker, calibration, card)
    return card


def _sample_query(queries: QueryMaker, sample: Sample) -> Query:
    line = InvoiceLine(sample.name, sample.spec, sample.unit, sample.brand, sample.manufacturer)
    return _line_query(queries, line)


def _line_query(queries: QueryMaker, line: InvoiceLine) -> Query:
    return queries.query(
        line.name,
        spec=line.spec,
        unit=line.unit,
        brand=line.brand,
        manufacturer=line.manufacturer,
        seller=line.seller_industry,
    )


def _eligible(query: Query, values: np.ndarray, code: str) -> bool:
    """Whether the tier rules let the candidate with these signals be strong."""
    facts = facts_of(query, lambda name: float(values[AT[name]]), code)
    return may_be_strong(facts)


def _out_of_fold(
    sets: dict[str, list[tuple[InvoiceLine, LabelledLine]]],
    found: OutOfFold,
    strong: np.ndarray,
    calibration: Calibration,
) -> dict[str, Any]:
    """简称@1, strong share and precision of each set, by rankers that never saw the line."""
    probability = calibration.probability(found.score, found.margin)
    out: dict[str, Any] = {}
    start = 0
    for name, rows in sets.items():
        part = slice(start, start + len(rows))
        start += len(rows)
        right, sure = found.right[part], strong[part]
        out[name] = {
            "short_name_1": round(float(right.mean()), 4),
            "strong_share": round(float(sure.mean()), 4),
            "strong_precision": round(float(right[sure].mean()), 4) if sure.any() else None,
        }
    ece = calibration_error(probability, found.right.astype(float))
    out["pooled"] = {"short_name_1": round(float(found.right.mean()), 4), "ece": round(ece, 4)}
    return out
