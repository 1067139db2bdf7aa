"""Where things are kept and what may be set: environment variables `INVOICER_*`."""

from __future__ import annotations

from pathlib import Path

import platformdirs
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """data_dir: bundles and everything the program writes by itself; engine: rjieba or jieba,
    empty for the fastest one installed."""

    model_config = SettingsConfigDict(env_prefix="INVOICER_")

    data_dir: Path = Path(platformdirs.user_data_dir("invoicer"))
    engine: str = ""
