"""Text files cut anywhere give the rows, and the numbers of them, that they give in one piece."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicer.errors import InputError
from invoicer.recode.spark.blocks import MAX_LEAD, TextTable, scan, table_of
from invoicer.table import BrokenRow

PIECES = ["柚子味鱼排", "袋", '"', '""', ",", "\n", "\r\n", "\r", '12" 屏', '"a\nb"', "=1+1", " "]


def blocks(data: bytes, size: int) -> list[tuple[int, bytes]]:
    """The data in blocks of whole lines, as Spark cuts it."""
    found, start = [], 0
    while start < len(data):
        end = data.find(b"\n", start + size - 1) + 1 or len(data)
        found.append((start, data[start:end]))
        start = end
    return found


def table(data: bytes, size: int, suffix: str = ".csv") -> TextTable:
    cut = blocks(data, size)
    return table_of([(start, scan(start, block, suffix)) for start, block in cut], suffix, "账.csv")


def rows(data: bytes, size: int, suffix: str = ".csv") -> list[tuple[int, list[str]]]:
    whole = table(data, size, suffix)
    return [row for start, block in blocks(data, size) for row in whole.rows(start, block)]


@given(
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
    st.integers(1, 80),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
)
def test_wherever_a_csv_file_is_cut_its_rows_are_the_same(
    text: str, size: int, encoding: str
) -> None:
    whole = f"商品名称,数量\n{text}\n"
    expected = [row for row in csv.reader(io.StringIO(whole, newline="")) if row][1:]
    found = rows(whole.encode(encoding), size)
    assert found == list(enumerate(expected, 2))


def test_the_lines_above_a_header_are_passed_over_and_counted() -> None:
    data = "发票明细\n\n商品名称,数量,单价\n苹果,1,2\n".encode()
    assert rows(data, 45) == [(3, ["苹果", "1", "2"])]


def test_a_file_is_read_by_one_encoding_even_where_a_block_of_it_would_fit_another() -> None:
    data = "name,unit\n" + "apple,kg\n" * 20 + "苹果,斤\n"
    assert rows(data.encode("gb18030"), 30)[-1] == (22, ["苹果", "斤"])


def test_a_file_of_no_known_encoding_is_refused() -> None:
    with pytest.raises(InputError, match="既不是 UTF-8 也不是 GB18030"):
        table(b"name\n\xff\xff\n" + "苹果\n".encode(), 1 << 20)


def test_a_quote_that_never_ends_is_refused_with_its_place() -> None:
    data = 'name,unit\n苹果,斤\n"梨,斤\n'.encode() + b"pear,kg\n" * (MAX_LEAD // 4)
    with pytest.raises(InputError, match=r"账\.csv 第 .* 行的引号内超过 64 KB 仍未结束"):
        table(data, MAX_LEAD)


def test_objects_of_all_blocks_have_the_columns_of_all() -> None:
    lines = [{"name": "苹果"}, {"name": "梨", "unit": "斤"}, {"unit": "袋", "name": "薯片"}]
    data = "\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()
    assert table(data, 10, ".jsonl").header == ["name", "unit"]
    assert rows(data, 10, ".jsonl") == [(1, ["苹果", ""]), (2, ["梨", "斤"]), (3, ["薯片", "袋"])]


def test_a_line_that_is_no_object_is_a_row_that_says_why() -> None:
    data = b'{"name": "a"}\n' * 5 + b"[1]\n" + b'{"name": "b"}\n'
    found = rows(data, 20, ".jsonl")
    assert [number for number, _ in found] == list(range(1, 8))
    assert found[-1][1] == ["b"]
    assert isinstance(found[5][1], BrokenRow)
    assert found[5][1].why == "不是 JSON 对象"


def test_a_file_without_any_object_is_refused_by_its_first_line() -> None:
    with pytest.raises(InputError, match=r"账\.csv 第 3 行不是 JSON 对象"):
        table(b"\n\n[1]\n" * 5, 4, ".jsonl")
