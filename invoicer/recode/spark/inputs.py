"""What a run on Spark reads: which files can be read, under which header, and from where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson

from invoicer.errors import InputError
from invoicer.recode.sources import common_header, names_of, places_of
from invoicer.recode.spark import stages
from invoicer.recode.spark.blocks import Scan, TextTable, Walk, table_of
from invoicer.recode.spark.hadoop import InputFile
from invoicer.recode.spark.session import plain_errors

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_LOOKS = 8  # Parquet schemas looked at side by side


class SparkInputs:
    """The inputs of a run under one header. Raises InputError where none can be read.

    files: those that can be read; sources: how each is read; texts, schemas: of the text and of
    the Parquet files, by their number; unreadable: what was wrong with the others.
    """

    def __init__(
        self,
        spark: SparkSession,
        found: Sequence[InputFile],
        mapping: Mapping[str, str],
        raw: bool,
    ):
        self._spark = spark
        self._mapping = mapping
        self._raw = raw
        self.unreadable: list[InputError] = []
        with plain_errors("无法读取输入"):
            texts = self._texts([file for file in found if file.suffix != ".parquet"])
        schemas = self._schemas([file for file in found if file.suffix == ".parquet"])
        headers = {uri: table.header for uri, table in texts.items()}
        headers |= {uri: [title.strip() for title in s.names] for uri, s in schemas.items()}
        self.files = [file for file in found if self._is_usable(file, headers)]
        if not self.files:
            raise self.unreadable[0]
        known = list(enumerate(self.files))
        self.schemas = {i: schemas[f.uri] for i, f in known if f.uri in schemas}
        self.texts = {i: texts[f.uri] for i, f in known if f.uri in texts}
        kept = [headers[file.uri] for file in self.files]
        self.header, orders = common_header(kept, mapping)
        names = names_of([PurePosixPath(unquote(file.uri)) for file in self.files])
        self.sources = tuple(
            stages.SparkSource(name, header, places_of(header, mapping), order)
            for name, header, order in zip(names, kept, orders, strict=True)
        )

    @property
    def numbers(self) -> dict[str, int]:
        """URI → number of each file."""
        return {file.uri: i for i, file in enumerate(self.files)}

    def lines(self) -> DataFrame | None:
        """The lines of all text files, see `_lines`; None where there are none."""
        texts = [self.files[i] for i in self.texts]
        return _lines(self._spark, texts) if texts else None

    def records(self) -> list[DataFrame]:
        """The rows of all Parquet files, see `_records`; a frame for each schema."""
        same: dict[str, list[InputFile]] = defaultdict(list)
        for i, schema in self.schemas.items():
            same[schema.json()].append(self.files[i])
        return [_records(self._spark, files) for files in same.values()]

    def _is_usable(self, file: InputFile, headers: Mapping[str, list[str]]) -> bool:
        """Whether a file has a name column; what it lacks is kept."""
        if file.uri not in headers:
            return False
        try:
            places_of(headers[file.uri], self._mapping)
        except InputError as error:
            self._refuse(file, error)
            return False
        return True

    def _refuse(self, file: InputFile, error: InputError) -> None:
        error.context["file"] = file.name
        self.unreadable.append(error)

    def _texts(self, files: Sequence[InputFile]) -> dict[str, TextTable]:
        """The tables of those text files that can be read, by URI."""
        if not files:
            return {}
        numbers = {file.uri: (i, file.suffix) for i, file in enumerate(files)}
        lines = _lines(self._spark, files)
        scanned = lines.mapInArrow(partial(stages.scan_blocks, numbers), stages.SCANNED)
        blocks: dict[int, list[tuple[int, Scan]]] = defaultdict(list)
        for row in scanned.collect():
            blocks[row.source].append((row.start, _scan(orjson.loads(bytes(row.scan)))))
        tables = {}
        for i, file in enumerate(files):
            try:
                scans = sorted(blocks[i], key=lambda one: one[0])
                tables[file.uri] = table_of(scans, file.suffix, file.name, self._raw)
            except InputError as error:
                self._refuse(file, error)
        return tables

    def _schemas(self, files: Sequence[InputFile]) -> dict[str, Any]:
        """The schemas of those Parquet files that can be read, by URI."""

        def look(file: InputFile) -> Any:
            try:
                with plain_errors(f"无法读取 {file.name}"):
                    return self._spark.read.parquet(file.path).schema
            except InputError as error:
                return error

        with ThreadPoolExecutor(_LOOKS) as pool:
            found = dict(zip(files, pool.map(look, files), strict=True))
        for file, one in found.items():
            if isinstance(one, InputError):
                self._refuse(file, one)
        return {f.uri: one for f, one in found.items() if not isinstance(one, InputError)}


def _scan(kept: dict[str, Any]) -> Scan:
    """A scan as `scan_blocks` kept it."""
    for name in ("closed", "opened"):
        kept[name] = Walk(**kept[name])
    for name in ("lead", "head"):
        kept[name] = None if kept[name] is None else kept[name].encode("latin-1")
    return Scan(**kept)


def _lines(spark: SparkSession, files: Sequence[InputFile]) -> DataFrame:
    """(URI, start of the block, bytes) of each line, in order."""
    from pyspark.sql import functions as F

    read = spark.read.option("lineSep", "\n").text([file.path for file in files])
    return read.select(
        "_metadata.file_path", "_metadata.file_block_start", F.col("value").cast("binary")
    )


def _records(spark: SparkSession, files: Sequence[InputFile]) -> DataFrame:
    """The columns of Parquet files with the same titles, then URI, start of the block and number
    in the file."""
    from pyspark.sql import functions as F

    read = spark.read.parquet(*(file.path for file in files))
    quoted = [name.replace("`", "``") for name in read.columns]
    columns = [F.col(f"`{name}`").alias(f"c{i}") for i, name in enumerate(quoted)]
    return read.select(
        *columns, "_metadata.file_path", "_metadata.file_block_start", "_metadata.row_index"
    )
