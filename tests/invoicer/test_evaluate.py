"""Judging answers against labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoicer.errors import InputError
from invoicer.evaluate import judge, read_labelled

PARKING = "3040502020200000000"


def judged(assistant, folder: Path, header: str, *rows: str):
    path = folder / "set.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return judge(assistant, read_labelled(path))


def test_a_short_name_of_any_date_is_right(assistant, tmp_path: Path) -> None:
    lines = judged(
        assistant, tmp_path, "name,short_name,date",
        "停车费,经营租赁,2026-07-01", "停车费,生产生活服务,2018-06-01", "停车费,蔬菜,2026-07-01",
    )  # fmt: skip
    assert [line.short_name_hits[0] for line in lines] == [True, True, False]


def test_any_of_several_codes_is_right(assistant, tmp_path: Path) -> None:
    (line,) = judged(assistant, tmp_path, "name,code", f"停车费,1010112070000000000|{PARKING}")
    assert line.code_hits is not None and line.code_hits[0]


def test_a_code_alone_stands_for_its_short_names(assistant, tmp_path: Path) -> None:
    (line,) = judged(assistant, tmp_path, "name,code", f"停车费,{PARKING}")
    assert line.short_name_hits[0]


def test_code_is_not_judged_without_a_label(assistant, tmp_path: Path) -> None:
    (line,) = judged(assistant, tmp_path, "name,code,short_name", "停车费,,生产生活服务")
    assert line.code_hits is None


def test_the_label_is_not_shown_to_the_assistant(assistant, tmp_path: Path) -> None:
    header = "name,short_name,spbm,spfwjc"
    wrong = f"停车费,蔬菜,{'1010112070000000000'},蔬菜"
    (with_label,) = judged(assistant, tmp_path, header, wrong)
    (without,) = judged(assistant, tmp_path, header, "停车费,生产生活服务,,")
    assert with_label.answered == without.answered
    assert with_label.confidence == without.confidence


@pytest.mark.parametrize(
    ("row", "right"),
    [
        ("停车费,生产生活服务,9%,general", True),
        ("停车费,生产生活服务,6%|0.09,general", True),
        ("停车费,生产生活服务,6%,general", False),
        ("停车费,生产生活服务,,general", None),
        ("停车费,生产生活服务,9%,", None),
    ],
)
def test_rate_is_judged_where_rate_and_taxpayer_are_given(assistant, tmp_path, row, right) -> None:
    (line,) = judged(assistant, tmp_path, "name,short_name,rate,taxpayer", row)
    assert line.rate_right is right


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("name,unit", "停车费,次", "code 或 short_name"),
        ("name,code", ",1", "第 2 行"),
        ("unit,code", "次,1", "没有找到商品名称列"),
        ("name,short_name,rate,taxpayer", "停车费,a,九个点,general", "rate 列"),
    ],
)
def test_an_unusable_file_is_refused(assistant, tmp_path, header, row, said: str) -> None:
    with pytest.raises(InputError, match=said):
        judged(assistant, tmp_path, header, row)


def test_a_line_that_is_no_json_object_is_named(tmp_path: Path) -> None:
    (tmp_path / "set.jsonl").write_text('{"name": "停车费", "short_name": "a"}\n{"name"\n')
    with pytest.raises(InputError, match="第 2 行:不是 JSON"):
        read_labelled(tmp_path / "set.jsonl")


def test_a_file_without_lines_is_refused(assistant, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="没有数据行"):
        judged(assistant, tmp_path, "name,code")
