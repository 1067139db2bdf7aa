"""Where things are kept and what may be set: environment variables `INVOICER_*`."""

from __future__ import annotations

from pathlib import Path

import platformdirs
from pydantic_settings import BaseSettings, SettingsConfigDict

from knowledge_base.official.versions import VersionStore


class Settings(BaseSettings):
    """data_dir: bundles and everything the program writes by itself; engine: rjieba or jieba,
    empty for the fastest one installed."""

    model_config = SettingsConfigDict(env_prefix="INVOICER_")

    data_dir: Path = Path(platformdirs.user_data_dir("invoicer"))
    engine: str = ""

    def version_store(self) -> VersionStore:
        """The installed versions of the code table; the built-in one where none was imported."""
        return VersionStore(self.data_dir / "knowledge_base")
