"""Files as they come: broken, swollen, odd. The right answer or one clear line; none hangs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recoding import Recode, csv_of, table

from invoicer import Assistant, readers, workbooks
from invoicer.errors import InputError
from invoicer.recode.report import write_report

REBAR = "1080207050000000000"


def refused(recode: Recode, path: Path) -> str:
    with pytest.raises(InputError) as caught:
        recode(path.parent / "out.csv", path)
    assert "\n" not in caught.value.message
    assert not (path.parent / "out.csv").exists()
    return caught.value.message


def sheet(path: Path, *rows: list[object]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_a_truncated_workbook(tmp_path: Path, recode: Recode) -> None:
    path = sheet(tmp_path / "a.xlsx", ["商品名称"], ["螺纹钢"])
    path.write_bytes(path.read_bytes()[:-400])
    assert "a.xlsx" in refused(recode, path)


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls"])
def test_a_zip_bomb_is_not_unpacked(tmp_path: Path, recode: Recode, name: str) -> None:
    path = sheet(tmp_path / name, ["商品名称"], ["螺纹钢"])
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet9.xml", "w") as entry,
    ):
        for _ in range(70):
            entry.write(b"\0" * (1 << 20))
    assert "压缩炸弹" in refused(recode, path)


def test_an_entity_bomb(tmp_path: Path, recode: Recode) -> None:
    path = tmp_path / "a.xml"
    path.write_text('<!DOCTYPE x [<!ENTITY a "aa">]><x><ItemName>&a;</ItemName></x>', "utf-8")
    assert "DOCTYPE" in refused(recode, path)


@pytest.mark.parametrize("streamed_from", [0, workbooks.STREAMED_FROM])
def test_an_entity_bomb_in_a_workbook(
    tmp_path: Path, recode: Recode, monkeypatch: pytest.MonkeyPatch, streamed_from: int
) -> None:
    monkeypatch.setattr(workbooks, "STREAMED_FROM", streamed_from)
    source = sheet(tmp_path / "a.xlsx", ["商品名称"], ["steel"])
    doubled = "".join(f'<!ENTITY e{n} "&e{n - 1};&e{n - 1};">' for n in range(1, 31))
    bomb = f'<!DOCTYPE worksheet [<!ENTITY e0 "螺纹钢">{doubled}]><worksheet'
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                text = text.replace(b"<worksheet", bomb.encode(), 1)
                text = text.replace(b"steel", b"&e30;")
                assert b"&e30;</t>" in text
            new.writestr(name, text)
    assert "bomb.xlsx" in refused(recode, path)


@pytest.mark.parametrize("text", ["<html><table><tr><td>商品名称", "商品名称\t金额\n螺纹钢\t1\n"])
@pytest.mark.parametrize("name", ["a.xls", "a.xlsx"])
def test_a_page_or_text_that_calls_itself_a_workbook(
    tmp_path: Path, recode: Recode, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text, "gb18030")
    said = refused(recode, tmp_path / name)
    assert "不是 Excel 工作簿" in said
    assert "另存为 .xlsx" in said


def test_a_workbook_with_a_password(tmp_path: Path, recode: Recode) -> None:
    (tmp_path / "a.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2_000))
    assert "加密" in refused(recode, tmp_path / "a.xlsx")


def test_a_new_workbook_under_an_old_name(tmp_path: Path, recode: Recode) -> None:
    path = sheet(tmp_path / "a.xlsx", ["商品名称"], ["螺纹钢"]).rename(tmp_path / "a.xls")
    recode(tmp_path / "out.csv", path)
    assert table(tmp_path / "out.csv")[0]["code"] == REBAR


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.jsonl", "a.parquet", "a.xml", "a.ofd"])
def test_an_empty_file(tmp_path: Path, recode: Recode, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    assert "空" in refused(recode, tmp_path / name)


def test_a_header_alone(tmp_path: Path, recode: Recode) -> None:
    assert "没有数据行" in refused(recode, csv_of(tmp_path / "a.csv", ["商品名称", "金额"]))


def test_mixed_encodings(tmp_path: Path, recode: Recode) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        "商品名称\n螺纹钢\n".encode() + "鱼排\xff\n".encode("latin-1", "replace") + b"\xff"
    )
    assert "UTF-8" in refused(recode, path)


def test_broken_quotes(tmp_path: Path, recode: Recode) -> None:
    path = tmp_path / "a.csv"
    path.write_text('商品名称,金额\n"螺纹钢,1\n' + "鱼排,2\n" * 200_000, "utf-8")
    assert "引号" in refused(recode, path)


def test_titles_and_merged_cells_above_the_header(tmp_path: Path, recode: Recode) -> None:
    book = openpyxl.Workbook()
    rows = [["全量发票查询导出结果"], ["商品名称", "金额", None, "税率"],
            [None, "不含税", "含税", None], ["螺纹钢", 100, 113, "9%"]]  # fmt: skip
    for row in rows:
        book.active.append(row)
    book.active.merge_cells("A1:D1")
    book.active.merge_cells("A2:A3")
    book.active.merge_cells("B2:C2")
    book.save(tmp_path / "a.xlsx")
    recode(tmp_path / "out.csv", tmp_path / "a.xlsx")
    (row,) = table(tmp_path / "out.csv")
    assert (row["不含税金额"], row["stake_high"]) == ("100", "4.00")


def test_formulas_dates_and_codes_as_numbers(tmp_path: Path, recode: Recode) -> None:
    path = sheet(
        tmp_path / "a.xlsx",
        ["商品名称", "税收分类编码", "开票日期", "税率", "金额"],
        ["螺纹钢", float(REBAR), 45418, 0.13, "=50*2"],
    )
    recode(tmp_path / "out.csv", path)
    (row,) = table(tmp_path / "out.csv")
    assert row["code"] == REBAR
    assert "编码已损坏" in row["findings"]
    assert row["tax_declared"] == ""  # a formula that was never calculated has no value
    assert row["error"] == "没有金额,没有计算税款"


def test_three_hundred_columns(tmp_path: Path, recode: Recode) -> None:
    head = [f"列{n}" for n in range(299)] + ["商品名称"]
    recode(tmp_path / "out.csv", csv_of(tmp_path / "a.csv", head, ["x"] * 299 + ["螺纹钢"]))
    (row,) = table(tmp_path / "out.csv")
    assert (row["列298"], row["code"]) == ("x", REBAR)


NASTY = [
    ["螺纹钢\x1f钢", REBAR, "13%", "1", "1"],
    ["螺纹钢", "9E+999999999", "13%", "1", "1"],
    ["螺纹钢", "1" * 5_000, "13%", "1", "1"],
    ["螺纹钢", "1e", "1" * 400, "1", "1"],
    ["螺纹钢", REBAR, "13%", "9999999999999", "9999999999999"],
    ["螺纹钢", REBAR, "13%", "0." + "0" * 500 + "1", "1"],
    ["螺纹钢", REBAR, "13%", "NaN", "-Infinity"],
    ["*" * 300, REBAR, "***", "1", "1"],
    ["<script>alert(1)</script>", REBAR, "-13%", "1", "1"],
    ["\u202e螺纹钢\x00", "'" + REBAR, "１３％", "１，０００", "2"],
]


def test_nasty_cells_are_answered_line_by_line(tmp_path: Path, recode: Recode) -> None:
    head = ["商品名称", "税收分类编码", "税率", "数量", "单价"]
    source = tmp_path / "a.parquet"
    columns = dict(zip(head, map(list, zip(*NASTY, strict=True)), strict=True))
    pq.write_table(pa.table(columns), source)
    outcome = recode(tmp_path / "out.csv", source)
    rows = table(tmp_path / "out.csv")
    assert outcome.lines == len(rows) == len(NASTY)
    assert all(row["code"] or row["error"] or row["tier"] == "weak" for row in rows)
    assert rows[-1]["tax_declared"] == "260.00"


def test_a_product_name_cannot_write_into_the_report(
    tmp_path: Path, recode: Recode, assistant: Assistant
) -> None:
    name = "<script>alert(1)</script>鱼排"
    source = csv_of(tmp_path / "a.csv", ["商品名称", "税收分类编码"], [name, REBAR])
    outcome = recode(tmp_path / "out.csv", source)
    write_report(tmp_path / "r.html", outcome, assistant, [source])
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "鱼排" in text
    assert "<script>" not in text


def test_short_and_long_rows(tmp_path: Path, recode: Recode) -> None:
    path = tmp_path / "a.csv"
    path.write_text("商品名称,税率\n螺纹钢\n螺纹钢,13%,x,y\n", "utf-8")
    recode(tmp_path / "out.csv", path)
    assert [row["code"] for row in table(tmp_path / "out.csv")] == [REBAR, REBAR]


def test_a_large_workbook_is_read_row_by_row(
    tmp_path: Path, recode: Recode, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sheet(tmp_path / "a.xlsx", ["商品名称"], ["螺纹钢"], ["停车费"])
    whole = list(readers.read_table(path).rows)
    monkeypatch.setattr(workbooks, "STREAMED_FROM", 0)
    assert list(readers.read_table(path).rows) == whole == [["螺纹钢"], ["停车费"]]


def test_sheets_with_other_titles_are_said_to_be_left_out(tmp_path: Path, recode: Recode) -> None:
    book = openpyxl.Workbook()
    for title, rows in {
        "说明": [["本表由系统导出"]],
        "一月": [["商品名称"], ["螺纹钢"]],
        "二月": [["商品名称"], ["停车费"]],
        "旧": [["商品名称", "备注"], ["鱼排", ""]],
    }.items():
        page = book.create_sheet(title)
        for row in rows:
            page.append(row)
    book.remove(book["Sheet"])
    book.save(tmp_path / "a.xlsx")
    outcome = recode(tmp_path / "out.csv", tmp_path / "a.xlsx")
    assert [row["商品名称"] for row in table(tmp_path / "out.csv")] == ["螺纹钢", "停车费"]
    assert any("旧" in note for note in outcome.notes)
