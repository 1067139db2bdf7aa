"""Tables are read as text from every format, or refused with one clear line."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicer.columns import fields_of
from invoicer.errors import InputError, LineError
from invoicer.line import declared_code
from invoicer.readers import read_lines, read_table
from invoicer.table import BrokenRow, Table, text_of

FISH = "1030109050000000000"
HEADER = ["商品名称", "单位", "税收分类编码"]
ROWS = [["柚子味鱼排", "袋", FISH], ["停车费", "次", ""]]
CSV = "\n".join(",".join(row) for row in [HEADER, *ROWS]) + "\n"


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def sheet(folder: Path, *rows: list[object], name: str = "lines.xlsx") -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / name)
    return folder / name


def content(table: Table) -> tuple[list[str], list[list[str]]]:
    return table.header, list(table.rows)


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        content(read_table(path))
    assert "\n" not in caught.value.message
    return caught.value.message


# -- delimited text ---------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_read_in_its_encoding(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "lines.csv", CSV.encode(encoding))
    assert content(read_table(path)) == (HEADER, ROWS)


def test_windows_line_ends_are_no_part_of_the_cells(tmp_path: Path) -> None:
    path = written(tmp_path, "lines.csv", CSV.replace("\n", "\r\n").encode())
    assert content(read_table(path)) == (HEADER, ROWS)


def test_tsv_is_split_at_tabs_only(tmp_path: Path) -> None:
    path = written(tmp_path, "lines.tsv", "name\tspec\n鱼排,大\t200g\n".encode())
    assert content(read_table(path)) == (["name", "spec"], [["鱼排,大", "200g"]])


def test_a_quoted_cell_may_hold_commas_and_line_ends(tmp_path: Path) -> None:
    path = written(tmp_path, "lines.csv", 'name,spec\n"鱼排,\n大",200g\n'.encode())
    assert content(read_table(path))[1] == [["鱼排,\n大", "200g"]]


def test_spaces_around_titles_are_dropped(tmp_path: Path) -> None:
    path = written(tmp_path, "lines.csv", " 商品名称 , 单位\n鱼排,袋\n".encode())
    assert read_table(path).header == ["商品名称", "单位"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_a_csv_of_another_delimiter_is_told_by_its_titles(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    lines = (("开票明细",), ("商品名称", "金额"), ("鱼排,冷冻;2kg", "1,000.00"))
    text = "".join(delimiter.join(f'"{cell}"' for cell in line) + "\r\n" for line in lines)
    table = read_table(written(tmp_path, "lines.csv", text.encode(encoding)))
    assert table.header == ["商品名称", "金额"]
    assert list(table.rows) == [["鱼排,冷冻;2kg", "1,000.00"]]


def test_one_column_is_not_cut_at_signs_that_only_its_lines_hold(tmp_path: Path) -> None:
    path = written(tmp_path, "lines.csv", "商品名称\n鱼排;2kg;冷冻\n".encode())
    assert list(read_table(path).rows) == [["鱼排;2kg;冷冻"]]


def test_a_long_gb18030_file_with_a_late_chinese_character_is_read(tmp_path: Path) -> None:
    text = "name\n" + "fish\n" * 300_000 + "鱼排\n"
    path = written(tmp_path, "lines.csv", text.encode("gb18030"))
    assert list(read_table(path).rows)[-1] == ["鱼排"]


# -- JSONL ------------------------------------------------------------------------------------


def test_jsonl_takes_every_key_even_one_that_comes_late(tmp_path: Path) -> None:
    objects: list[dict[str, object]] = [{"name": "鱼排"}] * 150 + [{"name": "虾", "unit": "袋"}]
    text = "\n".join(json.dumps(o, ensure_ascii=False) for o in objects)
    table = read_table(written(tmp_path, "lines.jsonl", text.encode()))
    assert table.header == ["name", "unit"]
    assert list(table.rows)[-1] == ["虾", "袋"]


def test_jsonl_numbers_and_nulls_become_text(tmp_path: Path) -> None:
    text = f'{{"name": "鱼排", "spbm": {FISH}, "dw": null, "sl": 0.13, "x": true}}\n'
    table = read_table(written(tmp_path, "lines.jsonl", text.encode()))
    assert list(table.rows) == [["鱼排", FISH, "", "0.13", "true"]]


def test_half_a_character_pair_in_json_is_replaced(tmp_path: Path) -> None:
    path = written(tmp_path, "lines.jsonl", b'{"name": "\\ud83d\xe9\xb1\xbc"}\n')
    assert list(read_table(path).rows) == [["\ufffd鱼"]]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"name": ', "不是 JSON:Expecting value"),
        ('["鱼排"]', "不是 JSON 对象"),
        ("[" * 100_000, "不是可以读取的 JSON"),
        ('{"n": 1' + "0" * 5_000 + "}", "不是可以读取的 JSON"),
    ],
)
def test_a_broken_json_line_is_a_row_that_says_why(tmp_path: Path, line: str, why: str) -> None:
    text = f'{{"name": "鱼排"}}\n{line}\n{{"name": "虾"}}\n'
    first, broken, last = read_table(written(tmp_path, "lines.jsonl", text.encode())).rows
    assert (first, last) == (["鱼排"], ["虾"])
    assert isinstance(broken, BrokenRow)
    assert broken.why == why
    with pytest.raises(LineError, match=why):
        fields_of(broken, {"name": 0})


def test_a_file_without_any_json_object_is_refused_by_its_first_line(tmp_path: Path) -> None:
    said = refused(written(tmp_path, "lines.jsonl", '\n["鱼排"]\n虾\n'.encode()))
    assert "第 2 行不是 JSON 对象" in said


# -- XLSX and Parquet -------------------------------------------------------------------------


def test_a_sheet_is_read_as_text(tmp_path: Path) -> None:
    path = sheet(tmp_path, HEADER, *ROWS)
    header, rows = content(read_table(path))
    assert (header, [row[:2] for row in rows]) == (HEADER, [row[:2] for row in ROWS])
    assert rows[0][2] == FISH


def test_numbers_and_dates_of_a_sheet_are_written_plainly(tmp_path: Path) -> None:
    path = sheet(tmp_path, ["name", "a", "b", "c"], ["鱼排", 12, 0.13, dt.datetime(2026, 7, 1)])
    assert list(read_table(path).rows) == [["鱼排", "12", "0.13", "2026-07-01"]]


def test_a_code_that_a_sheet_keeps_as_a_number_is_seen_as_damaged(tmp_path: Path) -> None:
    path = sheet(tmp_path, ["name", "spbm"], ["鱼排", float(FISH)])
    ((_, code),) = read_table(path).rows
    assert declared_code(code)[0] == ""
    assert "按数字保存" in declared_code(code)[1]


def test_empty_rows_above_and_between_are_passed_over(tmp_path: Path) -> None:
    path = sheet(tmp_path, [None], ["name"], ["鱼排"], [None], ["虾"])
    assert content(read_table(path)) == (["name"], [["鱼排"], ["虾"]])


def test_an_empty_first_sheet_is_passed_over(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.create_sheet("明细").append(["name"])
    book["明细"].append(["鱼排"])
    book.save(tmp_path / "lines.xlsx")
    assert content(read_table(tmp_path / "lines.xlsx")) == (["name"], [["鱼排"]])


def test_parquet_is_read_as_text_with_its_whole_codes(tmp_path: Path) -> None:
    table = pa.table({"name": ["鱼排", None], "spbm": [int(FISH), None], "sl": [0.13, None],
                      "date": [dt.date(2026, 7, 1), None]})  # fmt: skip
    pq.write_table(table, tmp_path / "lines.parquet")
    found = read_table(tmp_path / "lines.parquet")
    assert found.size == 2
    assert list(found.rows) == [["鱼排", FISH, "0.13", "2026-07-01"], ["", "", "", ""]]


# -- standard input ---------------------------------------------------------------------------


def test_every_line_of_standard_input_is_a_name_and_an_empty_one_stays(tmp_path: Path) -> None:
    stream = io.BytesIO("柚子味鱼排\r\n\n停车费".encode())
    assert content(read_lines(stream)) == (["name"], [["柚子味鱼排"], [""], ["停车费"]])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_standard_input_may_be_utf8_with_mark_or_gb18030(encoding: str) -> None:
    assert list(read_lines(io.BytesIO("鱼排\n".encode(encoding))).rows) == [["鱼排"]]


def test_bytes_that_are_no_text_do_not_stop_the_other_lines() -> None:
    rows = list(read_lines(io.BytesIO(b"\xff\xff\xff\n" + "鱼排\n".encode())).rows)
    assert len(rows) == 2
    assert rows[1] == ["鱼排"]


# -- what cannot be read ----------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "xlsx", "parquet"])
def test_an_empty_file_is_refused(tmp_path: Path, suffix: str) -> None:
    name = f"lines.{suffix}"
    assert refused(written(tmp_path, name, b"")) == f"文件是空的:{name}"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "文件不存在" in refused(tmp_path / "lines.csv")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "是文件夹" in refused(tmp_path)


@pytest.mark.parametrize("name", ["lines.pdf", "lines.ods", "lines"])
def test_another_type_is_refused_with_those_that_work(tmp_path: Path, name: str) -> None:
    message = refused(written(tmp_path, name, b"x"))
    assert ".csv .tsv .jsonl .xlsx .xls .parquet" in message


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_sheet_is_refused(tmp_path: Path, share: float) -> None:
    whole = sheet(tmp_path, HEADER, *ROWS).read_bytes()
    path = written(tmp_path, "cut.xlsx", whole[: int(len(whole) * share)])
    assert refused(path).startswith("无法读取 cut.xlsx")


def test_a_truncated_parquet_file_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"name": ["鱼排"] * 100}), tmp_path / "lines.parquet")
    whole = (tmp_path / "lines.parquet").read_bytes()
    assert "无法读取" in refused(written(tmp_path, "cut.parquet", whole[:-20]))


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "xlsx", "parquet"])
def test_binary_content_is_refused(tmp_path: Path, suffix: str) -> None:
    noise = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 20
    assert f"lines.{suffix}" in refused(written(tmp_path, f"lines.{suffix}", noise))


def test_a_text_file_with_null_characters_is_refused(tmp_path: Path) -> None:
    assert "不是文本文件" in refused(written(tmp_path, "lines.csv", b"name\n\x00\x00\n"))


def test_a_sheet_without_cells_is_refused(tmp_path: Path) -> None:
    assert "没有数据" in refused(sheet(tmp_path))


def test_a_header_of_thousands_of_columns_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "lines.csv", (",".join("x" * 3000) + "\n").encode())
    assert "3000 列" in refused(path)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_as_text_is_the_same_number(value: float) -> None:
    assert float(text_of(value)) == value


@given(st.text(alphabet=st.characters()))
def test_a_cell_can_always_be_written(text: str) -> None:
    text_of(text).encode()  # raises where a character cannot be written
