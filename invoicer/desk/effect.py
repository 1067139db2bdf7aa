"""What edits of the word tables would change: kept by what they were measured against."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from invoicer.learning.versions import ModelStore
from invoicer.settings import Settings
from invoicer.store import Store, utc_text
from knowledge_base.word_tables import Edit

# A preview that began longer ago has died with its process.
PATIENCE = dt.timedelta(minutes=10)
KEPT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Effect:
    """A preview. found: None while it runs, and where it failed, which `problem` tells."""

    key: str
    asked_at: str
    found: dict[str, Any] | None
    problem: str = ""

    @property
    def is_done(self) -> bool:
        return self.found is not None

    @property
    def accepted(self) -> bool:
        """Whether the gate lets the edits take effect."""
        return self.found is not None and bool(self.found["accepted"])

    @property
    def verdict(self) -> str:
        return str(self.found["verdict"]) if self.found else self.problem

    def to_json(self, tenant: str) -> dict[str, Any]:
        """For people of a tenant: lines of others are counted, never shown."""
        state = "done" if self.is_done else "failed" if self.problem else "running"
        found = dict(self.found or {})
        found["changes"] = [
            {key: value for key, value in one.items() if key != "tenant"}
            for one in found.get("changes", ())
            if one["tenant"] in ("", tenant)
        ]
        return {"state": state, "asked_at": self.asked_at, "problem": self.problem, **found}


def key_of(settings: Settings, edits: Sequence[Edit]) -> str:
    """Identity of a preview: the version and the model in use, and the edits."""
    rows = [edit.to_json() for edit in edits]
    base = settings.version_store().current_id(), ModelStore(settings.models_dir).current()
    text = json.dumps([*base, rows], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def previewed(store: Store, settings: Settings, edits: Sequence[Edit]) -> Effect | None:
    """The preview of edits on what is in use now; None where there is none."""
    key = key_of(settings, edits)
    row = store.row("select * from previews where key = ?", [key])
    if row is None:
        return None
    found = json.loads(row["effect"]) if row["effect"] else None
    problem = row["problem"]
    if row["ended_at"] is None and row["asked_at"] < utc_text(dt.datetime.now(dt.UTC) - PATIENCE):
        problem = "预览意外中断,请重新预览"
    return Effect(key, row["asked_at"], found, problem)


def ask(store: Store, settings: Settings, edits: Sequence[Edit]) -> bool:
    """Note that a preview begins; False where one is running or done."""
    with store.transaction() as db:
        known = previewed(store, settings, edits)
        if known is not None and not known.problem:
            return False
        db.execute(
            "insert or replace into previews (key, asked_at) values (?, ?)",
            [key_of(settings, edits), utc_text()],
        )
        return True


def forget_old(store: Store) -> None:
    """Delete previews of long ago: they name what tenants sell."""
    before = utc_text(dt.datetime.now(dt.UTC) - dt.timedelta(days=KEPT_DAYS))
    with store.transaction() as db:
        db.execute("delete from previews where asked_at < ?", [before])
