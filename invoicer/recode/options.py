"""What a run is asked to do."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from invoicer.batch import Defaults, Memory
from invoicer.errors import InputError

DEFAULT_TENANT = "default"
FORMS = ("csv", "jsonl", "xlsx", "parquet")


@dataclass(frozen=True, slots=True)
class Options:
    """inputs: files, folders, globs; output: its ending chooses the form; mapping: column title →
    field; raw: CSV cells that look like formulas, or like guarded ones, stay as they are; template:
    the official batch template to fill; review: uncertain lines go to the review queue of
    `tenant`; memory: what people have settled."""

    inputs: tuple[str, ...]
    output: Path
    mapping: Mapping[str, str] = field(default_factory=dict)
    defaults: Defaults = field(default_factory=Defaults)
    raw: bool = False
    template: Path | None = None
    report: Path | None = None
    review: bool = False
    tenant: str = DEFAULT_TENANT
    workers: int = 0
    memory: Memory | None = None

    @property
    def form(self) -> str:
        return form_of(self.output, FORMS)

    @property
    def processes(self) -> int:
        return self.workers or min(os.cpu_count() or 1, 8)

    @property
    def work(self) -> Path:
        return self.output.with_name(f".{self.output.name}.work")

    @property
    def rejects(self) -> Path:
        return self.output.with_name(f"{self.output.name}.rejects.csv")


def form_of(output: Path, forms: Sequence[str]) -> str:
    """The form that the ending of an output asks for."""
    form = output.suffix.lower().lstrip(".")
    if form not in forms:
        endings = " ".join(f".{name}" for name in forms)
        raise InputError(f"输出文件请以 {endings} 结尾", file=str(output))
    return form
