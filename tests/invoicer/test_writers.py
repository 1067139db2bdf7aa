"""Answers are written after the input's own columns, whole or not at all."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from invoicer.errors import InputError
from invoicer.suggestion import OUTPUT_COLUMNS, failed_row
from invoicer.writers import FORMATS, open_writer, output_header

FISH = "1030109050000000000"
CANDIDATE = {"code": FISH, "short_name": "水产加工品", "name": "鱼糜制品", "confidence": 0.95}
ANSWER: dict[str, Any] = {
    "code": FISH, "short_name": "水产加工品", "tier": "medium", "confidence": 0.95,
    "rate": "0.13", "treatment": "taxed", "candidates": [CANDIDATE], "prompt": "确认?",
    "model_version": "a2ff1c5b", "kb_version": "acb53831a6ac", "error": "",
}  # fmt: skip


def write(path: Path, header: list[str], *rows: list[str], answer: Any = ANSWER) -> Path:
    with open_writer(path, path.suffix[1:], header) as put:
        for row in rows:
            put(row, answer)
    return path


def cells_of(path: Path) -> list[list[Any]]:
    """All cells, the header first; empty ones as ''."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))
    rows = openpyxl.load_workbook(path).active.iter_rows()
    return [["" if cell.value is None else cell.value for cell in row] for row in rows]


def objects_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# -- columns ----------------------------------------------------------------------------------


def test_input_columns_come_first_and_the_answers_after() -> None:
    assert output_header(["商品名称", "单位"]) == ["商品名称", "单位", *OUTPUT_COLUMNS]


def test_an_input_column_with_an_answers_name_is_renamed() -> None:
    names = output_header(["name", "code", "confidence"])
    assert names[:3] == ["name", "code_in", "confidence_in"]


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (["code", "code_in"], ["code_in_2", "code_in"]),
        (["note", "note"], ["note", "note_2"]),
        (["", "", ""], ["", "_2", "_3"]),
        (["code", "code"], ["code_in", "code_in_2"]),
    ],
)
def test_no_title_comes_twice(header: list[str], names: list[str]) -> None:
    assert output_header(header)[: len(header)] == names


def test_no_cell_of_a_repeated_column_is_lost(tmp_path: Path) -> None:
    path = write(tmp_path / "out.jsonl", ["name", "note", "note"], ["鱼排", "甲", "乙"])
    (row,) = objects_of(path)
    assert (row["note"], row["note_2"]) == ("甲", "乙")


# -- formats ----------------------------------------------------------------------------------


def test_jsonl_holds_native_types(tmp_path: Path) -> None:
    path = write(tmp_path / "out.jsonl", ["name"], ["柚子味鱼排"])
    assert objects_of(path) == [{"name": "柚子味鱼排", **ANSWER}]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_codes_are_text_and_candidates_json_text(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / f"out.{form}", ["name"], ["柚子味鱼排"])
    header, row = cells_of(path)
    found = dict(zip(header, row, strict=True))
    assert found["code"] == FISH
    assert found["rate"] == "0.13"
    assert json.loads(found["candidates"]) == [CANDIDATE]


def test_csv_opens_in_a_spreadsheet_with_its_characters(tmp_path: Path) -> None:
    path = write(tmp_path / "out.csv", ["name"], ["鱼排"])
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("text", ["=1+1", '=HYPERLINK("http://a")', "+1", "-1", "@a", "http://a"])
def test_what_looks_like_a_formula_stays_text(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "out.xlsx", ["name"], [text])
    cell = openpyxl.load_workbook(path).active["A2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (text, "s", None)


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_a_short_row_keeps_the_columns_in_line(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / f"out.{form}", ["name", "单位"], ["鱼排"])
    if form == "jsonl":
        assert objects_of(path)[0]["单位"] == ""
    else:
        header, row = cells_of(path)
        assert dict(zip(header, row, strict=True))["code"] == FISH


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("text", ['引号"和,逗号', "两\n行", "😀", "\x07铃"])
def test_odd_characters_survive(tmp_path: Path, form: str, text: str) -> None:
    path = write(tmp_path / f"out.{form}", ["name"], [text])
    found = objects_of(path)[0]["name"] if form == "jsonl" else cells_of(path)[1][0]
    assert found == text


def test_a_very_long_cell_is_cut_to_what_a_sheet_holds(tmp_path: Path) -> None:
    path = write(tmp_path / "out.xlsx", ["name"], ["鱼" * 40_000])
    assert cells_of(path)[1][0] == "鱼" * 32_767


@pytest.mark.parametrize("form", FORMATS)
def test_a_failed_row_has_its_error_and_no_code(tmp_path: Path, form: str) -> None:
    answer = failed_row("name: 商品名称为空,请填写", "a2ff1c5b", "acb53831a6ac")
    path = write(tmp_path / f"out.{form}", ["name"], [""], answer=answer)
    row = objects_of(path)[0] if form == "jsonl" else dict(zip(*cells_of(path), strict=True))
    assert (row["code"], row["tier"], row["error"]) == ("", "weak", "name: 商品名称为空,请填写")


# -- whole or not at all ----------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"out.{form}"
    path.write_bytes(b"old")
    with pytest.raises(InputError), open_writer(path, form, ["name"]) as put:
        put(["鱼排"], ANSWER)
        raise InputError("第 2 行无法解析")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("form", FORMATS)
def test_a_success_replaces_the_old_file_and_leaves_nothing_beside_it(
    tmp_path: Path, form: str
) -> None:
    path = tmp_path / f"out.{form}"
    path.write_bytes(b"old")
    write(path, ["name"], ["鱼排"])
    assert path.read_bytes() != b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="输出文件夹不存在"):
        write(tmp_path / "none" / "out.csv", ["name"])


def test_an_unknown_format_is_refused_with_those_that_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="jsonl csv xlsx"):
        write(tmp_path / "out.pdf", ["name"])


def test_a_sheet_needs_a_file() -> None:
    with pytest.raises(InputError, match="-o"), open_writer(None, "xlsx", ["name"]):
        pass
