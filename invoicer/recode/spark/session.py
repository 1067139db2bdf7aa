"""The Spark session of a run: the one that is there, or a new one by the usual Spark settings."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from invoicer.errors import InputError, UnavailableError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MIN_BLOCK, MAX_BLOCK = 1 << 20, 32 << 20
_MAX_PARTITION_BYTES = "spark.sql.files.maxPartitionBytes"
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    # A record can be a part of 2,000 lines.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1000",
    # Files are cut by their own size alone: the same in every pass over them.
    "spark.sql.files.minPartitionNum": "1",
}


def require() -> None:
    """Raises UnavailableError where pyspark or Java is missing."""
    if importlib.util.find_spec("pyspark") is None:
        raise UnavailableError("Spark 引擎需要安装扩展:pip install 'invoicer[spark]'")
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else "java"
    if not _submitted() and shutil.which(java) is None:
        raise UnavailableError(
            "Spark 引擎需要 Java 17 或更新版本:apt-get install default-jre-headless"
        )


def _submitted() -> bool:
    """Whether spark-submit has started Java already."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def session() -> SparkSession:
    """The session; raises UnavailableError where pyspark or Java is missing."""
    require()
    if not _submitted():  # by default the workers run what runs here
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.appName("invoicer recode").getOrCreate()
    for key, value in _SETTINGS.items():
        spark.conf.set(key, value)
    return spark


def cut(spark: SparkSession, size: int) -> None:
    """Set how large a block of an input may be, so that every core has several of them."""
    if spark.sparkContext.getConf().contains(_MAX_PARTITION_BYTES):
        return
    block = size // (4 * spark.sparkContext.defaultParallelism)
    spark.conf.set(_MAX_PARTITION_BYTES, str(min(max(block, MIN_BLOCK), MAX_BLOCK)))


@contextmanager
def plain_errors(doing: str) -> Iterator[None]:
    """What Spark or Java raises, as one sentence."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        raise InputError(f"{doing}:{_said(str(error))}") from error
    except Py4JJavaError as error:
        raise InputError(f"{doing}:{_said(str(error.java_exception))}") from error


def _said(text: str) -> str:
    """Of a trace, the error of ours in it, else its first line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    own = [line for line in lines if line.startswith("invoicer.errors.")]
    if own:
        return own[-1].partition(": ")[2][:500]
    python = "Traceback (most recent call last):" in lines
    return (lines[-1 if python else 0] if lines else "?")[:500]
