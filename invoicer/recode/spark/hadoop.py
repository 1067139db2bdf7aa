"""Files on any Hadoop file system: what an input means, what is there already."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from invoicer.errors import InputError
from invoicer.recode.sources import READABLE
from invoicer.recode.spark.blocks import plain_uri
from invoicer.recode.spark.session import plain_errors

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
_GLOB = re.compile(r"([\\\[\]{}*?])")


@dataclass(frozen=True, slots=True)
class InputFile:
    """path: as Spark is to load it; uri: as Spark names it in its rows; suffix: its form."""

    path: str
    uri: str
    name: str
    suffix: str
    size: int


class HadoopFiles:
    """The file systems that a session can reach."""

    def __init__(self, spark: SparkSession):
        self._jvm: Any = spark.sparkContext._jvm
        self._conf: Any = spark.sparkContext._jsc.hadoopConfiguration()

    def exists(self, path: str) -> bool:
        with plain_errors(f"无法访问 {path}"):
            where, system = self._open(path)
            return bool(system.exists(where))

    def expand(self, inputs: Sequence[str]) -> list[InputFile]:
        """The files that are meant, in a fixed order; raises InputError where there are none."""
        files: dict[str, InputFile] = {}
        for text in inputs:
            with plain_errors(f"无法读取 {text}"):
                found = sorted(self._found(text), key=lambda file: file.uri.split("/"))
            if not found:
                raise InputError(f"没有找到可读取的文件:{text}", file=text)
            files |= {file.uri: file for file in found}
        return list(files.values())

    def _open(self, text: str) -> tuple[Any, Any]:
        where = self._jvm.org.apache.hadoop.fs.Path(text)
        return where, where.getFileSystem(self._conf)

    def _found(self, text: str) -> Iterator[InputFile]:
        where, system = self._open(text)
        if system.exists(where):
            statuses = [system.getFileStatus(where)]
        else:
            statuses = list(system.globStatus(where) or ())
        for status in statuses:
            if not status.isDirectory():
                yield _input_file(status, system)
                continue
            below = system.listFiles(status.getPath(), True)
            while below.hasNext():
                inner = below.next()
                if _is_data(inner.getPath().getName(), inner.getPath().getParent().getName()):
                    yield _input_file(inner, system)


def _suffix(name: str, folder: str) -> str:
    """The form of a file; one that Spark wrote has that of its folder."""
    own = PurePosixPath(name).suffix.lower()
    of_folder = PurePosixPath(folder).suffix.lower()
    return of_folder if name.startswith("part-") and of_folder in SUFFIXES else own


def _is_data(name: str, folder: str) -> bool:
    return _suffix(name, folder) in READABLE and not name.startswith((".", "~$"))


def _input_file(status: Any, system: Any) -> InputFile:
    where = system.makeQualified(status.getPath())
    name = where.getName()
    suffix = _suffix(name, where.getParent().getName())
    if suffix not in SUFFIXES:
        raise InputError(
            f"Spark 引擎不读取 {name},只读取 {' '.join(SUFFIXES)};其他格式请用 --engine local",
            file=name,
        )
    if name.startswith("_"):
        raise InputError(f"Spark 不读取以 _ 开头的文件:{name},请改名", file=name)
    path = _GLOB.sub(r"\\\1", where.toString())
    return InputFile(path, plain_uri(where.toUri().toString()), name, suffix, int(status.getLen()))
