"""From files to a file: every line stays, gains its columns, and a killed run goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest
from filelock import FileLock
from recoding import HISTORY, Recode, csv_of, table
from typer.testing import CliRunner

from invoicer import Assistant
from invoicer.cli import app
from invoicer.errors import InputError
from invoicer.readers import read_table
from invoicer.recode.options import Options
from invoicer.recode.pipeline import Run
from invoicer.recode.verdict import RECODE_COLUMNS

FISH, REBAR = "1030109050000000000", "1080207050000000000"
HEAD = ["商品名称", "税收分类编码", "税率", "金额", "税额", "开票日期"]
LINES = [
    ["*水产加工品*柚子味鱼排", FISH, "13%", "100.00", "13.00", "2024-05-06"],
    ["螺纹钢", REBAR, "9%", "1000.00", "90.00", "2024-05-06"],
    ["螺纹钢", REBAR, "9%", "-1000.00", "-90.00", "2024-05-07"],
    ["螺纹钢", "1.08020705E+18", "13%", "", "", "2024-05-08"],
]


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    return csv_of(tmp_path / "lines.csv", HEAD, *LINES)


def test_every_line_keeps_what_it_had_and_gains_the_columns(lines: Path, recode: Recode) -> None:
    out = lines.with_name("out.csv")
    outcome = recode(out, lines)
    rows = table(out)
    assert (outcome.lines, outcome.rejected, outcome.questions) == (4, 0, 2)
    assert list(rows[0]) == [*HEAD, *RECODE_COLUMNS]
    assert [[row[title] for title in HEAD] for row in rows] == LINES
    assert [row["code"] for row in rows] == [FISH, REBAR, REBAR, REBAR]
    assert [row["stake_high"] for row in rows] == ["0.00", "40.00", "-40.00", ""]
    assert not lines.with_name(".out.csv.work").exists()


def test_a_run_tells_its_stages_and_what_it_has_found(lines: Path, assistant: Assistant) -> None:
    told: list[tuple[str, int, int | None]] = []
    options = Options((str(lines),), lines.with_name("out.csv"), workers=1)
    run = Run(assistant, options, lambda *how_far: told.append(how_far))
    outcome = run.run()
    assert told == [("read", 4, None), ("classify", 2, 2), ("judge", 4, 4), ("write", 0, None)]
    assert (run.faulty, run.rejected) == (3, 0)
    assert outcome.tally.total["faulty"][0] == 3


def test_the_same_lines_in_every_form(lines: Path, recode: Recode) -> None:
    texts = []
    for form in ("csv", "jsonl", "xlsx", "parquet"):
        out = lines.with_name(f"out.{form}")
        recode(out, lines)
        found = read_table(out)
        assert found.header == [*HEAD, *RECODE_COLUMNS]
        rows = [dict(zip(found.header, row, strict=True)) for row in found.rows]
        texts.append(
            [row | {"confidence": float(row["confidence"]),
                    "candidates": json.loads(row["candidates"])} for row in rows]
        )  # fmt: skip
    assert texts[0] == texts[1] == texts[2] == texts[3]


def test_codes_in_a_workbook_are_text_under_a_frozen_header(lines: Path, recode: Recode) -> None:
    out = lines.with_name("out.xlsx")
    recode(out, lines)
    sheet = openpyxl.load_workbook(out).active
    assert sheet["B2"].value == FISH
    assert sheet["B2"].data_type == "s"
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref
    assert sheet["A2"].fill.fgColor.rgb != sheet["A3"].fill.fgColor.rgb


def test_rows_beyond_a_full_sheet_go_on_on_the_next(
    lines: Path, recode: Recode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoicer.recode.forms.MAX_SHEET_ROWS", 3)
    out = lines.with_name("out.xlsx")
    recode(out, lines)
    book = openpyxl.load_workbook(out)
    assert [page.max_row for page in book.worksheets] == [3, 3]
    assert [page.freeze_panes for page in book.worksheets] == ["A2", "A2"]
    found = list(read_table(out).rows)
    assert [row[0] for row in found] == [line[0] for line in LINES]


def test_money_in_parquet_is_a_number(lines: Path, recode: Recode) -> None:
    out = lines.with_name("out.parquet")
    recode(out, lines)
    found = pq.read_table(out)
    assert found["stake_high"].to_pylist() == [Decimal(0), Decimal(40), Decimal(-40), None]
    assert found["code"].to_pylist()[0] == FISH


def test_rows_that_are_no_lines_stay_and_are_listed(tmp_path: Path, recode: Recode) -> None:
    bad = [
        ["", REBAR, "13%", "1", "", "2024-05-06"],
        ["合计", "", "", "9", "", ""],
        ["螺纹钢", REBAR, "13%", "1", "", "昨天"],
    ]
    source = csv_of(tmp_path / "lines.csv", HEAD, bad[0], LINES[0], *bad[1:])
    outcome = recode(tmp_path / "out.csv", source)
    rows = table(tmp_path / "out.csv")
    assert [bool(row["error"]) for row in rows] == [True, False, True, True]
    rejects = table(tmp_path / "out.csv.rejects.csv")
    assert [(r["input"], r["row"], r["field"]) for r in rejects] == [
        ("lines.csv", "2", "name"), ("lines.csv", "4", "name"), ("lines.csv", "5", "date"),
    ]  # fmt: skip
    assert "昨天" in rejects[2]["reason"]
    assert outcome.rejected == 3


def test_one_name_with_several_codes_is_told_within_its_seller(
    tmp_path: Path, recode: Recode
) -> None:
    head = ["商品名称", "税收分类编码", "销售方名称"]
    rows = [["螺纹钢", REBAR, "甲"], ["螺纹钢", FISH, "甲"], ["螺纹钢", FISH, "乙"]]
    outcome = recode(tmp_path / "out.csv", csv_of(tmp_path / "lines.csv", head, *rows))
    found = ["同品不同码" in row["findings"] for row in table(tmp_path / "out.csv")]
    assert found == [False, True, False]  # the line with the right code is not at fault
    assert [(row[0], row[3]) for row in outcome.consistency] == [("甲", 1), ("乙", 0)]


def test_several_files_are_one_output_under_one_header(tmp_path: Path, recode: Recode) -> None:
    folder = tmp_path / "history"
    folder.mkdir()
    csv_of(folder / "a.csv", ["商品名称", "单位"], ["螺纹钢", "吨"])
    csv_of(folder / "b.csv", ["spmc", "spbm"], ["鱼排", FISH], encoding="gb18030")
    (folder / "readme.md").write_text("no table", encoding="utf-8")
    recode(tmp_path / "out.csv", folder)
    rows = table(tmp_path / "out.csv")
    assert list(rows[0])[:5] == ["商品名称", "单位", "spmc", "spbm", "来源文件"]
    assert [row["来源文件"] for row in rows] == ["a.csv", "b.csv"]
    assert rows[1]["code"] == FISH


def test_files_of_the_same_name_are_told_by_their_folders(tmp_path: Path, recode: Recode) -> None:
    for folder, name in (("2023", "发票.csv"), ("2024", "发票.csv"), ("2024", "其他.csv")):
        (tmp_path / "in" / folder).mkdir(parents=True, exist_ok=True)
        csv_of(tmp_path / "in" / folder / name, ["商品名称"], ["螺纹钢"], ["合计"])
    recode(tmp_path / "out.csv", tmp_path / "in")
    names = ["2023/发票.csv", "其他.csv", "2024/发票.csv"]
    assert list(dict.fromkeys(row["来源文件"] for row in table(tmp_path / "out.csv"))) == names
    assert [row["input"] for row in table(tmp_path / "out.csv.rejects.csv")] == names


def test_an_unreadable_file_among_several_is_listed(tmp_path: Path, recode: Recode) -> None:
    good = csv_of(tmp_path / "a.csv", ["商品名称"], ["螺纹钢"])
    bad = csv_of(tmp_path / "b.csv", ["单位"], ["吨"])
    outcome = recode(tmp_path / "out.csv", good, bad)
    assert [row["code"] for row in table(tmp_path / "out.csv")] == [REBAR]
    (reject,) = table(tmp_path / "out.csv.rejects.csv")
    assert (reject["input"], outcome.rejected) == ("b.csv", 1)
    assert "没有找到商品名称列" in reject["reason"]


def test_formulas_are_guarded_and_come_back(tmp_path: Path, recode: Recode) -> None:
    source = csv_of(tmp_path / "lines.csv", ["商品名称", "备注"], ["=1+1手机壳", "-5"])
    recode(tmp_path / "out.csv", source)
    assert table(tmp_path / "out.csv")[0]["商品名称"] == "'=1+1手机壳"
    assert next(read_table(tmp_path / "out.csv").rows)[:2] == ["=1+1手机壳", "-5"]
    recode(tmp_path / "raw.csv", source, raw=True)
    assert table(tmp_path / "raw.csv")[0]["商品名称"] == "=1+1手机壳"


def test_what_was_written_raw_is_read_raw(tmp_path: Path, recode: Recode) -> None:
    source = csv_of(tmp_path / "lines.csv", ["商品名称", "备注"], ["螺纹钢", "'=1+1"])
    recode(tmp_path / "raw.csv", source, raw=True)
    assert next(read_table(tmp_path / "raw.csv", raw=True).rows)[1] == "'=1+1"
    recode(tmp_path / "again.csv", tmp_path / "raw.csv", raw=True)
    assert table(tmp_path / "again.csv")[0]["备注"] == "'=1+1"


def test_the_official_tax_of_an_inclusive_column(tmp_path: Path, recode: Recode) -> None:
    source = csv_of(tmp_path / "l.csv", ["商品名称", "税率", "价税合计", "spbm"],
                    ["螺纹钢", "9%", "1090", REBAR])  # fmt: skip
    recode(tmp_path / "out.csv", source)
    (row,) = table(tmp_path / "out.csv")
    assert (row["tax_declared"], row["tax_correct_low"]) == ("90.00", "125.40")


def history(folder: Path, files: int, names: int) -> Path:
    """Many lines in several files: each file is a part of its own."""
    folder.mkdir()
    for number in range(files):
        rows = [[f"螺纹钢 {number}{i} 型", REBAR, "13%", f"{i}.50", "", "2024-05-06"]
                for i in range(names)]  # fmt: skip
        csv_of(folder / f"{number:02d}.csv", HEAD, *rows)
    return folder


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_run_killed_in_the_middle_goes_on_to_the_same_output(
    tmp_path: Path, recode: Recode, form: str
) -> None:
    folder, out = history(tmp_path / "history", 10, 150), tmp_path / f"out.{form}"
    whole = tmp_path / f"whole.{form}"
    recode(whole, folder)
    command = [sys.executable, "-m", "invoicer.cli", "recode", str(folder), "-o", str(out),
               "--workers", "2"]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    work = tmp_path / f".out.{form}.work"
    while not (work / "part-000000.json").exists():
        assert process.poll() is None
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not out.exists()
    with FileLock(work / "lock", timeout=30):
        kept = (work / "part-000000.json").read_bytes()
    assert kept
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if form == "csv":
        assert out.read_bytes() == whole.read_bytes()
    else:
        assert list(read_table(out).rows) == list(read_table(whole).rows)


def test_resuming_refuses_what_has_changed(tmp_path: Path, recode: Recode, lines: Path) -> None:
    out = tmp_path / "out.csv"
    broken = csv_of(tmp_path / "template.xlsx", ["x"])
    with pytest.raises(InputError):
        recode(out, lines, template=broken)
    with pytest.raises(InputError, match="没有未完成的任务"):
        recode(out, lines, resume=True)
    work = tmp_path / ".out.csv.work"
    work.mkdir()
    with pytest.raises(InputError, match="没有可以继续的任务"):
        recode(out, lines, resume=True)


def test_a_changed_input_is_not_resumed(
    tmp_path: Path, recode: Recode, lines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.csv"
    monkeypatch.setattr("invoicer.recode.pipeline.join", _fail)
    with pytest.raises(OSError, match="disk full"):
        recode(out, lines)
    monkeypatch.undo()
    csv_of(lines, HEAD, *LINES, LINES[0])
    with pytest.raises(InputError, match="输入文件"):
        recode(out, lines, resume=True)
    assert recode(out, lines).lines == 5


def _fail(*_: object) -> None:
    raise OSError("disk full")


def test_the_command_reports_and_says_where(tmp_path: Path) -> None:
    out, report = tmp_path / "out.csv", tmp_path / "report.html"
    done = CliRunner().invoke(
        app, ["recode", str(HISTORY), "-o", str(out), "--report", str(report), "--workers", "1"]
    )
    assert done.exit_code == 0, done.output
    assert "误把描述词当商品" in done.stdout
    text = report.read_text(encoding="utf-8")
    assert "历史发票复核报告" in text
    assert "柚子味鱼排" in text
    assert "http" not in text.replace("http-equiv", "")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nothing.csv", "-o", "out.csv"], "没有找到可读取的文件"),
        (["x.csv", "-o", "out.pdf"], "请以 .csv"),
        (["x.csv"], "-o"),
        (["x.csv", "-o", "out.csv", "--map", "货品"], "列名=字段"),
        (["x.csv", "-o", "x.csv"], "不能是输入文件"),
        (["x.csv", "-o", "no/out.csv"], "输出文件夹不存在"),
        (["x.csv", "-o", "out.csv", "--review", "yes"], "--review"),
    ],
)
def test_bad_usage_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    csv_of(tmp_path / "x.csv", HEAD, LINES[0])
    done = CliRunner().invoke(app, ["recode", *args])
    assert done.exit_code == 2
    assert said in done.stderr
