"""The command line as people and scripts use it."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from invoicer import InvoiceLine
from invoicer.cli import app
from invoicer.console import SOME_FAILED
from invoicer.readers import read_table

FISH = "1030109050000000000"
CUT_CRISPS = "1030201050000000000"
PARKING = "3040502020200000000"
VERSIONS = ("model_version", "kb_version")
NASTY = [
    "柚子味鱼排", "", "鱼" * 10_000, "\x07手机壳\x0b", "😀手机壳", "停车费", '引号"和,逗号的手机',
    "   ",
    "两\n行手机", "=1+1手机",
]  # fmt: skip
FAILED = [2, 3, 8]  # places in NASTY, from 1


def run(*args: str | Path, stdin: str | bytes | None = None):
    result = CliRunner().invoke(app, [str(a) for a in args], input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def csv_of(path: Path, *rows: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def rejected(result) -> str:
    """The one line on stderr of a command that refused its input."""
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.replace("\n", "").split("错误:")[1:]
    return line


# -- classify: one name -----------------------------------------------------------------------


def test_a_name_gives_one_json_line() -> None:
    result = run("classify", "柚子味鱼排", "--on", "2026-07-01")
    (row,) = objects(result.stdout)
    assert result.exit_code == 0
    assert (row["name"], row["code"], row["rate"]) == ("柚子味鱼排", FISH, "0.13")
    assert all(row[version] for version in VERSIONS)


def test_date_and_taxpayer_of_the_command_line_hold_for_the_name() -> None:
    result = run("classify", "停车费", "--on", "2018-06-01", "--taxpayer", "small")
    (row,) = objects(result.stdout)
    assert (row["short_name"], row["rate"]) == ("经营租赁", "0.05")


def test_a_name_at_a_terminal_gives_a_chinese_table() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "invoicer.cli", "classify", "柚子味鱼排[/b]"],
        capture_output=True, encoding="utf-8",
        env={**os.environ, "FORCE_COLOR": "1", "PYTHONUTF8": "1", "COLUMNS": "120"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shown = re.sub(r"\x1b\[[\d;]*m", "", done.stdout)
    for word in ("水产加工品", "把握", "税率", "13%", "请确认实际商品是否为鱼排", "[/b]"):
        assert word in shown


def test_a_name_longer_than_any_file_name_is_a_name() -> None:
    (row,) = objects(run("classify", "柚子味鱼排" * 40).stdout)
    assert row["error"] == ""


def test_a_name_of_ten_thousand_characters_fails_with_its_reason() -> None:
    result = run("classify", "鱼" * 10_000)
    (row,) = objects(result.stdout)
    assert result.exit_code == 1
    assert "10000 个字符" in row["error"]


def test_an_empty_name_fails_with_its_reason() -> None:
    result = run("classify", "")
    assert result.exit_code == 1
    assert objects(result.stdout)[0]["error"] == "name: 商品名称为空,请填写"


# -- classify: files --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nasty(tmp_path_factory) -> tuple[Any, list[dict[str, Any]]]:
    """A file of difficult names, answered."""
    folder = tmp_path_factory.mktemp("nasty")
    rows = [[str(n), name] for n, name in enumerate(NASTY, 1)]
    path = csv_of(folder / "in.csv", ["序号", "商品名称"], *rows)
    result = run("classify", path, "-o", folder / "out.jsonl")
    return result, objects((folder / "out.jsonl").read_text(encoding="utf-8"))


def test_there_is_one_row_out_a_row_in_in_order(nasty) -> None:
    assert [(row["序号"], row["商品名称"]) for row in nasty[1]] == [
        (str(n), name) for n, name in enumerate(NASTY, 1)
    ]


def test_rows_that_fail_stay_in_place_with_their_error(nasty) -> None:
    assert [int(row["序号"]) for row in nasty[1] if row["error"]] == FAILED


def test_the_other_rows_are_done(nasty) -> None:
    done = [row for row in nasty[1] if not row["error"]]
    assert all(row["candidates"] and row["tier"] for row in done)


def test_control_characters_and_emoji_do_not_change_the_answer(nasty) -> None:
    codes = [row["candidates"][0]["code"] for row in nasty[1] if row["序号"] in {"4", "5"}]
    assert len(set(codes)) == 1


def test_failed_rows_are_listed_by_the_number_a_spreadsheet_shows(nasty) -> None:
    result = nasty[0]
    assert result.exit_code == 1
    for place in FAILED:
        assert f"第 {place + 1} 行 name:" in result.stderr
    assert "10 行中有 3 行未能赋码" in result.stderr


def test_a_code_stored_as_a_float_is_dropped_with_a_warning_and_the_row_done(tmp_path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["商品名称", "税收分类编码"])
    book.active.append(["停车费", float(FISH)])
    book.save(tmp_path / "in.xlsx")
    result = run("classify", tmp_path / "in.xlsx", "--on", "2026-07-01")
    (row,) = objects(result.stdout)
    assert result.exit_code == 0
    assert row["code"] == PARKING
    assert "第 2 行" in result.stderr and "按数字保存" in result.stderr


def test_many_warnings_are_counted_and_not_all_listed(tmp_path) -> None:
    rows = [["停车费", "1.0E+18"]] * 50
    result = run("classify", csv_of(tmp_path / "in.csv", ["name", "spbm"], *rows))
    assert result.exit_code == 0
    assert result.stderr.count("按数字保存") == 20
    assert "另有 30 条提示未列出" in result.stderr


def test_row_fields_decide_before_the_command_line(tmp_path) -> None:
    rows = [["停车费", "2026-07-01", "general"], ["停车费", "", ""]]
    path = csv_of(tmp_path / "in.csv", ["name", "date", "taxpayer"], *rows)
    found = objects(run("classify", path, "--on", "2018-06-01", "--taxpayer", "small").stdout)
    assert [(row["short_name"], row["rate"]) for row in found] == [
        ("生产生活服务", "0.09"),
        ("经营租赁", "0.05"),
    ]


def test_a_bad_date_fails_its_row_only(tmp_path) -> None:
    rows = [["停车费", "昨天"], ["停车费", "2026-07-01"], ["停车费", "1999-01-01"]]
    result = run("classify", csv_of(tmp_path / "in.csv", ["name", "date"], *rows))
    found = objects(result.stdout)
    assert result.exit_code == 1
    assert [bool(row["error"]) for row in found] == [True, False, True]
    assert found[0]["error"].startswith("date:")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> Path:
    """The same two lines in every format that is read."""
    folder = tmp_path_factory.mktemp("inputs")
    rows = [["name", "unit"], ["柚子味鱼排", "袋"], ["停车费", "次"]]
    csv_of(folder / "in.csv", *rows)
    text = "\n".join(",".join(row) for row in rows)
    (folder / "gb.csv").write_bytes(text.encode("gb18030"))
    (folder / "in.tsv").write_text(text.replace(",", "\t"), encoding="utf-8")
    lines = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    (folder / "in.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / "in.xlsx")
    pq.write_table(pa.Table.from_pylist(lines), folder / "in.parquet")
    return folder


@pytest.mark.parametrize(
    "name", ["in.csv", "gb.csv", "in.tsv", "in.jsonl", "in.xlsx", "in.parquet"]
)
def test_every_format_is_read(inputs: Path, name: str) -> None:
    result = run("classify", inputs / name, "--on", "2026-07-01")
    assert result.exit_code == 0
    found = [(row["name"], row["unit"], row["code"]) for row in objects(result.stdout)]
    assert found == [("柚子味鱼排", "袋", FISH), ("停车费", "次", PARKING)]


@pytest.mark.parametrize("form", ["jsonl", "csv", "xlsx"])
def test_every_format_is_written(inputs: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / f"out.{form}"
    result = run("classify", inputs / "in.csv", "-o", out, "--on", "2026-07-01")
    assert result.exit_code == 0
    assert "已完成 2 行" in result.stderr
    assert codes_of(out) == [FISH, PARKING]


def codes_of(path: Path) -> list[str]:
    if path.suffix == ".jsonl":
        return [row["code"] for row in objects(path.read_text(encoding="utf-8"))]
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [row["code"] for row in csv.DictReader(file)]
    header, *rows = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
    return [row[header.index("code")] for row in rows]


def test_the_format_option_is_stronger_than_the_ending(inputs: Path, tmp_path: Path) -> None:
    run("classify", inputs / "in.csv", "-o", tmp_path / "out.txt", "--format", "csv")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8-sig").startswith("name,unit,code,")


def test_csv_goes_to_standard_output_on_request(inputs: Path) -> None:
    result = run("classify", inputs / "in.csv", "--format", "csv")
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert [row["name"] for row in rows] == ["柚子味鱼排", "停车费"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_standard_input_has_one_name_a_line(encoding: str) -> None:
    result = run("classify", "-", stdin="柚子味鱼排\n\n停车费\n".encode(encoding))
    found = objects(result.stdout)
    assert result.exit_code == 1
    assert [row["name"] for row in found] == ["柚子味鱼排", "", "停车费"]
    assert "第 2 行 name: 商品名称为空" in result.stderr


def test_a_long_file_is_answered_in_order_by_several_processes(assistant, tmp_path) -> None:
    names = [f"{thing} {n}号" for n in range(550) for thing in ("鱼排", "停车费", "手机", "芹菜")]
    path = csv_of(tmp_path / "in.csv", ["name"], *([name] for name in names))
    result = run("classify", path, "-o", tmp_path / "out.jsonl", "--on", "2026-07-01")
    found = objects((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
    assert result.exit_code == 0
    assert [row["name"] for row in found] == names
    for row in found[::500]:
        ((_, match),) = assistant.match([InvoiceLine(row["name"])])
        codes = assistant.matcher.compiled.index.codes
        assert row["candidates"][0]["code"] == codes[match.places[0]]


def test_a_broken_row_in_the_middle_leaves_the_old_output(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(f"name\na\n{'b' * 1_000_001}\n", encoding="utf-8")
    (tmp_path / "out.csv").write_text("old")
    result = run("classify", tmp_path / "in.csv", "-o", tmp_path / "out.csv")
    assert "第 3 行无法解析" in rejected(result)
    assert (tmp_path / "out.csv").read_text() == "old"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_line_that_is_no_json_object_stays_in_place_with_the_reason(
    tmp_path: Path, form: str
) -> None:
    text = '{"name": "停车费", "unit": "次"}\n{"name": \n{"name": "鱼排", "unit": "袋"}\n'
    (tmp_path / "in.jsonl").write_text(text, encoding="utf-8")
    result = run("classify", tmp_path / "in.jsonl", "-o", tmp_path / f"out.{form}")
    table = read_table(tmp_path / f"out.{form}")
    found = list(table.rows)
    errors = [row[table.header.index("error")] for row in found]
    assert result.exit_code == SOME_FAILED
    assert errors == ["", "row: 不是 JSON:Expecting value", ""]
    assert [row[:2] for row in found] == [["停车费", "次"], ["", ""], ["鱼排", "袋"]]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["classify", "none.csv"], "文件不存在"),
        (["classify", "鱼排", "--on", "昨天"], "无法识别"),
        (["classify", "鱼排", "--on", "2015-01-01"], "早于"),
        (["classify", "鱼排", "-o", "out.pdf"], "--format"),
        (["classify", "鱼排", "--format", "xlsx"], "-o"),
        (["classify", "鱼排", "-o", "none/out.csv"], "输出文件夹不存在"),
        (["explain", ""], "商品名称为空"),
        (["evaluate", "none.csv"], "文件不存在"),
        (["evaluate", "none.csv", "--html", "none/report.html"], "输出文件夹不存在"),
        (["kb", "search", "鱼", "--on", "昨天"], "无法识别"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(args, said, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert said in rejected(run(*args))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "文件是空的"),
        ("单位,金额\n袋,1\n".encode(), "没有找到商品名称列"),
        (b"\xff\xff\x00", "in.csv"),
    ],
)
def test_an_unusable_file_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "in.csv").write_bytes(content)
    assert said in rejected(run("classify", tmp_path / "in.csv"))


@pytest.mark.parametrize(
    "args",
    [["classify"], ["classify", "鱼排", "--format", "pdf"], ["classify", "鱼排", "--taxpayer", "x"],
     ["nonsense"], ["evaluate"], ["kb", "show"]],
)  # fmt: skip
def test_bad_usage_is_exit_code_two(args: list[str]) -> None:
    assert run(*args).exit_code == 2


# -- classify: marks of a target system -------------------------------------------------------

MARKED = {
    "购物卡": ["1", "不征税", "04", "2"],
    "苹果手机": ["0", "", "", ""],
    "停车费": ["1", "按5%简易征收", "09", ""],
}


@pytest.mark.parametrize("form", ["jsonl", "csv", "xlsx"])
def test_the_columns_of_a_target_system_are_added(tmp_path: Path, form: str) -> None:
    path = csv_of(tmp_path / "in.csv", ["name"], *([name] for name in MARKED))
    out = tmp_path / f"out.{form}"
    result = run("classify", path, "-o", out, "--marks", "tax_platform", "--on", "2025-05-01",
                 "--taxpayer", "small")  # fmt: skip
    assert result.exit_code == 0
    columns = ["yhzcbs", "zzstsgl", "ssyhzclxDm", "lslbs"]
    if form == "jsonl":
        found = [[row[c] for c in columns] for row in objects(out.read_text(encoding="utf-8"))]
    elif form == "csv":
        rows = list(csv.DictReader(out.read_text(encoding="utf-8-sig").splitlines()))
        found = [[row[c] for c in columns] for row in rows]
    else:
        header, *rows = openpyxl.load_workbook(out).active.iter_rows(values_only=True)
        found = [[row[header.index(c)] or "" for c in columns] for row in rows]
    assert found == list(MARKED.values())


def test_a_row_that_fails_has_no_marks() -> None:
    (row,) = objects(run("classify", " ", "--marks", "batch_template", "--format", "jsonl").stdout)
    assert (row["是否使用优惠政策"], row["优惠政策类型"]) == ("", "")


def test_an_unknown_target_system_is_refused_with_those_that_are_known() -> None:
    said = rejected(run("classify", "停车费", "--marks", "sap"))
    assert "“sap”" in said and "batch_template、tax_platform" in said


# -- classify: answers ------------------------------------------------------------------------


def test_the_answer_column_settles_several_questions_of_its_row(tmp_path: Path) -> None:
    rows = [["薯片", "复合/膨化;小规模纳税人"], ["薯片", "2\n4"], ["薯片", ""]]
    path = csv_of(tmp_path / "in.csv", ["name", "answer"], *rows)
    *settled, still = objects(run("classify", path, "--on", "2026-07-01").stdout)
    assert {(row["code"], row["rate"], row["prompt"]) for row in settled} == {
        ("1030201040000000000", "0.01", "")
    }
    assert still["prompt"].startswith("需补充2项:①")


def test_a_terminal_shows_every_question_with_its_numbered_options() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "invoicer.cli", "classify", "薯片", "--on", "2026-07-01"],
        capture_output=True, encoding="utf-8",
        env={**os.environ, "FORCE_COLOR": "1", "PYTHONUTF8": "1", "COLUMNS": "160"},
    )  # fmt: skip
    shown = re.sub(r"\x1b\[[\d;?]*[mlhKA]", "", done.stdout)
    for text in (
        "是鲜切油炸的薯片",
        "1 鲜切油炸 → 1030201050000000000 焙烤食品 13%",
        "2 复合/膨化 → 1030201040000000000 焙烤食品 13%",
        "3 一般纳税人 → 1030201050000000000 焙烤食品 13%",
        "4 小规模纳税人 → 1030201050000000000 焙烤食品 1%",
    ):
        assert text in shown


# -- the other commands -----------------------------------------------------------------------


def test_explain_shows_every_step() -> None:
    result = run("explain", "乐事 原切马铃薯片 黄瓜味 70g*12")
    assert result.exit_code == 0
    for word in ("乐事", "70g*12", "黄瓜味(风味)", "核心商品", "中心词", "匹配信号", "结论"):
        assert word in result.stdout


def test_explain_prints_a_name_as_it_is_written() -> None:
    assert "[red]手机[/b] :smile:" in run("explain", "[red]手机[/b] :smile:").stdout


def test_kb_search_finds_official_and_everyday_names() -> None:
    assert FISH in run("kb", "search", "鱼糜").stdout
    assert CUT_CRISPS in run("kb", "search", "原切薯片").stdout


def test_kb_search_for_an_unknown_word_says_so() -> None:
    result = run("kb", "search", "查无此物")
    assert result.exit_code == 1
    assert "没有找到" in result.stderr


def test_kb_show_tells_everything_of_a_code() -> None:
    result = run("kb", "show", FISH)
    assert result.exit_code == 0
    for word in ("鱼糜（熟肉）制品", "水产加工品", "货物 >", "有效期", "俗名"):
        assert word in result.stdout


def test_kb_show_of_a_summary_says_that_it_cannot_be_printed() -> None:
    assert "汇总项:不能开票" in run("kb", "show", "1030109000000000000").stdout


def test_kb_show_of_an_unknown_code_points_to_near_ones() -> None:
    result = run("kb", "show", "1030109")
    assert result.exit_code == 2
    assert "1030109010000000000" in result.stderr.replace("\n", "")


@pytest.fixture(scope="module")
def labelled(tmp_path_factory) -> Path:
    header = ["name", "code", "short_name"]
    rows = [header, ["停车费", PARKING, ""], ["柚子味鱼排", "", "水产加工品"]]
    return csv_of(tmp_path_factory.mktemp("labelled") / "small.csv", *rows)


def test_evaluate_prints_the_measures_as_json(labelled: Path) -> None:
    result = run("evaluate", labelled, "--json", "--on", "2026-07-01")
    data = json.loads(result.stdout)
    assert result.exit_code == 0
    assert all(data[version] for version in VERSIONS)
    report = data["sets"]["small"]
    assert (report["short_name_1"]["right"], report["short_name_1"]["total"]) == (2, 2)
    assert (report["code_1"]["right"], report["code_1"]["total"]) == (1, 1)


def test_evaluate_prints_a_table_for_people(labelled: Path) -> None:
    result = run("evaluate", labelled)
    assert result.exit_code == 0
    assert "small" in result.stdout


def test_evaluate_writes_a_report_that_needs_no_network(labelled: Path, tmp_path: Path) -> None:
    html = tmp_path / "report.html"
    assert run("evaluate", labelled, "--html", html).exit_code == 0
    text = html.read_text(encoding="utf-8")
    assert "small" in text
    assert not any(mark in text for mark in ('src="http', 'href="http', "<script src"))
    assert list(tmp_path.iterdir()) == [html]


def test_train_refuses_a_missing_file(tmp_path: Path) -> None:
    result = run("train", tmp_path / "none.csv", "-o", tmp_path / "learned")
    assert result.exit_code == 2
    assert "文件不存在" in result.stderr.replace("\n", "")
    assert not (tmp_path / "learned").exists()


def test_bench_prints_its_figures_as_json() -> None:
    result = run("bench", "--seconds", "0.2")
    data = json.loads(result.stdout)
    assert result.exit_code == 0
    assert {"single_p50_ms", "single_p99_ms", "batch_lines_per_s", *VERSIONS} <= set(data)


@pytest.mark.parametrize("command", ["classify", "explain", "evaluate", "train", "bench", "kb"])
def test_every_command_explains_itself(command: str) -> None:
    assert run(command, "--help").exit_code == 0
