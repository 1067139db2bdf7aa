"""Trying edits out: the knowledge base compiled with them, and its answers beside those of now.

Meant for a process of its own, at low priority; one at a time over all processes.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from invoicer.assistant import Assistant
from invoicer.desk import changes
from invoicer.desk.effect import key_of
from invoicer.desk.rules import word_rules
from invoicer.errors import InputError, InvoicerError
from invoicer.evaluate import read_labelled
from invoicer.learning.gate import (
    FROZEN_SET,
    Labelled,
    decided_lines,
    examine,
    frozen_lines,
    recent_by_tenant,
)
from invoicer.line import today
from invoicer.review.decided import decisions
from invoicer.settings import Settings
from invoicer.store import Store, utc_text
from knowledge_base import KnowledgeBase
from knowledge_base.word_tables import (
    Edit,
    NoSuchRowError,
    edited,
    read_rows,
    touched,
    write_rows,
)
from models.bundle import bundle_path, load_or_compile
from models.tokenizer import available_engine

KEPT_BUNDLES = 3
DECIDED_SET = "已定项"
Say = Callable[[str], None]


def preview(settings: Settings, store: Store, edits: Sequence[Edit], say: Say) -> None:
    """Find out what the edits change, and keep it; a failure is kept with its reason."""
    key = key_of(settings, edits)
    settings.bundles_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.bundles_dir / ".preview.lock"):
        try:
            serving = Assistant.load(settings)
            bundle, found = _measure(serving, settings, store, edits, say)
            _keep(store, key, bundle, json.dumps(found, ensure_ascii=False), "")
        except InvoicerError as error:
            _keep(store, key, "", None, error.message)
        except Exception:  # whatever it is, who asked is told that it failed
            _keep(store, key, "", None, "预览失败,请联系管理员查看日志")
            raise
        _tidy(store, settings.bundles_dir, _bundle(serving.kb, settings).name)


def _measure(
    serving: Assistant, settings: Settings, store: Store, edits: Sequence[Edit], say: Say
) -> tuple[str, dict[str, Any]]:
    """(name of the compiled bundle, what was found)."""
    with _with_edits(serving.kb, edits) as root:
        say("编译修改后的知识库…")
        kb = KnowledgeBase.load(root, serving.kb.supplement)
        engine = settings.engine or available_engine()
        compiled = load_or_compile(kb, engine, settings.bundles_dir)
        candidate = Assistant.assemble(kb, compiled, serving.learned, engine)
        say("比较修改前后的答复…")
        decided, recent = decisions(store), recent_by_tenant(store)
        sets: dict[str, Labelled] = {
            FROZEN_SET: frozen_lines(serving, ()),
            DECIDED_SET: decided_lines(decided),
            **{path.stem: read_labelled(path) for path in settings.labelled},
        }
        verdict = examine(serving, candidate, sets, [line for _, line in recent])
        lines, counts = changes.of_labelled(verdict, {DECIDED_SET: [d.tenant for d in decided]})
        found = {
            **verdict.to_json(),
            "kb_version": kb.version,
            "added": changes.added(serving, candidate, edits),
            "counts": counts,
            "changes": lines + changes.of_recent(verdict, recent),
        }
        return _bundle(kb, settings).name, found


@contextmanager
def _with_edits(kb: KnowledgeBase, edits: Sequence[Edit]) -> Iterator[Path]:
    """A folder with the tables as they would be; raises InputError where they may not be so."""
    rules = word_rules(kb, today())
    words = {edit.word for edit in edits}
    with tempfile.TemporaryDirectory(prefix="invoicer-") as name:
        folder = Path(name)
        for path in kb.root.iterdir():
            if path.is_file():
                (folder / path.name).symlink_to(path.absolute())
        for table in touched(edits):
            try:
                rows = edited(table, read_rows(kb.root, table), edits)
            except NoSuchRowError as error:
                raise InputError(str(error)) from None
            for problem in rules.check(table, rows):
                if problem.word in words:
                    raise InputError(str(problem), field=problem.field)
            (folder / f"{table.value}.csv").unlink(missing_ok=True)
            write_rows(folder, table, rows)
        yield folder


def _bundle(kb: KnowledgeBase, settings: Settings) -> Path:
    return bundle_path(kb, settings.engine or available_engine(), settings.bundles_dir)


def _keep(store: Store, key: str, bundle: str, effect: str | None, problem: str) -> None:
    with store.transaction() as db:
        db.execute(
            "update previews set ended_at = ?, bundle = ?, effect = ?, problem = ? where key = ?",
            [utc_text(), bundle, effect, problem, key],
        )


def _tidy(store: Store, bundles: Path, in_use: str) -> None:
    """Delete what older previews compiled, unless it is in use by now."""
    rows = store.rows(
        "select bundle from previews where bundle <> '' group by bundle order by max(ended_at) desc"
    )
    for row in rows[KEPT_BUNDLES:]:
        if row["bundle"] != in_use:
            shutil.rmtree(bundles / row["bundle"], ignore_errors=True)
