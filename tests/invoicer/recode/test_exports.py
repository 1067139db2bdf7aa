"""Histories as real systems export them, with the money worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
from recoding import Recode, csv_of, table

from invoicer.recode import sources

HEAD = ["发票号码", "数电发票号码", "开票日期", "商品名称", "税收分类编码", "金额", "税率", "税额"]
REBAR, CEMENT = "1080207050000000000", "1080101020000000000"


def line(**more: str) -> list[str]:
    """A line of rebar at 9 %, where it is 13 %; more: cells by title."""
    cells = dict(
        zip(HEAD, ["1", "", "2024-06-01", "螺纹钢", REBAR, "1000", "9%", "90"], strict=True)
    )
    return list((cells | more).values())


@pytest.mark.parametrize(
    "name",
    ["合计", "合 计", "合　计", "小计：", "本页合计", "价税合计（大写）", "累计", "见清单",
     "（详见销货清单）", "以下空白"],
)  # fmt: skip
def test_rows_that_sum_up_are_no_lines(tmp_path: Path, recode: Recode, name: str) -> None:
    path = csv_of(tmp_path / "a.csv", HEAD, line(), line(商品名称=name))
    outcome = recode(tmp_path / "out.csv", path)
    rows = table(tmp_path / "out.csv")
    assert [row["stake_high"] for row in rows] == ["40.00", ""]
    assert rows[1]["error"] == f"“{name}”不是商品行,没有判断"
    assert outcome.tally.total["judged"][1] == 1000_00


@pytest.mark.parametrize(
    ("title", "said", "judged"),
    [("发票状态", "正常", True), ("发票状态", "已红冲-全额", True), ("发票状态", "未作废", True),
     ("发票状态", "已作废", False), ("发票状态", "作废", False),
     ("作废标志", "否", True), ("作废标志", "是", False)],
)  # fmt: skip
def test_a_cancelled_invoice_has_no_money_at_stake(
    tmp_path: Path, recode: Recode, title: str, said: str, judged: bool
) -> None:
    recode(tmp_path / "out.csv", csv_of(tmp_path / "a.csv", [*HEAD, title], [*line(), said]))
    (row,) = table(tmp_path / "out.csv")
    assert row["stake_high"] == ("40.00" if judged else "")
    assert row["error"] == ("" if judged else "发票已作废,没有判断")


def test_a_negative_amount_in_brackets_is_red(tmp_path: Path, recode: Recode) -> None:
    head = [*HEAD, "数量", "单价"]
    cells = [*line(金额="(1,000.00)", 税额="(90.00)"), "10", "100"]
    recode(tmp_path / "out.csv", csv_of(tmp_path / "a.csv", head, cells))
    (row,) = table(tmp_path / "out.csv")
    money = row["tax_declared"], row["tax_correct_high"], row["stake_high"]
    assert money == ("-90.00", "-130.00", "-40.00")


def test_a_gross_amount_told_in_brackets(tmp_path: Path, recode: Recode) -> None:
    head = ["商品名称", "税收分类编码", "开票日期", "金额（含税）", "税率"]
    cells = ["螺纹钢", REBAR, "2024-06-01", "10900.00", "9%"]
    recode(tmp_path / "out.csv", csv_of(tmp_path / "a.csv", head, cells))
    (row,) = table(tmp_path / "out.csv")
    money = row["tax_declared"], row["tax_correct_high"], row["stake_high"]
    assert money == ("900.00", "1253.98", "353.98")


@pytest.mark.parametrize(
    "code", [f"'{REBAR}", f'="{REBAR}"', f"{REBAR}\t", "1080207 0500 00000000"]
)  # fmt: skip
def test_a_code_wrapped_to_stay_text_is_the_code(
    tmp_path: Path, recode: Recode, code: str
) -> None:
    rows = [line(), line(税收分类编码=code, 税率="13%", 税额="130")]
    recode(tmp_path / "out.csv", csv_of(tmp_path / "a.csv", HEAD, *rows))
    second = table(tmp_path / "out.csv")[1]
    assert (second["code"], second["findings"]) == (REBAR, "")


@pytest.mark.parametrize("dash", ["-", "—", "/"])
def test_a_dash_is_no_rate(tmp_path: Path, recode: Recode, dash: str) -> None:
    recode(tmp_path / "out.csv", csv_of(tmp_path / "a.csv", HEAD, line(税率=dash, 税额="")))
    assert table(tmp_path / "out.csv")[0]["findings"] == ""


def test_the_number_of_a_digital_invoice_is_told(tmp_path: Path, recode: Recode) -> None:
    row = line(发票号码="", 数电发票号码="24442000000000000001")
    outcome = recode(tmp_path / "out.csv", csv_of(tmp_path / "a.csv", HEAD, row))
    assert outcome.tally.first[0]["invoice"] == "24442000000000000001"


def test_the_titles_of_accounting_software_below_notes(tmp_path: Path, recode: Recode) -> None:
    rows = [
        ["销售发票序时簿", "", "", "", "", "", ""],
        ["公司：四海商贸", "", "期间：2024年", "", "", "", ""],
        ["发票号", "日期", "存货名称", "税收编码", "无税金额", "税率（%）", "税额"],
        ["1", "2024/6/1", "螺纹钢", f"\t{REBAR}", "10,000.00", "9.00", "900.00"],
    ]
    recode(tmp_path / "out.csv", csv_of(tmp_path / "a.csv", *rows, encoding="gb18030"))
    (row,) = table(tmp_path / "out.csv")
    assert (row["tax_declared"], row["stake_high"]) == ("900.00", "400.00")


def test_a_column_below_notes_can_be_given(tmp_path: Path, recode: Recode) -> None:
    rows = [["销售明细", "", ""], ["货", "何时", "多少"], ["螺纹钢", "2024-06-01", "1000"]]
    given = {"货": "name", "何时": "date", "多少": "amount"}
    recode(tmp_path / "out.csv", csv_of(tmp_path / "a.csv", *rows), mapping=given)
    assert table(tmp_path / "out.csv")[0]["code"] == REBAR


def workbook(path: Path, **sheets: Sequence[Sequence[str]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


OLD_HEAD = ["发票号码", "购方名称", "开票日期", "商品名称", "税收分类编码", "金额", "税率", "税额"]


@pytest.mark.parametrize("rows_of_a_part", [1, sources.PART_ROWS])
def test_the_head_of_an_invoice_stands_on_its_first_line_only(
    tmp_path: Path, recode: Recode, monkeypatch: pytest.MonkeyPatch, rows_of_a_part: int
) -> None:
    monkeypatch.setattr(sources, "PART_ROWS", rows_of_a_part)
    rows = [
        ["1", "远航科技", "2017-12-01", "螺纹钢", REBAR, "1000", "17%", "170"],
        ["", "", "", "水泥", CEMENT, "1000", "17%", "170"],
        ["", "", "", "小计", "", "2000", "", "340"],
        ["2", "远航科技", "2024-06-01", "螺纹钢", REBAR, "1000", "13%", "130"],
        ["", "", "", "水泥", CEMENT, "1000", "17%", "170"],
        ["3", "远航科技", "", "水泥", CEMENT, "1000", "13%", "130"],
    ]
    recode(tmp_path / "out.csv", csv_of(tmp_path / "a.csv", OLD_HEAD, *rows))
    found = table(tmp_path / "out.csv")
    assert [row["stake_low"] for row in found] == ["0.00", "0.00", "", "0.00", "-40.00", "0.00"]
    assert [row["开票日期"] for row in found[:2]] == ["2017-12-01", ""]  # as it was


def test_without_numbers_a_missing_date_is_not_made_up(tmp_path: Path, recode: Recode) -> None:
    head, rows = OLD_HEAD[2:], [
        ["2017-12-01", "螺纹钢", REBAR, "1000", "17%", "170"],
        ["", "水泥", CEMENT, "1000", "17%", "170"],
    ]  # fmt: skip
    recode(tmp_path / "out.csv", csv_of(tmp_path / "a.csv", head, *rows))
    assert [row["stake_low"] for row in table(tmp_path / "out.csv")] == ["0.00", "-40.00"]


def test_rejected_rows_have_their_number_in_the_sheet(tmp_path: Path, recode: Recode) -> None:
    bad, good = line(开票日期="2024-13-01"), line()
    path = workbook(
        tmp_path / "a.xlsx", 一=[[], [], HEAD, good, [], [], bad, good], 二=[HEAD, good, [], bad]
    )
    recode(tmp_path / "out.csv", path)
    rejects = table(tmp_path / "out.csv.rejects.csv")
    assert [row["row"] for row in rejects] == ["7", "二!4"]


def test_sheets_that_are_not_read_are_named(tmp_path: Path, recode: Recode) -> None:
    heads = [HEAD[:3], line()[:3]]
    path = workbook(
        tmp_path / "a.xlsx", 发票基础信息=heads, 信息汇总表=[HEAD, line()], 续=[line()],
        其他=[["商品名称"], ["水泥"]],
    )  # fmt: skip
    outcome = recode(tmp_path / "out.csv", path)
    assert outcome.notes == [
        "a.xlsx 的工作表“其他”表头不同,没有读取",
        "a.xlsx 的工作表“发票基础信息、续”没有商品名称列,没有读取",
    ]
    assert [row["stake_high"] for row in table(tmp_path / "out.csv")] == ["40.00"]


def test_a_line_without_its_amount_says_so(tmp_path: Path, recode: Recode) -> None:
    recode(tmp_path / "out.csv", csv_of(tmp_path / "a.csv", HEAD, line(金额="")))
    (row,) = table(tmp_path / "out.csv")
    assert (row["stake_high"], row["error"]) == ("", "没有金额,没有计算税款")


@pytest.mark.parametrize(
    ("rate", "tax", "stake", "findings"),
    [("", "90", "40.00", "税率错误"), ("", "130", "0.00", ""), ("***", "20", "0.00", ""),
     ("", "20.50", "0.00", "")],
)  # fmt: skip
def test_the_tax_tells_the_rate_where_none_is_printed(
    tmp_path: Path, recode: Recode, rate: str, tax: str, stake: str, findings: str
) -> None:
    recode(tmp_path / "out.csv", csv_of(tmp_path / "a.csv", HEAD, line(税率=rate, 税额=tax)))
    (row,) = table(tmp_path / "out.csv")
    assert row["stake_low"] == row["stake_high"] == stake
    assert row["findings"].partition(":")[0] == findings
