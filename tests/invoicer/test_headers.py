"""The header is found below titles, and in two rows."""

from __future__ import annotations

import pytest

from invoicer.headers import find_header

ROW = ["柚子味鱼排", "袋", "18.50"]


def header_of(*rows: list[str]) -> tuple[list[str], list[list[str]], int]:
    found = find_header(iter([list(row) for row in rows]))
    assert found is not None
    return found.header, list(found.rows), found.first_row


def test_the_first_row_is_the_header() -> None:
    assert header_of(["商品名称", "单位", "金额"], ROW) == (["商品名称", "单位", "金额"], [ROW], 2)


def test_titles_above_the_header_are_no_lines() -> None:
    head = ["商品名称", "单位", "金额"]
    found = header_of(
        ["全量发票查询导出结果", "", ""], ["", "", ""], ["导出时间:2026-01-01"], head, ROW
    )
    assert found == (head, [ROW], 5)


def test_a_line_that_looks_like_a_title_is_a_line() -> None:
    assert header_of(["name"], ["商品"], ["鱼排"])[:2] == (["name"], [["商品"], ["鱼排"]])


@pytest.mark.parametrize(
    ("upper", "lower", "titles"),
    [
        (["商品名称", "单位", "金额", ""], ["", "", "不含税", "含税"],
         ["商品名称", "单位", "不含税金额", "含税金额"]),
        (["商品名称", "单位", "金额信息", ""], ["", "", "不含税金额", "税额"],
         ["商品名称", "单位", "不含税金额", "税额"]),
    ],
)  # fmt: skip
def test_a_double_header_is_one(upper: list[str], lower: list[str], titles: list[str]) -> None:
    rows = [*ROW, "20.91"]
    assert header_of(upper, lower, rows) == (titles, [rows], 3)


def test_a_double_header_that_names_the_name_below() -> None:
    upper = ["发票", "", "货物", "", "金额", "", "税率"]
    lower = ["号码", "日期", "名称", "编码", "不含税", "含税", ""]
    line = ["1", "2024-06-01", "鱼排", "", "100", "113", "13%"]
    titles = ["号码发票", "日期", "名称", "编码货物", "不含税金额", "含税金额", "税率"]
    found = header_of(upper, lower, line)
    assert found[0][1:3] + found[0][4:] == titles[1:3] + titles[4:]
    assert found[1:] == ([line], 3)


@pytest.mark.parametrize(
    "head", [["货", "开票日期", "金额", "税率"], ["货", "何时", "多少", "几点"]]
)  # fmt: skip
def test_a_header_of_unknown_titles_is_found_below_notes(head: list[str]) -> None:
    line = ["鱼排", "2024-06-01", "100", "13%"]
    notes = [["销售发票序时簿", "", "", ""], ["公司：四海", "", "期间：2024年", ""]]
    assert header_of(*notes, head, line) == (head, [line], 4)


def test_a_line_without_a_name_is_no_second_header() -> None:
    head, line = ["商品名称", "单位", "金额"], ["", "袋", "18.50"]
    assert header_of(head, line) == (head, [line], 2)


def test_no_rows_have_no_header() -> None:
    assert find_header(iter([["", " "]])) is None
