"""A candidate: the knowledge base compiled again with what was decided, and a model that learned
from it."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from invoicer.assistant import Assistant
from invoicer.line import InvoiceLine
from invoicer.review.decided import Decision
from knowledge_base import KnowledgeBase
from knowledge_base.lexicon import Sample
from knowledge_base.supplement import ConfirmedName
from models.calibration import Calibration
from models.compiled import Compiled, compile_knowledge
from models.correction import correct, recalibrate
from models.examples import Examples, join
from models.labels import LabelledLine
from models.learned import Learned
from models.out_of_fold import cross_answered
from models.query import Query
from models.ranking import Ranker
from models.signals import SHORTLIST, Signals
from models.supply import SINGLE
from models.training import LABELLED_WEIGHT, Trainer

# Everyday knowledge beside the decisions, so that what was right stays right.
ANCHOR_SAMPLES, ANCHOR_NAMES = 2000, 1000
ENOUGH = 50  # decisions from which ranker and calibration are corrected
FOLDS = 2
MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Candidate:
    """compiled: to be kept as a bundle; facts: what the card says of its making."""

    kb: KnowledgeBase
    compiled: Compiled
    ranker: Ranker
    calibration: Calibration
    facts: dict[str, Any]


def confirmed_names(assistant: Assistant, decisions: Sequence[Decision]) -> list[ConfirmedName]:
    """The names that everybody may see: of decisions that hold for all, where the name alone
    decided, not the seller, an answer or what was declared."""
    rows = []
    for one in decisions:
        line = one.line
        query = assistant.query(line)
        name = line.name.strip()
        told = line.answer or line.declared_code or line.declared_short_name
        alone = not (told or query.situation or query.supply != SINGLE)
        if one.promoted and alone and query.reading.core and len(name) <= MAX_NAME:
            whole = query.reading.core.replace(" ", "") == query.reading.normalised.replace(" ", "")
            rows.append(ConfirmedName(one.code, name, "y" if whole else ""))
    return rows


def make_candidate(
    kb: KnowledgeBase,
    start: Assistant,
    decisions: Sequence[Decision],
    engine: str,
    folder: Path | None,
    say: Callable[[str], None],
    seed: int = 0,
) -> Candidate:
    """Compile the knowledge base, which holds the confirmed names, and let the model of `start`
    learn from the decisions, confirmed or not.

    start: knows nothing of the decisions. What it answers to them is what is corrected: lines
    whose names are in the index would not teach how lines are answered that nobody has seen.
    folder: where readings are kept from one compilation to the next; none where they are not.
    """
    base = start.learned
    say("编译知识库…")
    compiled, _, terms, readings = compile_knowledge(kb, engine, folder)
    assistant = Assistant.assemble(kb, compiled, base, engine)
    places = {code: i for i, code in enumerate(compiled.index.codes)}
    usable = [one for one in decisions if one.code in places]
    facts: dict[str, Any] = {"confirmed_names": len(kb.lexicon.confirmed), "learned": len(usable)}
    if len(usable) < ENOUGH:
        facts["corrected"] = False
        return Candidate(kb, compiled, base.ranker, base.calibration, facts)
    say("准备训练样例…")
    trainer = Trainer(kb, Signals(compiled), dt.date.today(), seed)

    def query_of(sample: Sample) -> Query:
        return assistant.query(
            InvoiceLine(sample.name, sample.spec, sample.unit, sample.brand, sample.manufacturer)
        )

    anchor, _ = trainer.lexicon_examples(terms, readings, query_of, ANCHOR_SAMPLES, ANCHOR_NAMES)
    unknowing = Trainer(start.kb, Signals(start.matcher.compiled), dt.date.today(), seed)
    queries = [start.query(one.line) for one in usable]
    decided = unknowing.labelled_examples(
        [LabelledLine(one.line.name, frozenset({one.code}), frozenset()) for one in usable],
        queries,
        _weight(anchor, len(usable)),
    )
    say("修正排序器与校准…")
    ranker = correct(base.ranker, join([anchor, decided]), seed)
    calibration = _calibration(base, anchor, decided, queries, compiled, seed)
    facts |= {"corrected": True, "anchor": anchor.n_lines, "seed": seed}
    return Candidate(kb, compiled, ranker, calibration, facts)


def _weight(anchor: Examples, decided: int) -> float:
    """What a decision weighs: as much as a labelled line, but all of them together no more than
    the everyday knowledge beside them."""
    return min(LABELLED_WEIGHT, float(anchor.weight.sum()) / SHORTLIST / decided)


def _calibration(
    base: Learned,
    anchor: Examples,
    decided: Examples,
    queries: Sequence[Query],
    compiled: Compiled,
    seed: int,
) -> Calibration:
    """Fitted on decided lines by rankers that never saw the product."""
    fold = np.array([zlib.crc32(query.reading.core.encode()) % FOLDS for query in queries])
    found = cross_answered(
        lambda seen: correct(base.ranker, join([anchor, seen]), seed),
        decided,
        fold,
        compiled.facts.group,
    )
    return recalibrate(base.calibration, found)


def as_learned(candidate: Candidate, version: str = "") -> Learned:
    """The candidate's learned part before it has a folder."""
    return Learned(candidate.ranker, candidate.calibration, {}, version)
