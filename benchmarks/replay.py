"""What the learning benchmarks share: a knowledge base that knows less, and decisions about the
rest of it."""

from __future__ import annotations

import datetime as dt
import random
import sys
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from invoicer import Assistant, InvoiceLine
from invoicer.evaluate import judge
from invoicer.learning.candidate import as_learned, confirmed_names, make_candidate
from invoicer.review.decided import Decision
from knowledge_base import KnowledgeBase
from knowledge_base.lexicon import Lexicon, Sample
from knowledge_base.supplement import ConfirmedName
from models.compiled import compile_knowledge, is_frozen
from models.evaluation import Judged
from models.fitting import fit_calibration
from models.labels import LabelledLine
from models.learned import Learned, load_learned
from models.out_of_fold import answered
from models.signals import Signals
from models.tokenizer import available_engine
from models.training import Trainer

PERCENT_OF_NAMES = 3
REVIEWERS = 12
LEXICON = (4500, 2500)  # samples and names that the ranker is fitted on
DAY = dt.date(2026, 7, 1)
START = dt.datetime(2026, 1, 5, 9)


def draw(text: str, purpose: str) -> int:
    """0…99, always the same for a text."""
    return zlib.crc32(f"{purpose}:{text}".encode()) % 100


def is_kept_back(name: str) -> bool:
    """Whether an everyday name is kept out of the index, to be decided about."""
    return draw(name, "kept back") < PERCENT_OF_NAMES


class LessKnown(Lexicon):
    """The word tables without the names that are kept back, and with confirmed ones."""

    rows: tuple[ConfirmedName, ...] = ()

    def everyday_names(self) -> Iterator[tuple[str, str]]:
        return (pair for pair in super().everyday_names() if not is_kept_back(pair[1]))

    @property
    def confirmed(self) -> tuple[ConfirmedName, ...]:  # type: ignore[override]
        return self.rows


def less_known(confirmed: Sequence[ConfirmedName] = ()) -> KnowledgeBase:
    """The knowledge base without what is kept back."""
    kb = KnowledgeBase.load()
    lexicon = LessKnown(kb.root)
    lexicon.rows = tuple(confirmed)
    return KnowledgeBase(kb.root, kb.taxonomy, lexicon)


def with_names(confirmed: Sequence[ConfirmedName] = ()) -> KnowledgeBase:
    """The whole knowledge base and confirmed names."""
    kb = KnowledgeBase.load()
    lexicon = Lexicon(kb.root)
    lexicon.confirmed = tuple(confirmed)
    return KnowledgeBase(kb.root, kb.taxonomy, lexicon)


def kept_back_samples() -> list[Sample]:
    """The everyday names that are kept back and mean one thing only."""
    lexicon = Lexicon()
    codes: dict[str, set[str]] = defaultdict(set)
    for code, name in lexicon.everyday_names():
        if is_kept_back(name) and name not in lexicon.ambiguous:
            codes[name].add(code)
    return [Sample(*found, name) for name, found in codes.items() if len(found) == 1]


def frozen_samples() -> list[Sample]:
    """The samples that nothing is ever trained on."""
    return [s for s in Lexicon().samples() if is_frozen(s)]


@dataclass(frozen=True, slots=True)
class Half:
    """One half of the products: samples that are frozen, and names that are kept back."""

    frozen: list[Sample]
    names: list[Sample]
    cores: frozenset[str]


def halves(assistant: Assistant, n_names: int | None = None) -> tuple[Half, Half]:
    """Frozen samples and names that are kept back, at most so many, halved by core product."""
    frozen, names = frozen_samples(), kept_back_samples()[:n_names]
    core = {s: assistant.query(line_of(s)).reading.core for s in (*frozen, *names)}

    def half(second: bool) -> Half:
        own, kept = (
            [s for s in samples if (draw(core[s], "half") < 50) == second]
            for samples in (frozen, names)
        )
        return Half(own, kept, frozenset(core[s] for s in own))

    return half(False), half(True)


def line_of(sample: Sample) -> InvoiceLine:
    return InvoiceLine(sample.name, sample.spec, sample.unit, sample.brand, sample.manufacturer)


def fitted(kb: KnowledgeBase) -> Assistant:
    """An assistant that has learned from this knowledge and nothing else."""
    engine, shipped = available_engine(), load_learned()
    compiled, _, terms, readings = compile_knowledge(kb, engine)
    assistant = Assistant.assemble(kb, compiled, shipped, engine)
    trainer = Trainer(kb, Signals(compiled), DAY)
    examples, _ = trainer.lexicon_examples(
        terms, readings, lambda sample: assistant.query(line_of(sample)), *LEXICON
    )
    fourth = np.arange(examples.n_lines) % 4 == 0
    ranker = trainer.fit_ranker(examples.lines(~fourth))
    found = answered(ranker, examples.lines(fourth), compiled.facts.group)
    calibration = fit_calibration(found, np.ones(len(found.right), bool))
    learned = Learned(ranker, calibration, {}, "base")
    return Assistant.assemble(kb, compiled, learned, engine)


def knowing_all(assistant: Assistant) -> Assistant:
    """The same ranker over all that is known: for lines that are no part of it."""
    whole = Assistant.load()
    compiled = whole.matcher.compiled
    return Assistant.assemble(whole.kb, compiled, assistant.learned, available_engine())


def learn(
    start: Assistant,
    kb_of: Callable[[list[ConfirmedName]], KnowledgeBase],
    decisions: Sequence[Decision],
) -> Assistant:
    """The assistant after learning from decisions, as `invoicer retrain` makes it."""
    kb = kb_of(confirmed_names(start, decisions))
    candidate = make_candidate(kb, start, decisions, available_engine(), None, say)
    return Assistant.assemble(kb, candidate.compiled, as_learned(candidate), available_engine())


def judged(assistant: Assistant, samples: Sequence[Sample]) -> list[Judged]:
    """Each sample answered and compared with its code."""
    label = [LabelledLine(s.name, frozenset({s.code}), frozenset()) for s in samples]
    return judge(assistant, list(zip(map(line_of, samples), label, strict=True)), DAY)


def decided(
    samples: Sequence[Sample], codes: Sequence[str], chance: random.Random
) -> list[Decision]:
    """Decisions that hold for all, by REVIEWERS people over the working hours of some weeks."""
    out = []
    for i, (sample, code) in enumerate(zip(samples, codes, strict=True)):
        hour = START + dt.timedelta(hours=i // (REVIEWERS * 40))
        by = f"user-{chance.randrange(REVIEWERS)}"
        out.append(Decision(f"rv_{i}", "bench", f"q{i}", line_of(sample), code, by,
                            hour.isoformat(), promoted=True))  # fmt: skip
    return out


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
