"""What runs on the executors: record batches in, record batches out, judged by the same functions
as on one machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
import pyarrow as pa

from invoicer.batch import Defaults
from invoicer.recode.collecting import gather
from invoicer.recode.forms import KEEPERS, OutRow, csv_header, parquet_table
from invoicer.recode.judging import JudgedPart, PartJudge
from invoicer.recode.lines import Heads
from invoicer.recode.pipeline import reject_lines
from invoicer.recode.sources import in_order, part_size
from invoicer.recode.spark.blocks import TextTable, plain_uri, scan
from invoicer.recode.spark.shipping import Model, judge_of
from invoicer.recode.tally import Tally
from invoicer.recode.work import PAGE
from invoicer.table import BrokenRow, text_of

Batches = Iterable[pa.RecordBatch]
# (number of the input, where a block of it starts, its rows with their numbers)
Stretch = tuple[int, int, Iterator[tuple[int, list[str]]]]

_SCANNED = pa.schema([("source", pa.int32()), ("start", pa.int64()), ("scan", pa.binary())])
SCANNED = "source int, start bigint, scan binary"
_COLLECTED = pa.schema([
    ("source", pa.int32()), ("start", pa.int64()), ("seq", pa.int32()), ("first", pa.int64()),
    ("lines", pa.int64()), ("value", pa.binary()),
    ("questions", pa.list_(pa.struct([("hash", pa.binary()), ("text", pa.string())]))),
    ("groups", pa.list_(pa.struct([
        ("seller", pa.string()), ("name", pa.binary()), ("period", pa.int32()),
        ("code", pa.string()), ("lines", pa.int64()),
    ]))),
])  # fmt: skip
COLLECTED = (
    "source int, start bigint, seq int, first bigint, lines bigint, value binary,"
    "questions array<struct<hash: binary, text: string>>, groups array<struct<seller: string,"
    "name: binary, period: int, code: string, lines: bigint>>"
)
_ANSWERED = pa.schema([("hash", pa.binary()), ("answer", pa.binary())])
ANSWERED = "hash binary, answer binary"


@dataclass(frozen=True, slots=True)
class SparkSource:
    """One input. places: field → its column; order: for each title of the common header the
    input's column."""

    name: str
    header: list[str]
    places: dict[str, int]
    order: list[int]


@dataclass(frozen=True, slots=True)
class Job:
    """What every executor has to know."""

    model: Model
    sources: tuple[SparkSource, ...]
    names: list[str]
    defaults: Defaults
    form: str
    raw: bool


def scan_blocks(files: Mapping[str, tuple[int, str]], batches: Batches) -> Iterator[Any]:
    """files: URI → number and suffix."""
    for uri, start, data in _blocks(batches):
        source, suffix = files[uri]
        kept = orjson.dumps(scan(start, data, suffix), default=lambda b: b.decode("latin-1"))
        yield _batch([[source, start, kept]], _SCANNED)


def collect_text(
    job: Job, files: Mapping[str, int], tables: Mapping[int, TextTable], batches: Batches
) -> Iterator[Any]:
    """The rows of text files, in parts, with what they ask."""
    stretches = (
        (files[uri], start, tables[files[uri]].rows(start, data))
        for uri, start, data in _blocks(batches)
    )
    return _collect(job, stretches)


def collect_records(job: Job, files: Mapping[str, int], batches: Batches) -> Iterator[Any]:
    """The rows of Parquet files: their columns, then URI, start of the block, number."""
    return _collect(job, _stretches(files, batches))


def _stretches(files: Mapping[str, int], batches: Batches) -> Iterator[Stretch]:
    for batch in batches:
        *columns, uris, starts, numbers = (column.to_pylist() for column in batch.columns)
        rows = [[text_of(cell) for cell in cells] for cells in zip(*columns, strict=True)]
        at = 0
        for end in range(1, len(rows) + 1):
            if end == len(rows) or (uris[end], starts[end]) != (uris[at], starts[at]):
                numbered = zip((n + 1 for n in numbers[at:end]), rows[at:end], strict=True)
                yield files[plain_uri(uris[at])], starts[at], iter(list(numbered))
                at = end


def _collect(job: Job, stretches: Iterable[Stretch]) -> Iterator[Any]:
    judge = judge_of(job.model)
    at, seq = (-1, -1), 0
    for number, start, rows in stretches:
        source = job.sources[number]
        if at != (number, start):
            at, seq, heads = (number, start), 0, Heads(source.places)
        while part := list(islice(rows, part_size(source.header))):
            cells = [row for _, row in part]
            found = gather(judge, cells, source.places, job.defaults, heads)
            questions = [{"hash": key, "text": text} for key, text in found.questions.items()]
            groups = [
                dict(zip(("seller", "name", "period", "code", "lines"), (*key, n), strict=True))
                for key, n in found.groups.items()
            ]
            kept = [seq, part[0][0], len(part), _packed(cells), questions, groups]
            yield _batch([[number, start, *kept]], _COLLECTED)
            seq += 1


def _packed(rows: Sequence[list[str]]) -> bytes:
    """Rows as JSON, a broken one as its reason."""
    return orjson.dumps([row.why if isinstance(row, BrokenRow) else row for row in rows])


def _unpacked(rows: bytes) -> list[list[str]]:
    return [BrokenRow(row) if isinstance(row, str) else row for row in orjson.loads(rows)]


def classify(job: Job, batches: Batches) -> Iterator[Any]:
    """Answers of questions."""
    judge = judge_of(job.model)
    for batch in batches:
        for page in (batch.slice(i, PAGE) for i in range(0, batch.num_rows, PAGE)):
            answers = pa.array(judge.packed_answers(page.column("text").to_pylist()), pa.binary())
            yield pa.RecordBatch.from_arrays([page.column("hash"), answers], schema=_ANSWERED)


class _Known:
    """What is known of the rows of one block: it comes before them."""

    def __init__(self) -> None:
        self._answers: dict[bytes, bytes] = {}
        self._mixed: dict[tuple[bytes, str, int], str] = {}
        self._names: dict[bytes, list[tuple[bytes, str, int]]] = {}

    def keep(self, key: bytes, seller: str | None, period: int | None, value: bytes) -> None:
        if seller is None or period is None:
            self._answers[key] = value
            return
        self._mixed[key, seller, period] = value.decode()
        self._names.setdefault(key, []).append((key, seller, period))

    def answers(self, hashes: Sequence[bytes]) -> dict[bytes, bytes]:
        return {key: self._answers[key] for key in hashes}

    def mixed(self, names: Sequence[bytes]) -> dict[tuple[bytes, str, int], str]:
        return {key: self._mixed[key] for name in names for key in self._names.get(name, ())}


def judge_blocks(job: Job, batches: Batches) -> Iterator[Any]:
    """The rows of the output, with the rejects among them and, at the end, the sums."""
    judge, tally = judge_of(job.model), Tally()
    known, at, wrote, rejected = _Known(), (-1, -1), False, False
    for batch in batches:
        for source, start, seq, first, key, seller, period, value in zip(
            *(column.to_pylist() for column in batch.columns), strict=True
        ):
            if at != (source, start):
                known, at = _Known(), (source, start)
                parts = PartJudge(judge, known, job.defaults)
                heads = Heads(job.sources[source].places)
            if seq < 0:
                known.keep(key, seller, period, value)
                continue
            given = job.sources[source]
            rows = _unpacked(value)
            numbers = range(first, first + len(rows))
            judged = parts.judge(rows, given.places, numbers, given.name, heads)
            yield _judged(_rows(job, given, judged, wrote))
            wrote = True
            tally.merge(judged.tally.to_dict())
            if judged.rejects:
                rejects = [[given.name, one.row, one.field, one.reason] for one in judged.rejects]
                text = reject_lines(rejects, headed=not rejected)
                yield _aside(job, "rejects", text.removesuffix("\n"))
                rejected = True
    if wrote:
        yield _aside(job, "tally", orjson.dumps(tally.to_dict()).decode())


def _rows(job: Job, source: SparkSource, judged: JudgedPart, wrote: bool) -> Any:
    """A part of the output as Spark is to write it."""
    several = len(job.sources) > 1
    rows = [
        OutRow(
            in_order(one.cells, source.order) + ([source.name] if several else []),
            one.answer,
            one.severity,
        )
        for one in judged.rows
    ]
    if job.form == "parquet":
        return parquet_table(rows, job.names).to_struct_array().combine_chunks()
    content = KEEPERS[job.form](rows, job.names, job.raw)
    if job.form == "csv" and not wrote:  # every file of the output has its header
        content = csv_header(job.names) + content
    text = content.removesuffix(b"\n").decode()  # Spark ends each of them
    return pa.array([{"value": text}], _row_type(job))


def _row_type(job: Job) -> Any:
    if job.form == "parquet":
        return pa.struct(list(parquet_table([], job.names).schema))
    return pa.struct([("value", pa.string())])


def _judged(rows: Any) -> Any:
    nothing = pa.nulls(len(rows), pa.string())
    return pa.RecordBatch.from_arrays([rows, nothing, nothing], ["row", "rejects", "tally"])


def _aside(job: Job, name: str, text: str) -> Any:
    columns = {"row": pa.nulls(1, _row_type(job)), "rejects": None, "tally": None}
    columns |= {
        other: pa.array([text if other == name else None], pa.string())
        for other in ("rejects", "tally")
    }
    return pa.RecordBatch.from_pydict(columns)


def _blocks(batches: Batches) -> Iterator[tuple[str, int, bytes]]:
    """(URI, start, bytes) of each block, from its lines in order."""
    at: tuple[str, int] | None = None
    lines: list[bytes] = []
    for batch in batches:
        for uri, start, line in zip(*(c.to_pylist() for c in batch.columns), strict=True):
            if at != (uri, start):
                if at is not None:
                    yield plain_uri(at[0]), at[1], b"\n".join(lines) + b"\n"
                at, lines = (uri, start), []
            lines.append(line)
    if at is not None:
        yield plain_uri(at[0]), at[1], b"\n".join(lines) + b"\n"


def _batch(rows: Sequence[Sequence[Any]], schema: Any) -> Any:
    columns = [pa.array(c, f.type) for c, f in zip(zip(*rows, strict=True), schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
