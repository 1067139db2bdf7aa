"""What the report shows of a history."""

from __future__ import annotations

from pathlib import Path

from recoding import Recode, csv_of

from invoicer import Assistant
from invoicer.recode.report import write_report

HEAD = ["商品名称", "税收分类编码", "开票日期", "价税合计", "税率"]


def report_of(tmp_path: Path, recode: Recode, assistant: Assistant, *rows: list[str]) -> str:
    source = csv_of(tmp_path / "a.csv", HEAD, *rows)
    outcome = recode(tmp_path / "out.csv", source)
    write_report(tmp_path / "report.html", outcome, assistant, [source])
    return (tmp_path / "report.html").read_text("utf-8")


def line(day: str) -> list[str]:
    return ["螺纹钢", "1080207050000000000", day, "10900.00", "9%"]


def test_ten_years_are_drawn_and_a_mistyped_one_is_not(
    tmp_path: Path, recode: Recode, assistant: Assistant
) -> None:
    days = ("2016-05-03", "2025-06-01", "2099-01-01")
    text = report_of(tmp_path, recode, assistant, *map(line, days))
    assert "<title>2016-05:1 行" in text
    assert "<title>2025-06:1 行" in text
    assert "2099-01" not in text.partition("先看这")[0]
    assert "另有 1 行没有日期、日期晚于今天或早于 2016-05,没有画出" in text


def test_a_line_is_shown_with_its_net_amount(
    tmp_path: Path, recode: Recode, assistant: Assistant
) -> None:
    text = report_of(tmp_path, recode, assistant, line("2024-06-01"))
    assert '<td class="n">10,000.00<td class="n">353.98' in text
