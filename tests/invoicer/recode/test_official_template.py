"""The official batch template is filled, not built: all but its detail rows stays as it was."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.datavalidation import DataValidation
from recoding import Recode, csv_of, table

from invoicer.errors import InputError
from invoicer.recode import official
from invoicer.recode.official import OfficialTemplate

DETAIL = "2-发票明细信息"
COLUMNS = {
    "发票流水号": 20, "项目名称": 100, "商品和服务税收编码": 20, "规格型号": 40, "单位": 22,
    "数量": 16, "单价": 16, "金额": 16, "税率": 8, "折扣金额": 16, "是否使用优惠政策": 2,
    "优惠政策类型": 15, "即征即退类型": 46, "煤炭种类": 15,
}  # fmt: skip
REBAR, CELERY = "1080207050000000000", "1010112070000000000"
HEAD = [
    "发票号码", "商品名称", "规格型号", "金额", "税率", "折扣金额", "税收分类编码", "纳税人类型",
    "开票日期",
]  # fmt: skip


def line(
    name: str, code: str = REBAR, rate: str = "13%", amount: str = "100", **more: str
) -> list[str]:
    return ["1", name, more.get("spec", ""), amount, rate, more.get("discount", ""), code,
            "general", "2026-03-02"]  # fmt: skip


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A workbook laid out as the administration's own, list values with its typo."""
    book = openpyxl.Workbook()
    book.active.title = "1-发票基本信息"
    hidden = book.create_sheet("excelVersion")
    hidden["A4"], hidden.sheet_state = "pt:20260401", "hidden"
    sheet = book.create_sheet(DETAIL)
    sheet["A1"] = "填表说明"
    for number, (title, limit) in enumerate(COLUMNS.items(), 1):
        sheet.cell(2, number, f"必填\n（限{limit}字符)")
        sheet.cell(3, number, title)
    for column, values in (("K", "是,否"), ("L", "简易征收,免税,按5%简易征收减按1.5%计证")):
        rule = DataValidation("list", f'"{values}"')
        rule.add(f"{column}4:{column}1001")
        sheet.add_data_validation(rule)
    path = tmp_path / "template.xlsx"
    book.save(path)
    return path


def filled(path: Path) -> list[dict[str, str]]:
    sheet = openpyxl.load_workbook(path)[DETAIL]
    titles = [cell.value for cell in sheet[3]]
    return [
        {t: v for t, v in zip(titles, row, strict=True) if v is not None}
        for row in sheet.iter_rows(min_row=4, values_only=True)
    ]


def run(recode: Recode, folder: Path, template: Path, *rows: list[str]) -> list[Path]:
    source = csv_of(folder / "lines.csv", HEAD, *rows)
    return recode(folder / "out.csv", source, template=template).templates


def test_lines_become_text_rows_from_row_four(
    tmp_path: Path, template: Path, recode: Recode
) -> None:
    (out,) = run(
        recode, tmp_path, template,
        line("*黑色金属冶炼压延品*螺纹钢", spec="<Φ20 & HRB400>", discount="-10"),
        line("芹菜", CELERY, "免税"),
    )  # fmt: skip
    assert out.name == "out.模板-001.xlsx"
    assert filled(out) == [
        {"发票流水号": "1", "项目名称": "螺纹钢", "商品和服务税收编码": REBAR,
         "规格型号": "<Φ20 & HRB400>", "金额": "100.00", "税率": "0.13", "折扣金额": "10.00",
         "是否使用优惠政策": "否"},
        {"发票流水号": "1", "项目名称": "芹菜", "商品和服务税收编码": CELERY, "金额": "100.00",
         "税率": "0", "是否使用优惠政策": "是", "优惠政策类型": "免税"},
    ]  # fmt: skip


def test_everything_else_stays_byte_for_byte(
    tmp_path: Path, template: Path, recode: Recode
) -> None:
    (out,) = run(recode, tmp_path, template, line("螺纹钢"))
    with zipfile.ZipFile(template) as before, zipfile.ZipFile(out) as after:
        assert before.namelist() == after.namelist()
        changed = [n for n in before.namelist() if before.read(n) != after.read(n)]
    assert changed == ["xl/worksheets/sheet3.xml"]
    sheet = openpyxl.load_workbook(out)[DETAIL]
    assert len(sheet.data_validations.dataValidation) == 2
    assert OfficialTemplate(out).version == "pt:20260401"


def test_a_filled_template_is_filled_anew(tmp_path: Path, template: Path, recode: Recode) -> None:
    (out,) = run(recode, tmp_path, template, line("螺纹钢"), line("芹菜", CELERY, "9%"))
    again = tmp_path / "again.xlsx"
    out.rename(again)
    (out,) = run(recode, tmp_path, again, line("螺纹钢"))
    assert [row["项目名称"] for row in filled(out)] == ["螺纹钢"]


def test_rows_are_split_over_numbered_files(
    tmp_path: Path, template: Path, recode: Recode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(official, "ROWS_A_FILE", 2)
    found = run(recode, tmp_path, template, *[line("螺纹钢", amount=f"{n}") for n in (1, 2, 3)])
    assert [len(filled(path)) for path in found] == [2, 1]


def test_what_does_not_fit_is_left_out_with_its_reason(
    tmp_path: Path, template: Path, recode: Recode
) -> None:
    found = run(
        recode, tmp_path, template,
        line("螺纹钢" * 40), line("螺纹钢", amount="-5"), line("螺纹钢", amount=""),
    )  # fmt: skip
    assert found == []
    rejects = table(tmp_path / "out.csv.rejects.csv")
    assert [row["row"] for row in rejects] == ["2", "3", "4"]
    for row, said in zip(rejects, ["限 100 个", "负数行", "没有金额"], strict=True):
        assert said in row["reason"]


def test_a_formula_in_the_template_is_plain_text(
    tmp_path: Path, template: Path, recode: Recode
) -> None:
    (out,) = run(recode, tmp_path, template, line("=1+1螺纹钢"))
    cell = openpyxl.load_workbook(out)[DETAIL]["B4"]
    assert (cell.value, cell.data_type) == ("=1+1螺纹钢", "s")


def test_another_workbook_is_refused(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="不是批量开票模板"):
        OfficialTemplate(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="模板不存在"):
        OfficialTemplate(tmp_path / "b.xlsx")
