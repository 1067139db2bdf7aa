"""Refitting the learned part from the knowledge base and labelled files."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from invoicer.evaluate import read_labelled
from invoicer.line import InvoiceLine
from knowledge_base import KnowledgeBase
from knowledge_base.lexicon import Sample
from models.calibration import wilson
from models.compiled import compile_knowledge
from models.learned import SHIPPED, save_learned
from models.query import Query, QueryMaker
from models.signals import Signals
from models.situation import Situations
from models.tokenizer import available_engine
from models.training import Trainer, fit_calibration, join


def refit(
    labelled: Sequence[Path], output: Path | None, seed: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Fit ranker and calibration, write them, return the model card."""
    kb = KnowledgeBase.load()
    engine = available_engine()
    say("编译知识库…")
    compiled, reader, terms, readings = compile_knowledge(kb, engine)
    queries = QueryMaker(reader, Situations.load(kb))
    trainer = Trainer(kb, Signals(compiled), dt.date.today(), seed)
    say("准备训练样例…")
    lexicon = trainer.lexicon_examples(terms, readings, lambda s: _sample_query(queries, s))
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
        say("交叉拟合校准…")
        dev = trainer.labelled_examples(
            [label for _, label in lines], [_line_query(queries, line) for line, _ in lines]
        )
        score, margin, right = trainer.cross_fit(lexicon, dev)
        examples = join([lexicon, dev])
    else:
        say("没有带标注的文件:用样例交叉拟合校准…")
        score, margin, right = trainer.cross_fit(lexicon, lexicon)
        examples = lexicon
    calibration = fit_calibration(score, margin, right)
    strong = calibration.probability(score, margin) >= calibration.strong
    low, high = wilson(int(right[strong].sum()), int(strong.sum()))
    card["strong"] = {
        "threshold": calibration.strong,
        "lines": int(strong.sum()),
        "of": len(right),
        "precision": round(float(right[strong].mean()), 4) if strong.any() else None,
        "wilson_95": [round(low, 4), round(high, 4)],
        "note": "out-of-fold, before the rules that keep ambiguous names and catch-alls medium",
    }
    say("拟合排序器…")
    ranker = trainer.fit_ranker(examples)
    save_learned(output or SHIPPED, ranker, calibration, card)
    return card


def _sample_query(queries: QueryMaker, sample: Sample) -> Query:
    return queries.query(
        sample.name,
        spec=sample.spec,
        unit=sample.unit,
        brand=sample.brand,
        manufacturer=sample.manufacturer,
    )


def _line_query(queries: QueryMaker, line: InvoiceLine) -> Query:
    return queries.query(
        line.name,
        spec=line.spec,
        unit=line.unit,
        brand=line.brand,
        manufacturer=line.manufacturer,
        seller=line.seller_industry,
    )
