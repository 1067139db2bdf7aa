"""Where things are kept and what may be set: environment variables `INVOICER_*`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from knowledge_base import KnowledgeBase

if TYPE_CHECKING:
    from knowledge_base.official.versions import VersionStore


OUTDATED = (
    "程序随附的编码表或词表已更新,而现用的知识库版本仍以旧表为基础。"
    "运行 invoicer kb rebase,或由管理员在“知识库 › 版本”页沿用,即可把已有的导入与修改放到新表上"
)


def _data_dir() -> Path:
    return Path(os.environ.get("INVOICER_DATA_DIR") or platformdirs.user_data_dir("invoicer"))


@dataclass(frozen=True, slots=True)
class Settings:
    """data_dir: bundles and everything the program writes by itself; engine: rjieba or jieba,
    empty for the fastest one installed; semantic: re-rank by the embedding model of the
    `[semantic]` extra."""

    data_dir: Path = field(default_factory=_data_dir)
    engine: str = field(default_factory=lambda: os.environ.get("INVOICER_ENGINE", ""))

    semantic: bool = field(
        default_factory=lambda: os.environ.get("INVOICER_SEMANTIC", "") in {"1", "on", "true"}
    )

    def version_store(self) -> VersionStore:
        """The installed versions of the code table; the built-in one where none was imported."""
        # Loaded when asked for: the readers of official files are no part of answering.
        from knowledge_base.official.versions import VersionStore

        return VersionStore(self.knowledge_dir)

    def knowledge_base(self, supplement: Path | None = None) -> KnowledgeBase:
        """The knowledge base in use, with a file of confirmed names where one is given."""
        if not self.knowledge_dir.exists():
            return KnowledgeBase.load(supplement=supplement)
        return KnowledgeBase.load(self.version_store().current_root(), supplement)

    def outdated(self) -> str:
        """What to tell people where the version in use rests on other tables than those that the
        program ships; "" where it does not, or where none was installed."""
        if not self.knowledge_dir.exists():
            return ""
        from knowledge_base.official.raw import OfficialTableError

        try:
            return OUTDATED if self.version_store().is_outdated() else ""
        except OfficialTableError as error:
            return error.message

    @property
    def database(self) -> Path:
        """The service's SQLite file."""
        return Path(os.environ.get("INVOICER_DATABASE") or self.data_dir / "invoicer.db")

    @property
    def webhook_hosts(self) -> tuple[str, ...]:
        """Hosts that webhooks may call."""
        listed = os.environ.get("INVOICER_WEBHOOK_HOSTS", "")
        return tuple(host.strip() for host in listed.split(",") if host.strip())

    @property
    def labelled(self) -> tuple[Path, ...]:
        """Labelled files of this installation, on which edits of the word tables are tried."""
        listed = os.environ.get("INVOICER_LABELLED", "")
        return tuple(Path(part) for part in listed.split(os.pathsep) if part)

    @property
    def jobs_dir(self) -> Path:
        """A folder a job: what was handed in, and its result."""
        return self.data_dir / "jobs"

    @property
    def appeals_dir(self) -> Path:
        """Files that came with appeals."""
        return self.data_dir / "appeals"

    @property
    def knowledge_dir(self) -> Path:
        return self.data_dir / "knowledge_base"

    @property
    def models_dir(self) -> Path:
        """What was learned here, a folder a version."""
        return self.data_dir / "models"

    @property
    def bundles_dir(self) -> Path:
        return self.data_dir / "bundles"

    def in_use(self) -> tuple[str, ...]:
        """What the pointers to model and code table say: it changes when one of them does."""
        pointers = (self.models_dir / "current", self.knowledge_dir / "current")
        return tuple(p.read_text(encoding="utf-8") if p.exists() else "" for p in pointers)
