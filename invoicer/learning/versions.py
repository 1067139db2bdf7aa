"""Models side by side: the shipped one and those learned here, switched in one step.

A version is a folder `models/<version>/` with ranker, calibration, card and the names it took from
decisions. The file `current` names what serves, newest first: its first line is in use, and going
back drops it. Without the file the shipped model serves.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invoicer.errors import InputError, UnavailableError
from knowledge_base.official.store_files import locked, write_whole
from knowledge_base.supplement import FILE
from models.candidates import NAMES
from models.learned import SHIPPED, Learned, load_learned

SHIPPED_ID = "shipped"
KEPT_STEPS = 50
_VERSION = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One version. verdict: why it serves, or why it was not taken into service."""

    version: str
    made_at: str
    is_current: bool
    accepted: bool
    verdict: str
    card: dict[str, Any]


class ModelStore:
    """The models of one installation. path: the folder that holds them."""

    def __init__(self, path: Path):
        self.path = path

    @property
    def pointer(self) -> Path:
        return self.path / "current"

    def current(self) -> str:
        """The version in use."""
        return self.steps()[0]

    def root(self, version: str) -> Path:
        """The folder of a version; raises InputError where there is none."""
        if version == SHIPPED_ID:
            return SHIPPED
        folder = self.path / version
        if not _VERSION.fullmatch(version) or not (folder / "card.json").is_file():
            raise InputError(f"没有模型版本“{version[:40]}”,请先运行 invoicer models list")
        return folder

    def supplement(self, version: str) -> Path | None:
        """The names that a version took from decisions; None for the shipped one."""
        return None if version == SHIPPED_ID else self.root(version) / FILE

    def load(self, version: str) -> Learned:
        """The learned part of a version; raises UnavailableError where it cannot be used."""
        cure = "请运行 invoicer models switch shipped 改用随附模型,再运行 invoicer retrain"
        try:
            learned = load_learned(self.root(version))
        except (InputError, OSError, ValueError, KeyError, TypeError) as error:
            raise UnavailableError(f"模型版本 {version} 无法读取({error});{cure}") from error
        if not set(learned.ranker.signals) <= set(NAMES):
            raise UnavailableError(f"模型版本 {version} 由另一版程序训练,已不适用;{cure}")
        return learned

    def versions(self) -> list[ModelInfo]:
        """The shipped model, then what was learned here, oldest first."""
        current = self.current()
        folders = [f.name for f in self.path.glob("*") if _VERSION.fullmatch(f.name)]
        found = [self._info(name, current) for name in folders if (self.path / name).is_dir()]
        shipped = self._info(SHIPPED_ID, current)
        return [shipped, *sorted(found, key=lambda one: (one.made_at, one.version))]

    def _info(self, version: str, current: str) -> ModelInfo:
        card = load_learned(self.root(version)).card
        learned = card.get("learning", {})
        return ModelInfo(
            version=version,
            made_at=card.get("made_at", card.get("date", "")),
            is_current=version == current,
            accepted=learned.get("accepted", True),
            verdict=learned.get("verdict", "随程序发布"),
            card=card,
        )

    def add(self, fill: Callable[[Path], None]) -> str:
        """Keep a new version: `fill` writes it into an empty folder, which is then moved in whole.
        Returns its name; the same content keeps its place, with the newer card."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        staging = Path(tempfile.mkdtemp(prefix=".making-", dir=self.path))
        try:
            fill(staging)
            version = load_learned(staging).version
            with locked(self.path):
                shutil.rmtree(self.path / version, ignore_errors=True)
                os.replace(staging, self.path / version)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return version

    def switch(self, version: str, force: bool = False) -> None:
        """Use a version from now on; one that the gate refused only where that is insisted on."""
        self.root(version)
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(self.path):
            steps = self.steps()
            if steps[0] == version:
                return
            info = self._info(version, steps[0])
            if not info.accepted and not force:
                raise InputError(
                    f"模型版本 {version} 未通过检验({info.verdict});确要使用请加 --force"
                )
            self._point([version, *steps])

    def rollback(self) -> str:
        """Use what served before; returns it."""
        steps = self.steps()
        if len(steps) < 2:
            raise InputError("当前已是最早的版本,没有可以退回的")
        with locked(self.path):
            steps = self.steps()[1:]
            self.root(steps[0])
            self._point(steps)
        return steps[0]

    def steps(self) -> list[str]:
        """What served, newest first; the shipped model at the beginning of it all."""
        try:
            return self.pointer.read_text(encoding="utf-8").split() or [SHIPPED_ID]
        except FileNotFoundError:
            return [SHIPPED_ID]

    def _point(self, steps: list[str]) -> None:
        write_whole(self.pointer, "\n".join(steps[:KEPT_STEPS]) + "\n")
