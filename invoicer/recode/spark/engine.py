"""A run on Spark: scan, collect, classify each question once, bring answers to the rows, judge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from invoicer.assistant import Assistant
from invoicer.batch import Defaults
from invoicer.errors import InputError
from invoicer.recode.options import form_of
from invoicer.recode.pipeline import Outcome, reject_lines, silent
from invoicer.recode.progress import Progress, Stage
from invoicer.recode.spark import stages
from invoicer.recode.spark.hadoop import HadoopFiles
from invoicer.recode.spark.inputs import SparkInputs
from invoicer.recode.spark.session import cut, plain_errors, session
from invoicer.recode.spark.shipping import ship
from invoicer.recode.tally import Tally
from invoicer.recode.verdict import RECODE_COLUMNS
from invoicer.recode.work import CONSISTENCY, SELLERS
from invoicer.writers import output_header

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FORMS = ("csv", "jsonl", "parquet")
QUESTIONS_AT_ONCE = 20_000  # of one task
LINES_AT_ONCE = 200_000


@dataclass(frozen=True, slots=True)
class SparkOptions:
    """As `Options`, but that inputs and output are paths of any Hadoop file system; output: a
    folder, whose ending chooses the form."""

    inputs: tuple[str, ...]
    output: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    defaults: Defaults = field(default_factory=Defaults)
    raw: bool = False

    @property
    def form(self) -> str:
        return form_of(Path(self.output), FORMS)

    @property
    def rejects(self) -> str:
        return f"{self.output.rstrip('/')}.rejects.csv"


class SparkRun:
    """One re-coding as a Spark job."""

    def __init__(self, assistant: Assistant, options: SparkOptions, progress: Progress = silent):
        self.options = options
        self.progress = progress
        self._assistant = assistant
        self._form = options.form  # refused here where it is not known
        self._spark = session()
        files = HadoopFiles(self._spark)
        for path in (options.output, options.rejects):
            if files.exists(path):
                raise InputError(f"输出 {path} 已存在,请换一个名称或先删除", file=path)
        found = files.expand(options.inputs)
        cut(self._spark, sum(file.size for file in found))
        self.progress(Stage.READ, 0, None)
        self.inputs = SparkInputs(self._spark, found, options.mapping, options.raw)
        self._job = stages.Job(
            model=ship(self._spark.sparkContext, assistant),
            sources=self.inputs.sources,
            names=output_header(self.inputs.header, RECODE_COLUMNS),
            defaults=options.defaults,
            form=self._form,
            raw=options.raw,
        )

    def run(self) -> Outcome:
        """Do it all; the output is there, whole, once its _SUCCESS is."""
        kept: list[DataFrame] = []
        try:
            with plain_errors("Spark 任务失败"):
                return self._run(kept)
        finally:
            for frame in kept:
                frame.unpersist()

    def _run(self, kept: list[DataFrame]) -> Outcome:
        from pyspark import StorageLevel
        from pyspark.sql import functions as F

        self.progress(Stage.READ, 0, None)
        collected = self._collected().persist(StorageLevel.DISK_ONLY)
        kept.append(collected)
        blocks = [
            (row.source, row.start, row.lines)
            for row in collected.groupBy("source", "start")
            .agg(F.sum("lines").alias("lines"))
            .orderBy("source", "start")
            .collect()
        ]
        if not blocks:
            raise InputError("没有数据行")
        asked = collected.select(
            "source", "start", "seq", F.explode("questions").alias("asked")
        ).select("source", "start", "seq", "asked.*")
        questions = (
            asked.groupBy("hash")
            .agg(F.min_by("text", F.struct("source", "start", "seq")).alias("text"))
            .persist(StorageLevel.DISK_ONLY)
        )
        kept.append(questions)
        number = questions.count()
        self.progress(Stage.CLASSIFY, 0, number)
        judged = self._judged(collected, asked, questions, number, blocks)
        judged = judged.persist(StorageLevel.DISK_ONLY)
        kept.append(judged)
        tally = Tally()
        for row in judged.where("tally is not null").select("tally").toLocalIterator():
            tally.merge(orjson.loads(row.tally))
        groups = _groups(collected)
        groups.createOrReplaceTempView("groups")
        consistency = [
            (row.seller, row.lines, row.names, row.mixed, row.mixed_lines)
            for row in self._spark.sql(
                f"{CONSISTENCY} order by mixed_lines desc, lines desc, seller limit {SELLERS}"
            ).collect()
        ]
        rejected = tally.total.get("rejected", [0])[0] + len(self.inputs.unreadable)
        self.progress(Stage.WRITE, 0, None)
        if rejected:
            self._write_rejects(judged)
        self._write(judged.where("row is not null").select("row.*"), self.options.output)
        return Outcome(
            lines=sum(lines for _, _, lines in blocks),
            rejected=rejected,
            questions=number,
            tally=tally,
            consistency=consistency,
            templates=[],
            queued=0,
            notes=[],
        )

    def _collected(self) -> DataFrame:
        """The rows of all inputs in parts, each with what it asks."""
        inputs, frames = self.inputs, []
        if (lines := inputs.lines()) is not None:
            step = partial(stages.collect_text, self._job, inputs.numbers, inputs.texts)
            frames.append(lines.mapInArrow(step, stages.COLLECTED))
        step = partial(stages.collect_records, self._job, inputs.numbers)
        frames += [records.mapInArrow(step, stages.COLLECTED) for records in inputs.records()]
        return reduce(lambda whole, more: whole.unionByName(more), frames)

    def _judged(
        self,
        collected: DataFrame,
        asked: DataFrame,
        questions: DataFrame,
        number: int,
        blocks: Sequence[tuple[int, int, int]],
    ) -> DataFrame:
        """Blocks side by side in the order of the input, each after what is known of it."""
        from pyspark.sql import functions as F

        cores = self._spark.sparkContext.defaultParallelism
        tasks = max(2 * cores, math.ceil(number / QUESTIONS_AT_ONCE))
        answers = questions.repartition(tasks, "hash").mapInArrow(
            partial(stages.classify, self._job), stages.ANSWERED
        )
        nobody = [
            F.lit(None).cast("string").alias("seller"),
            F.lit(None).cast("int").alias("period"),
        ]
        ahead = [F.lit(-1).alias("seq"), F.lit(0).cast("bigint").alias("first")]
        answered = (
            asked.select("hash", "source", "start").distinct().join(answers, "hash")
            .select("source", "start", *ahead, F.col("hash").alias("key"), *nobody,
                    F.col("answer").alias("value"))
        )  # fmt: skip
        group = ["seller", "name", "period"]
        mixed = (
            _groups(collected).groupBy(*group)
            .agg(F.to_json(F.map_from_entries(F.collect_list(F.struct("code", "lines"))))
                 .cast("binary").alias("value"), F.count("*").alias("codes"))
            .where("codes > 1")
        )  # fmt: skip
        told = (
            collected.select("source", "start", F.explode("groups").alias("one"))
            .select("source", "start", *(f"one.{name}" for name in group)).distinct()
            .join(mixed, group)
            .select("source", "start", *ahead, F.col("name").alias("key"), "seller", "period",
                    "value")
        )  # fmt: skip
        parts = collected.select(
            "source", "start", "seq", "first", F.lit(None).cast("binary").alias("key"), *nobody,
            "value",
        )  # fmt: skip
        slots, count = _slots(self._spark, blocks)
        placed = parts.unionByName(answered).unionByName(told)
        placed = placed.join(F.broadcast(slots), ["source", "start"]).repartition(count, "slot")
        ordered = placed.sortWithinPartitions("source", "start", "seq").select(
            "source", "start", "seq", "first", "key", "seller", "period", "value"
        )
        return ordered.mapInArrow(partial(stages.judge_blocks, self._job), self._judged_type())

    def _judged_type(self) -> Any:
        from pyspark.sql import types as T

        text = T.StringType()
        row = T.StructType([T.StructField("value", text)])
        if self._form == "parquet":
            from pyspark.sql.pandas.types import from_arrow_schema

            from invoicer.recode.forms import parquet_schema

            row = from_arrow_schema(parquet_schema(self._job.names))
        return T.StructType(
            [T.StructField("row", row), *(T.StructField(n, text) for n in ("rejects", "tally"))]
        )

    def _write(self, rows: DataFrame, path: str) -> None:
        if self._form == "parquet":
            rows.write.parquet(path)
        else:
            rows.write.option("lineSep", "\n").text(path)

    def _write_rejects(self, judged: DataFrame) -> None:
        rejects = judged.where("rejects is not null").select("rejects")
        if self.inputs.unreadable:
            lines = [[e.context["file"], "", "", e.message] for e in self.inputs.unreadable]
            text = reject_lines(lines, headed=True).removesuffix("\n")
            rejects = self._spark.createDataFrame([(text,)], "rejects string").union(rejects)
        rejects.write.option("lineSep", "\n").text(self.options.rejects)


def _groups(collected: DataFrame) -> DataFrame:
    """Lines of each seller, name, period and declared code."""
    from pyspark.sql import functions as F

    groups = collected.select(F.explode("groups").alias("one")).select("one.*")
    return groups.groupBy("seller", "name", "period", "code").agg(F.sum("lines").alias("lines"))


def _slots(spark: SparkSession, blocks: Sequence[tuple[int, int, int]]) -> tuple[DataFrame, int]:
    """(source, start, slot) of each block, and how many slots there are: one after the other in
    the order of the input, whatever Spark's partitioner makes of the numbers."""
    from pyspark.sql import functions as F

    places: list[tuple[int, int, int]] = []
    slot = lines = 0
    for source, start, size in blocks:
        if lines and lines + size > LINES_AT_ONCE:
            slot, lines = slot + 1, 0
        places.append((source, start, slot))
        lines += size
    count = slot + 1
    # Of the numbers that fall into a partition, the first one stands for it.
    tried = spark.range(count * (20 + count.bit_length()))
    fallen = tried.groupBy(F.pmod(F.hash("id"), F.lit(count)).alias("slot")).agg(F.min("id"))
    keys = {row[0]: row[1] for row in fallen.collect()}
    rows = [(source, start, keys[place]) for source, start, place in places]
    return spark.createDataFrame(rows, "source int, start bigint, slot bigint"), count
