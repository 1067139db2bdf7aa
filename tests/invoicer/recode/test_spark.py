"""Re-coding on Spark, in local mode: the answers of one machine, in the same order."""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from recoding import Recode

pytest.importorskip("pyspark", reason="pyspark is not installed (the extra invoicer[spark])")
if shutil.which("java") is None:
    pytest.skip("there is no Java to run Spark", allow_module_level=True)

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from invoicer import Assistant
from invoicer.cli import app
from invoicer.errors import InputError
from invoicer.recode.pipeline import Outcome
from invoicer.recode.report import write_report
from invoicer.recode.spark import session
from invoicer.recode.spark.engine import SparkOptions, SparkRun

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "history.csv"
BLOCK = 20_000  # bytes: small files are cut, too, and rows across the borders
HEADER = ["发票号码", "开票日期", "销售方名称", "商品名称", "单位", "金额", "税率", "税收分类编码"]
HOSTILE = ["=1+1\n苹果", '12" 显示器,黑', "合计", "", "'@薯片", "柚子味鱼排\r\n200g", "\ttab 笔"]
SparkRecode = Callable[..., Outcome]


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    settings = {
        "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2", "spark.sql.files.maxPartitionBytes": str(BLOCK),
        "spark.sql.files.openCostInBytes": "0",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        import sys

        patch.setenv("PYSPARK_PYTHON", sys.executable)
        made = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
        yield made
        made.stop()


@pytest.fixture
def on_spark(spark: SparkSession, assistant: Assistant) -> SparkRecode:
    def run(output: Path, *inputs: Path | str, **more: Any) -> Outcome:
        return SparkRun(assistant, SparkOptions(tuple(map(str, inputs)), str(output), **more)).run()

    return run


@pytest.fixture(scope="module")
def lines(assistant: Assistant) -> list[list[str]]:
    """2,000 lines of few names, some of them hostile, coded by four sellers as they please."""
    draw = random.Random(7)
    samples = [(s.name, s.code) for s in assistant.kb.lexicon.samples()][:30]
    samples += [(name, samples[0][1]) for name in HOSTILE]
    found = []
    for number in range(2_000):
        name, code = draw.choice(samples)
        code = draw.choice(samples)[1] if draw.random() < 0.2 else code
        date = f"20{draw.randrange(17, 26)}-0{draw.randrange(1, 10)}-11"
        seller = f"第{draw.randrange(4)}商贸有限公司"
        amount, rate = f"{draw.randrange(1, 10**6) / 100:.2f}", draw.choice(["13%", "9%", "***"])
        found.append([str(number), date, seller, name, "个", amount, rate, code])
    return found


def part_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*"))


def content(folder: Path, header: bytes = b"") -> bytes:
    """The part files one after the other, under one header."""
    texts = [path.read_bytes() for path in part_files(folder)]
    return header + b"".join(text.removeprefix(header) for text in texts)


def header_of(text: bytes) -> bytes:
    return text[: text.index(b"\r\n") + 2]


def write_csv(path: Path, lines: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *lines])
    return path


def test_the_example_gives_the_same_bytes_and_the_same_report(
    recode: Recode, on_spark: SparkRecode, assistant: Assistant, tmp_path: Path
) -> None:
    outcomes = [recode(tmp_path / "local.csv", EXAMPLE), on_spark(tmp_path / "spark.csv", EXAMPLE)]
    expected = (tmp_path / "local.csv").read_bytes()
    assert content(tmp_path / "spark.csv", header_of(expected)) == expected
    assert (tmp_path / "spark.csv" / "_SUCCESS").exists()
    for name, outcome in zip(("local", "spark"), outcomes, strict=True):
        write_report(tmp_path / name, outcome, assistant, [EXAMPLE])
    assert (tmp_path / "spark").read_bytes() == (tmp_path / "local").read_bytes()


def test_rows_cut_anywhere_keep_order_and_findings_and_are_rejected_alike(
    recode: Recode, on_spark: SparkRecode, lines: list[list[str]], tmp_path: Path
) -> None:
    source = write_csv(tmp_path / "账.csv", lines)
    local = recode(tmp_path / "local.csv", source)
    spread = on_spark(tmp_path / "spark.csv", source)
    expected = (tmp_path / "local.csv").read_bytes()
    assert content(tmp_path / "spark.csv", header_of(expected)) == expected
    assert "inconsistent" in spread.tally.findings
    assert spread == local
    rejects = (tmp_path / "local.csv.rejects.csv").read_bytes()
    assert content(tmp_path / "spark.csv.rejects.csv", header_of(rejects)) == rejects


def test_jsonl_gives_the_same_bytes(
    recode: Recode, on_spark: SparkRecode, lines: list[list[str]], tmp_path: Path
) -> None:
    source = tmp_path / "账.jsonl"
    objects = [dict(zip(HEADER, line, strict=True)) for line in lines]
    texts = [json.dumps(o, ensure_ascii=False) for o in objects]
    texts[700:700] = ['{"商品名称": ', "", "[1]"]
    source.write_text("\n".join(texts), "utf-8")
    assert on_spark(tmp_path / "spark.jsonl", source) == recode(tmp_path / "local.jsonl", source)
    assert content(tmp_path / "spark.jsonl") == (tmp_path / "local.jsonl").read_bytes()
    rejects = (tmp_path / "local.jsonl.rejects.csv").read_bytes()
    assert content(tmp_path / "spark.jsonl.rejects.csv", header_of(rejects)) == rejects
    assert "账.jsonl,701,row,不是 JSON:Expecting value" in rejects.decode("utf-8-sig")


def test_parquet_gives_the_same_cells_and_types(
    recode: Recode, on_spark: SparkRecode, lines: list[list[str]], tmp_path: Path
) -> None:
    source = tmp_path / "账.parquet"
    columns = dict(zip(HEADER, map(list, zip(*lines, strict=True)), strict=True))
    pq.write_table(pa.table(columns), source, row_group_size=300)
    local = recode(tmp_path / "local.parquet", source)
    assert on_spark(tmp_path / "spark.parquet", source) == local
    found = pa.concat_tables(map(pq.read_table, part_files(tmp_path / "spark.parquet")))
    expected = pq.read_table(tmp_path / "local.parquet")
    assert found.schema.names == expected.schema.names
    assert found.to_pylist() == expected.to_pylist()


def test_a_folder_of_several_kinds_is_one_table_and_its_bad_files_are_rejects(
    recode: Recode, on_spark: SparkRecode, lines: list[list[str]], tmp_path: Path
) -> None:
    folder = tmp_path / "历史 [1]"
    folder.mkdir()
    write_csv(folder / "a {x}.csv", lines[:40])
    (folder / "b.jsonl").write_text('{"品名": "苹果", "备注": "x"}\n', "utf-8")
    pq.write_table(pa.table({"商品名称": ["梨"], "数量": [3]}), folder / "c.parquet")
    (folder / "无名称列.csv").write_text("甲,乙\n1,2\n", "utf-8")
    (folder / "空.csv").touch()
    local = recode(tmp_path / "local.jsonl", folder)
    spread = on_spark(tmp_path / "spark.jsonl", folder)
    assert content(tmp_path / "spark.jsonl") == (tmp_path / "local.jsonl").read_bytes()
    assert (spread.lines, spread.rejected) == (local.lines, local.rejected)


def test_an_output_of_spark_is_an_input_of_spark(
    on_spark: SparkRecode, lines: list[list[str]], tmp_path: Path
) -> None:
    on_spark(tmp_path / "first.csv", write_csv(tmp_path / "账.csv", lines[:50]))
    assert on_spark(tmp_path / "second.csv", tmp_path / "first.csv").lines == 50


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("无名称列.csv", "甲,乙\n1,2\n", "没有找到商品名称列;现有列:甲、乙"),
        ("只有表头.csv", "商品名称\n", "没有数据行"),
        ("表.xlsx", "x", "Spark 引擎不读取 表.xlsx"),
        ("坏.parquet", "x", "无法读取 坏.parquet"),
    ],
)
def test_an_input_that_cannot_be_judged_is_named(
    on_spark: SparkRecode, tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(InputError, match=said):
        on_spark(tmp_path / "out.csv", tmp_path / name)
    assert not (tmp_path / "out.csv").exists()


def test_paths_that_lead_nowhere_are_named(on_spark: SparkRecode, tmp_path: Path) -> None:
    (tmp_path / "空").mkdir()
    for source in (tmp_path / "空", tmp_path / "没有.csv", tmp_path / "*.csv"):
        with pytest.raises(InputError, match="没有找到可读取的文件"):
            on_spark(tmp_path / "out.csv", source)
    with pytest.raises(InputError, match=r"无法读取 nofs://x/y\.csv"):
        on_spark(tmp_path / "out.csv", "nofs://x/y.csv")


def test_an_output_that_is_there_is_not_written_over(on_spark: SparkRecode, tmp_path: Path) -> None:
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(InputError, match="已存在"):
        on_spark(tmp_path / "out.csv", EXAMPLE)
    with pytest.raises(InputError, match=r"请以 \.csv \.jsonl \.parquet 结尾"):
        on_spark(tmp_path / "out.xlsx", EXAMPLE)


@pytest.mark.parametrize(
    "option", ["--resume", "--review=auto", "--template=t.xlsx", "--workers=2"]
)
def test_what_spark_does_not_do_is_refused(tmp_path: Path, option: str) -> None:
    command = ["recode", str(EXAMPLE), "-o", str(tmp_path / "o.csv"), "--engine", "spark", option]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2
    assert f"Spark 引擎不支持 {option.partition('=')[0]}" in done.stderr


def test_without_java_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    with pytest.raises(Exception, match="apt-get install default-jre-headless"):
        session.require()
