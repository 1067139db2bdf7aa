"""Learning from what people decided: guard, candidate, gate, and the switch."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from invoicer.assistant import Assistant
from invoicer.errors import InputError
from invoicer.learning.candidate import (
    Candidate,
    as_learned,
    confirmed_names,
    make_candidate,
)
from invoicer.learning.gate import (
    DECIDED_SET,
    FROZEN_SET,
    decided_lines,
    examine,
    frozen_lines,
    recent_lines,
)
from invoicer.learning.versions import SHIPPED_ID, ModelStore
from invoicer.review.decided import Decision, decisions, is_held_out
from invoicer.review.guard import Guard
from invoicer.review.second_look import hold
from invoicer.settings import Settings
from invoicer.store import Store, utc_text
from knowledge_base.supplement import FILE, write_supplement
from models.bundle import bundle_path, save
from models.learned import save_learned
from models.tokenizer import available_engine

KEPT_BUNDLES = 2  # versions whose compiled bundles stay: the one in use and the one before
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a training. version: of the candidate, empty where there was nothing to learn;
    held: decisions that now wait for a second person."""

    version: str
    accepted: bool
    verdict: str
    decisions: int
    held: int

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class TrainingRunsError(InputError):
    """Another training of this installation is running."""

    code = "training_runs"


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """One training at a time, over all processes; raises TrainingRunsError where one runs."""
    settings.models_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(settings.models_dir / ".training.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise TrainingRunsError("另一个训练正在进行,请稍后再试") from None
    try:
        yield
    finally:
        lock.release()


def retrain(settings: Settings, store: Store, say: Say) -> Outcome:
    """Make a candidate from all accepted decisions, and let it serve where the gate allows.

    The caller holds `alone`.
    """
    began = utc_text()
    models = ModelStore(settings.models_dir)
    serving = Assistant.load(settings)
    say("检查决定…")
    made = decisions(store)
    reasons = Guard(serving).reasons(made)
    held = hold(store, made, reasons)
    accepted = [one for one, reason in zip(made, reasons, strict=True) if not reason]
    learned, measured = _split(serving, accepted)
    current = models.current()
    provenance = _provenance(learned)
    if not learned or provenance == _card(models, current).get("decisions_sha256"):
        outcome = Outcome("", False, "没有可以学习的新决定", len(learned), held)
        _note(store, began, outcome)
        return outcome
    with tempfile.TemporaryDirectory(prefix="invoicer-") as folder:
        supplement = Path(folder) / FILE
        write_supplement(supplement, confirmed_names(serving, learned))
        engine = settings.engine or available_engine()
        start = Assistant.load(settings, version=SHIPPED_ID)
        kb = settings.knowledge_base(supplement)
        candidate = make_candidate(kb, start, learned, engine, settings.bundles_dir, say)
        say("与现用模型比较…")
        verdict = examine(
            serving,
            Assistant.assemble(candidate.kb, candidate.compiled, as_learned(candidate), engine),
            {
                FROZEN_SET: frozen_lines(serving, {one.line.name.strip() for one in learned}),
                DECIDED_SET: decided_lines(measured),
            },
            recent_lines(store),
        )
        bundle = bundle_path(candidate.kb, engine, settings.bundles_dir)
        card = {
            "made_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "engine": engine,
            "kb_version": candidate.kb.version,
            "learning": {
                **verdict.to_json(),
                **candidate.facts,
                "base": start.model_version,
                "previous": current,
                "held": held,
                "held_out": len(measured),
                "decisions_sha256": provenance,
                "supplement_sha256": hashlib.sha256(supplement.read_bytes()).hexdigest(),
                "bundle": bundle.name,
            },
        }
        version = models.add(lambda folder: _fill(folder, supplement, candidate, card))
        if verdict.accepted:
            save(candidate.compiled, bundle, engine, candidate.kb.version)
    outcome = Outcome(version, verdict.accepted, verdict.text, len(learned), held)
    _conclude(store, models, began, learned, outcome)
    _tidy(models, settings.bundles_dir)
    return outcome


def _split(
    assistant: Assistant, accepted: Sequence[Decision]
) -> tuple[list[Decision], list[Decision]]:
    """(to learn from, to measure on): never the same product in both."""
    learned: list[Decision] = []
    measured: list[Decision] = []
    for one in accepted:
        core = assistant.query(one.line).reading.core
        (measured if is_held_out(core) else learned).append(one)
    return learned, measured


def _provenance(learned: Sequence[Decision]) -> str:
    """Identity of what is learned from."""
    rows = sorted((one.item, one.code, one.promoted) for one in learned)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _card(models: ModelStore, version: str) -> dict[str, Any]:
    card: dict[str, Any] = models.load(version).card.get("learning", {})
    return card


def _fill(folder: Path, supplement: Path, candidate: Candidate, card: dict[str, Any]) -> None:
    shutil.copyfile(supplement, folder / FILE)
    save_learned(folder, candidate.ranker, candidate.calibration, card)


def _conclude(
    store: Store, models: ModelStore, began: str, learned: Sequence[Decision], outcome: Outcome
) -> None:
    """Mark what was learned and switch, together; raises InputError where a decision was taken
    back while the candidate was made from it."""
    with store.transaction() as db:
        _note(store, began, outcome)
        if not outcome.accepted:
            return
        for one in learned:
            changed = db.execute(
                "update review_items set learned_in = ? where id = ? and state = 'decided'"
                " and code = ?",
                [outcome.version, one.item, one.code],
            )
            if not changed.rowcount:
                raise InputError("训练期间有决定被撤销或更改,现用模型未变,请重新训练")
        models.switch(outcome.version)


def _note(store: Store, began: str, outcome: Outcome) -> None:
    """Write a training down; decisions from `began` on wait for the next one."""
    with store.transaction() as db:
        db.execute(
            "insert into trainings (at, decisions, held, version, accepted, verdict)"
            " values (?, ?, ?, ?, ?, ?)",
            [began, outcome.decisions, outcome.held, outcome.version, int(outcome.accepted),
             outcome.verdict],
        )  # fmt: skip


def _tidy(models: ModelStore, bundles: Path) -> None:
    """Delete the compiled bundles of versions long gone; switching back compiles them again."""
    recent = set(models.steps()[:KEPT_BUNDLES])
    cards = {i.version: i.card.get("learning", {}) for i in models.versions()}
    kept = {card.get("bundle") for version, card in cards.items() if version in recent}
    for version, card in cards.items():
        bundle = card.get("bundle")
        if version != SHIPPED_ID and bundle and bundle not in kept:
            shutil.rmtree(bundles / bundle, ignore_errors=True)
