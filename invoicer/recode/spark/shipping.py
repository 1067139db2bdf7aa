"""The model on its way to the executors: packed once a run, unpacked once an executor, loaded once
a Python worker, its arrays mapped from there."""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from invoicer.assistant import Assistant
from invoicer.errors import UnavailableError
from invoicer.learning.versions import SHIPPED_ID, ModelStore
from invoicer.recode.judge import Judge
from invoicer.settings import Settings
from models.bundle import bundle_path
from models.tokenizer import available_engine

if TYPE_CHECKING:
    from pyspark import SparkContext

_shipped: dict[tuple[str, Model], tempfile.TemporaryDirectory[str]] = {}


@dataclass(frozen=True, slots=True)
class Model:
    """What answers, wherever it runs. archive: the folder it is unpacked into."""

    archive: str
    engine: str
    semantic: bool
    model_version: str
    kb_version: str


def ship(context: SparkContext, assistant: Assistant) -> Model:
    """Hand the model in use to all executors, once an application."""
    settings = Settings()
    engine = settings.engine or available_engine()
    bundle = bundle_path(assistant.kb, engine, settings.bundles_dir)
    name = f"invoicer-{assistant.model_version}-{bundle.name}"
    model = Model(name, engine, settings.semantic, assistant.model_version, assistant.kb_version)
    key = (str(context.applicationId), model)
    if key not in _shipped:
        folder = tempfile.TemporaryDirectory(prefix="invoicer-spark-")
        path = Path(folder.name) / f"{name}.zip"
        _pack(path, settings, bundle)
        context.addArchive(f"{path}#{name}")
        _shipped[key] = folder  # the driver serves it as long as the application runs
    return model


def _pack(path: Path, settings: Settings, bundle: Path) -> None:
    """A data directory that holds what is in use and nothing else."""
    with zipfile.ZipFile(path, "w") as archive:  # stored: what is shipped once need not be small
        _add(archive, bundle, Path("bundles"))
        version = ModelStore(settings.models_dir).current()
        if version != SHIPPED_ID:
            _add(archive, settings.models_dir / version, Path("models"))
            archive.writestr("models/current", f"{version}\n")
        if settings.knowledge_dir.exists():
            store = settings.version_store()
            root, current = store.current_root(), store.current_id()
            if root.is_relative_to(settings.knowledge_dir):
                _add(archive, root, Path("knowledge_base/versions"))
                archive.writestr("knowledge_base/current", f"{current}\n")


def _add(archive: zipfile.ZipFile, folder: Path, below: Path) -> None:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            archive.write(file, below / folder.name / file.relative_to(folder))


@cache
def judge_of(model: Model) -> Judge:
    """The judge of this worker process."""
    from pyspark import SparkFiles

    settings = Settings(
        data_dir=Path(SparkFiles.get(model.archive)), engine=model.engine, semantic=model.semantic
    )
    assistant = Assistant.load(settings) if Assistant.is_compiled(settings) else None
    if assistant is None or (assistant.model_version, assistant.kb_version) != (
        model.model_version, model.kb_version,
    ):  # fmt: skip
        raise UnavailableError("执行节点上的 invoicer 与提交任务的版本不同,请安装同一版本")
    return Judge(assistant)
