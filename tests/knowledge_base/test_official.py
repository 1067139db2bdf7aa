"""The administration's own code tables: read from every format, safely, and checked."""

from __future__ import annotations

import datetime as dt
import io
import json
import string
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from official_samples import (
    XLSX_V32,
    XML_V29,
    as_json,
    as_xls,
    as_xlsx,
    as_xml,
    row,
    small_table,
    workbook,
)

from knowledge_base.official.checks import check_table, has_errors
from knowledge_base.official.table import OfficialRow, OfficialTable, OfficialTableError, read_table

needs_official_files = pytest.mark.skipif(
    not XML_V29.exists(), reason="the official files of ../shared/data are not here"
)


def read(folder: Path, content: bytes, name: str = "table") -> OfficialTable:
    path = folder / name
    path.write_bytes(content)
    return read_table(path)


def refused(folder: Path, content: bytes) -> OfficialTableError:
    with pytest.raises(OfficialTableError) as caught:
        read(folder, content)
    assert caught.value.message.endswith("。")
    return caught.value


@pytest.mark.parametrize("write", [as_xml, as_json, as_xlsx])
def test_every_format_gives_the_same_rows_whatever_the_file_is_called(tmp_path, write):
    table = read(tmp_path, write(small_table()), "table.bin")
    assert list(table.rows) == small_table()
    assert table.version == "29.0"
    assert table.effective == dt.date(2018, 5, 1)


def test_an_old_xls_workbook_is_read_and_its_number_code_is_seen_as_damaged(tmp_path):
    table = read(tmp_path, as_xls())
    assert (table.kind, table.version, table.effective) == ("xls", "32.0", dt.date(2019, 4, 1))
    assert [r.code for r in table.rows] == [
        "1010101010000000000",
        "1010101020000000000",
        "1.01010103e+18",
    ]
    damaged = check_table(table.rows, KNOWN)[-1]
    assert (damaged.row, damaged.suggestion) == (4, "1010101030000000000")


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-16"])
def test_xml_is_read_in_the_encoding_it_is_written_in(tmp_path, encoding):
    rows = [row("101", "䌷丝𠮷", note="GB18030 四字节")]
    assert read(tmp_path, as_xml(rows, encoding=encoding)).rows[0].name == "䌷丝𠮷"


def test_a_private_gbk_character_becomes_the_character_it_stands_for(tmp_path):
    table = read(tmp_path, as_xlsx([row("101", "蚕丝", keywords=("\ue837丝",))]))
    assert table.rows[0].keywords == ("䌷丝",)


def test_published_sheets_have_chinese_headings_below_a_title(tmp_path):
    headings = ["合并编码", "商品和服务名称", "商品和服务分类简称", "增值税税率", "汇总项"]
    cells = ["1010101010000000000", "稻谷", "谷物", "13%、9%", "N"]
    table = read(tmp_path, workbook([["商品和服务税收分类编码表"], headings, cells]))
    assert (table.rows[0].name, table.rows[0].rates, table.rows[0].line) == (
        "稻谷",
        ("13%", "9%"),
        3,
    )
    assert table.effective is None


def test_platform_rates_and_dates_are_read_in_their_own_writing(tmp_path):
    content = {
        "sphfwssflhbbm": 1010101010000000000,
        "sphfwmc": "稻谷",
        "sphfwfljc": "谷物",
        "sfhzx": "0",
        "zzssl": [0.13, 0.09],
        "zsl": "3%、0.05",
        "qyrq": "2018-01-01 00:00:00",
        "tyrq": "2099-12-31",
        "fjbm": None,
    }
    found = read(tmp_path, json.dumps({"data": [content]}).encode()).rows[0]
    assert found.code == "1010101010000000000"
    assert found.rates == ("13%", "9%")
    assert found.levy_rates == ("3%", "5%")
    assert (found.valid_from, found.valid_to) == (dt.date(2018, 1, 1), None)


def test_rows_with_different_days_and_no_version_leave_the_effective_day_open(tmp_path):
    rows = [replace(r, version="") for r in small_table()]
    rows[0] = replace(rows[0], valid_from=dt.date(2018, 1, 1))
    assert read(tmp_path, as_json(rows)).effective is None


def test_the_header_of_the_file_is_stronger_than_its_rows(tmp_path):
    table = read(tmp_path, as_xml(small_table(), "<BBH>30.0</BBH><QYSJ>20180801</QYSJ>"))
    assert (table.version, table.effective) == ("30.0", dt.date(2018, 8, 1))


def test_a_file_with_fewer_rows_than_it_declares_is_cut_off(tmp_path):
    error = refused(tmp_path, as_xml(small_table(), "<COUNT>10</COUNT>"))
    assert error.code == "truncated_table"
    assert "声明 10 行，实有 9 行" in error.message


words = st.text(st.sampled_from("稻谷麦䌷𠮷蒜薹Ab9<&>\"'（）%-"), min_size=1, max_size=12)
lists = st.lists(words, max_size=3, unique=True).map(tuple)
days = st.none() | st.dates(dt.date(2000, 1, 1), dt.date(2098, 12, 31))
official_rows = st.builds(
    OfficialRow,
    code=st.text(string.digits, min_size=19, max_size=19),
    name=words,
    short_name=words | st.just(""),
    parent=st.just("") | st.text("123456789", min_size=19, max_size=19),
    note=words | st.just(""),
    rates=st.lists(st.sampled_from(["0%", "3%", "13%", "1.5%"]), unique=True).map(tuple),
    levy_rates=st.lists(st.sampled_from(["3%", "5%"]), unique=True).map(tuple),
    keywords=lists,
    is_summary=st.booleans(),
    usable=st.booleans(),
    special_treatments=lists,
    special_basis=words | st.just(""),
    consumption_tax=words | st.just(""),
    statistics_codes=words | st.just(""),
    tariff_headings=words | st.just(""),
    version=st.sampled_from(["", "29.0", "32.0"]),
    valid_from=days,
    transition_until=days,
    valid_to=days,
)


@given(official_rows)
def test_a_row_survives_being_written_down(found):
    assert OfficialRow.from_dict(json.loads(json.dumps(found.to_dict()))) == found


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(official_rows, min_size=1, max_size=4), st.sampled_from([as_xml, as_json, as_xlsx]))
def test_rows_survive_every_file_format(tmp_path, rows, write):
    assert list(read(tmp_path, write(rows)).rows) == rows


@pytest.mark.parametrize("content", [b"", b"\r\n  \n", b"\x00\x00"])
def test_an_empty_file_is_refused(tmp_path, content):
    assert refused(tmp_path, content).code == "empty_file"


@pytest.mark.parametrize("content", [b"hello", b"%PDF-1.7", b"SPBM,SPMC\n1,2\n", bytes(range(256))])
def test_other_formats_are_refused(tmp_path, content):
    assert refused(tmp_path, content).code in {"unknown_format", "bad_encoding"}


def test_a_missing_file_is_named():
    with pytest.raises(OfficialTableError, match=r"nowhere\.xml"):
        read_table("/nowhere.xml")


BOMB = b'<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'


@pytest.mark.parametrize(
    "doctype",
    [
        b"<!DOCTYPE spbm>",
        b"<!DOCTYPE spbm [" + BOMB + b"]>",
        b'<!DOCTYPE spbm SYSTEM "file:///etc/passwd">',
        b'<!DOCTYPE spbm [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_document_types_and_entities_are_refused(tmp_path, doctype):
    content = as_xml(small_table()).replace(b"<business", doctype + b"<business")
    assert refused(tmp_path, content).code == "forbidden_xml"


def test_broken_xml_is_refused_with_its_place(tmp_path):
    error = refused(tmp_path, as_xml(small_table())[:-200])
    assert error.code == "broken_xml"
    assert "第 1 行" in error.message


def test_xml_without_rows_is_refused(tmp_path):
    assert refused(tmp_path, b"<html><body>404</body></html>").code == "no_rows"


@pytest.mark.parametrize("content", [b'{"data": [', b"[" * 100_000, b'[{"sphfwssflhbbm": 1}'])
def test_broken_json_is_refused(tmp_path, content):
    assert refused(tmp_path, content).code == "broken_json"


def test_json_without_codes_is_refused(tmp_path):
    assert refused(tmp_path, b'{"code": 500, "msg": "busy"}').code == "wrong_columns"


def test_wrong_columns_are_named(tmp_path):
    error = refused(tmp_path, workbook([["SPBM", "SPMC"], ["1010101010000000000", "稻谷"]]))
    assert error.code == "wrong_columns"
    assert "SPBMJC" in error.message and "HZX" in error.message
    assert refused(tmp_path, workbook([["a", "b"], ["c", "d"]])).code == "wrong_columns"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_workbook_is_refused(tmp_path, share):
    content = as_xlsx(small_table())
    assert refused(tmp_path, content[: int(len(content) * share)]).code == "broken_zip"


def test_a_damaged_xls_is_refused_and_does_not_take_the_process_along(tmp_path):
    for noise in (bytes(600), b"\xff" * 600, bytes(range(256)) * 8):
        assert refused(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise).code == "broken_sheet"


def packed(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(f"xl/worksheets/{name}.xml", data)
    return target.getvalue()


def test_a_zip_bomb_is_refused_before_it_unfolds(tmp_path):
    started = time.perf_counter()
    assert refused(tmp_path, packed(sheet1=bytes(80 << 20))).code == "zip_bomb"
    assert time.perf_counter() - started < 5


def test_a_zip_whose_directory_lies_about_the_size_is_refused(tmp_path):
    content = bytearray(packed(sheet1=b"<a/>" * 2_000_000))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = content.index(mark) + offset
        content[place : place + 4] = (1000).to_bytes(4, "little")
    assert refused(tmp_path, bytes(content)).code in {"broken_zip", "zip_bomb"}


def test_a_workbook_with_a_document_type_is_refused(tmp_path):
    assert refused(tmp_path, packed(sheet1=b"<!DOCTYPE a [" + BOMB + b"]><a/>")).code == (
        "forbidden_xml"
    )


def test_a_cell_far_out_does_not_fill_the_memory(tmp_path):
    far = b'<sheetData><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    error = refused(tmp_path, packed(sheet1=far))
    assert "XFD1048576" in error.message


def test_a_bad_flag_and_a_bad_date_are_named_with_row_and_field(tmp_path):
    content = as_xml(small_table())
    error = refused(tmp_path, content.replace(b"<HZX>N</HZX>", b"<HZX>?</HZX>", 1))
    assert error.context == {"row": 5, "field": "HZX"}
    error = refused(tmp_path, content.replace(b"<QYSJ>20180501", b"<QYSJ>20181301", 1))
    assert error.context == {"row": 1, "field": "QYSJ"}
    assert error.to_dict()["code"] == "bad_date"


# Checks


def messages(rows: list[OfficialRow], known: dict[str, str] | None = None) -> list[str]:
    return [f"{f.level} {f.row} {f.field}: {f.message}" for f in check_table(rows, known)]


KNOWN = {r.code: r.name for r in small_table()}


def test_a_sound_table_has_no_findings():
    assert check_table(small_table(), KNOWN) == []


@pytest.mark.parametrize(
    ("damaged", "name", "original"),
    [
        ("1.01010102E+18", "小麦", "1010101020000000000"),
        ("1.01E+18", "小麦", "1010101020000000000"),
        ("1.01010102E+18", "改了名的小麦", "1010101020000000000"),
        ("1010101020000000000.0", "小麦", "1010101020000000000"),
        ("101010102", "小麦", "1010101020000000000"),
        ("2E+18", "天外来物", ""),
        ("", "天外来物", ""),
        ("一二三", "天外来物", ""),
    ],
)
def test_a_damaged_code_is_named_with_its_probable_original(damaged, name, original):
    rows = [r for r in small_table() if r.name != "小麦"]
    rows.append(replace(row("1", name), code=damaged, line=77))
    [finding] = [f for f in check_table(rows, KNOWN) if f.level == "error"]
    assert (finding.row, finding.field, finding.suggestion) == (77, "SPBM", original)
    assert finding.cure
    if original:
        assert original in finding.message


def test_codes_that_a_sheet_keeps_as_numbers_are_damaged(tmp_path):
    rows = read(tmp_path, as_xlsx(small_table(), code_as_number=True)).rows
    findings = check_table(rows, KNOWN)
    assert len([f for f in findings if "浮点数" in f.message]) == 9
    assert {f.suggestion for f in findings if f.row} == set(KNOWN)


def test_a_code_whose_last_four_digits_became_zeros_is_found_by_its_name():
    known = KNOWN | {"1010101020101010101": "春小麦"}
    cut = row("101010102010101", "春小麦", line=9)
    [finding] = [f for f in check_table([*small_table(), cut], known) if f.row == 9]
    assert (finding.level, finding.suggestion) == ("error", "1010101020101010101")


def test_duplicates_empty_names_and_reversed_dates_block_the_import():
    rows = [replace(r, line=n) for n, r in enumerate(small_table(), 2)]
    rows.append(replace(rows[4], line=11))
    rows[5] = replace(rows[5], name="", short_name="")
    rows[6] = replace(rows[6], valid_to=dt.date(2018, 4, 30))
    found = messages(rows)
    assert "error 11 SPBM: 编码 1010101010000000000 重复，已见于第 6 行" in found
    assert "error 7 SPMC: 编码 1010101020000000000 没有名称" in found
    assert any("error 7 SPBMJC" in m for m in found)
    assert any("error 8 TYRQ" in m and "2018-04-30" in m for m in found)


def test_an_unusable_code_needs_no_short_name():
    rows = [*small_table(), row("101010105", "高粱", "", usable=False)]
    assert check_table(rows) == []


def test_a_missing_listed_parent_is_a_warning_and_the_nearest_ancestor_takes_its_place():
    rows = [r for r in small_table() if r.name != "农业产品"]
    rows[2] = replace(rows[2], parent="1010100000000000000")
    [finding] = check_table(rows)
    assert (finding.level, finding.field) == ("warning", "PID")
    assert "1010000000000000000" in finding.message


def test_a_code_without_any_ancestor_is_an_error():
    assert has_errors(check_table([*small_table(), row("30101", "陆路运输服务")]))


def test_only_leaves_are_printable():
    rows = [replace(r, is_summary=False) if r.name == "谷物" else r for r in small_table()]
    assert any(m.startswith("error") and "却有下级" in m for m in messages(rows))
    rows = [replace(r, is_summary=True) if r.name == "玉米" else r for r in small_table()]
    assert any(m.startswith("warning") and "没有下级" in m for m in messages(rows))


def test_a_leaf_without_or_with_an_unreadable_rate_is_a_warning():
    rows = [replace(r, rates=()) if r.name == "玉米" else r for r in small_table()]
    rows = [replace(r, rates=("见文件",)) if r.name == "小麦" else r for r in rows]
    assert [f.level for f in check_table(rows)] == ["warning", "warning"]


def test_a_page_of_a_table_is_not_taken_for_the_table():
    findings = check_table(small_table()[:6], KNOWN)
    assert has_errors(findings)
    assert "不像完整的编码表" in findings[0].message


# The administration's own files


@needs_official_files
@pytest.mark.parametrize(
    ("path", "count", "version", "effective", "warnings"),
    [
        (XML_V29, 4227, "29.0", dt.date(2018, 5, 1), 1),
        (XLSX_V32, 4236, "32.0", dt.date(2019, 4, 1), 2),
    ],
)
def test_the_official_files_are_read_and_sound(path, count, version, effective, warnings):
    started = time.perf_counter()
    table = read_table(path)
    findings = check_table(table.rows)
    assert time.perf_counter() - started < 10
    assert len(table.rows) == len({r.code for r in table.rows}) == count
    assert (table.version, table.effective) == (version, effective)
    assert not has_errors(findings)
    assert len(findings) == warnings
