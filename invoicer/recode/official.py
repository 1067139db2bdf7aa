"""The administration's batch template, filled: detail lines into the user's own newest file.

Only the rows of `2-发票明细信息` are written; every other byte of the workbook stays as it was,
the hidden version sheet among it. Limits and list values are the template's own.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from defusedxml.ElementTree import fromstring

from invoicer.errors import InputError
from invoicer.line import parse_amount
from invoicer.recode.billing import bill_of, fen
from invoicer.recode.judging import Judged
from invoicer.recode.lines import invoice_of
from invoicer.safe_zip import read_entry, unpacked_size
from knowledge_base.preferences import TreatmentMark, load_marks
from knowledge_base.rate_advice import format_rate
from models.reading import split_declared

SHEET, VERSION_SHEET = "2-发票明细信息", "excelVersion"
LIMIT_ROW, TITLE_ROW, FIRST_ROW = 2, 3, 4
ROWS_A_FILE = 2_000
MAX_XML = 256 << 20
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_LIMIT = re.compile(r"限\s*(\d+)\s*字符")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@cache
def _marks() -> dict[str, TreatmentMark]:
    return {
        preference.value: mark
        for (target, preference), mark in load_marks().items()
        if target == "batch_template"
    }


def template_row(one: Judged) -> dict[str, str] | str:
    """A judged line as the template's columns, or why it cannot be one."""
    verdict, fields = one.verdict, one.row.fields
    if verdict is None:
        return one.row.reason
    if not verdict.code:
        return "没有确定的编码"
    if verdict.treatment is None or (verdict.rate is None and verdict.treatment == "taxed"):
        return "没有确定的税率"
    bill, _ = bill_of({**fields, "discount": ""}, verdict.declared_rate)
    if bill is None:
        return "没有金额"
    if bill.base <= 0:
        return "负数行(红字或折扣行)不能用批量模板开具"
    rate = verdict.rate or Decimal(0)
    mark = _marks().get(verdict.preference.value)
    discount, _ = parse_amount(fields.get("discount", ""))
    if discount and bill.inclusive:
        discount = discount / (1 + rate)
    return {
        "发票流水号": invoice_of(fields),
        "项目名称": split_declared(fields["name"])[1].strip() or fields["name"].strip(),
        "商品和服务税收编码": verdict.code,
        "规格型号": fields.get("spec", "").strip(),
        "单位": fields.get("unit", "").strip(),
        "数量": fields.get("quantity", "").strip().replace(",", ""),
        "单价": "" if bill.inclusive else fields.get("price", "").strip().replace(",", ""),
        "金额": str(bill.net(rate)),
        "税率": format_rate(rate),
        "折扣金额": str(fen(abs(discount))) if discount else "",
        "是否使用优惠政策": mark.uses_preference if mark else "",
        "优惠政策类型": mark.preference_type if mark else "",
        "即征即退类型": mark.refund_types[0] if mark and len(mark.refund_types) == 1 else "",
    }


@dataclass(frozen=True, slots=True)
class _Column:
    """letter of the column, its style, the most characters it takes (0: any), its list values."""

    letter: str
    style: str
    limit: int
    values: frozenset[str]


class OfficialTemplate:
    """One template file, read once and filled many times."""

    def __init__(self, path: Path):
        if not path.exists():
            raise InputError(f"模板不存在:{path}", file=str(path))
        unpacked_size(path)
        self.path = path
        self._entry = self._sheet_entry()
        self._xml = read_entry(path, self._entry, MAX_XML)
        self.version, limits, titles = self._texts()
        self._columns = self._layout(limits, titles)
        self._start, self._end = self._gap()

    def _wrong(self, why: str) -> InputError:
        return InputError(
            f"{self.path.name} 不是批量开票模板({why});请从电子税务局下载最新模板",
            file=str(self.path),
        )

    def _sheet_entry(self) -> str:
        """The archive entry of the detail sheet."""
        try:
            book = fromstring(read_entry(self.path, "xl/workbook.xml", MAX_XML), forbid_dtd=True)
            links = fromstring(
                read_entry(self.path, "xl/_rels/workbook.xml.rels", MAX_XML), forbid_dtd=True
            )
        except KeyError as error:
            raise self._wrong("不是 XLSX 工作簿") from error
        targets = {link.get("Id"): link.get("Target", "") for link in links}
        for sheet in book.iter(f"{_MAIN}sheet"):
            if sheet.get("name") == SHEET:
                target = targets.get(sheet.get(f"{_REL}id"), "").lstrip("/")
                return target if target.startswith("xl/") else f"xl/{target}"
        raise self._wrong(f"没有工作表“{SHEET}”")

    def _texts(self) -> tuple[str, list[str], list[str]]:
        """(version, texts of the limit row, texts of the title row)."""
        from python_calamine import CalamineWorkbook

        book = CalamineWorkbook.from_path(str(self.path))
        if VERSION_SHEET not in book.sheet_names:
            raise self._wrong(f"没有隐藏的工作表“{VERSION_SHEET}”")
        version = [str(cell) for row in _rows(book, VERSION_SHEET) for cell in row if cell]
        rows = _rows(book, SHEET)
        if not version or len(rows) < TITLE_ROW:
            raise self._wrong("没有版本号或表头")
        limits, titles = rows[LIMIT_ROW - 1], rows[TITLE_ROW - 1]
        return version[0], [str(c) for c in limits], [str(c).strip() for c in titles]

    def _layout(self, limits: Sequence[str], titles: Sequence[str]) -> dict[str, _Column]:
        root = fromstring(self._xml, forbid_dtd=True)
        styles: dict[int, str] = {}
        for column in root.iter(f"{_MAIN}col"):
            for number in range(int(column.get("min", "1")), int(column.get("max", "1")) + 1):
                styles.setdefault(number, column.get("style", ""))
        lists: dict[str, frozenset[str]] = {}
        for rule in root.iter(f"{_MAIN}dataValidation"):
            formula = rule.findtext(f"{_MAIN}formula1") or ""
            if rule.get("type") == "list" and formula.startswith('"'):
                for place in (rule.get("sqref") or "").split():
                    if first := re.match("[A-Z]+", place):
                        lists[first[0]] = frozenset(formula.strip('"').split(","))
        layout = {}
        for number, title in enumerate(titles):
            letter = _letter(number)
            found = _LIMIT.search(limits[number] if number < len(limits) else "")
            layout[title] = _Column(
                letter, styles.get(number + 1, ""), int(found[1]) if found else 0,
                lists.get(letter, frozenset()),
            )  # fmt: skip
        missing = [t for t in ("项目名称", "商品和服务税收编码", "金额", "税率") if t not in layout]
        if missing:
            raise self._wrong(f"第 {TITLE_ROW} 行没有表头“{'、'.join(missing)}”")
        return layout

    def _gap(self) -> tuple[int, int]:
        """Where in the sheet's bytes the data rows stand; a template has none of its own."""
        parser = expat.ParserCreate()
        start = end = -1

        def opened(tag: str, attributes: Mapping[str, str]) -> None:
            nonlocal start
            is_row = tag.rpartition(":")[2] == "row" and start < 0
            if is_row and int(attributes.get("r", "0")) >= FIRST_ROW:
                start = parser.CurrentByteIndex

        def closed(tag: str) -> None:
            nonlocal end
            if tag.rpartition(":")[2] == "sheetData":
                end = parser.CurrentByteIndex

        parser.StartElementHandler, parser.EndElementHandler = opened, closed
        parser.Parse(self._xml, True)
        if end < 0:
            raise self._wrong("工作表没有内容")
        return (start if start >= 0 else end), end

    def fault(self, row: Mapping[str, str]) -> tuple[str, str]:
        """(column, reason) where a row does not fit the template; ("", "") where it does."""
        for title, text in row.items():
            column = self._columns.get(title)
            if column is None or not text:
                continue
            if column.limit and len(text) > column.limit:
                return title, f"“{title}”有 {len(text)} 个字符,模板限 {column.limit} 个"
            if column.values and text not in column.values:
                return title, f"“{title}”的值“{text}”不在模板的下拉列表中"
        return "", ""

    def write(self, rows: Sequence[Mapping[str, str]], target: Path) -> None:
        """The template with these rows, beside its place and renamed."""
        body = "".join(self._row(number, row) for number, row in enumerate(rows, FIRST_ROW))
        content = self._xml[: self._start] + body.encode("utf-8") + self._xml[self._end :]
        temporary = target.with_name(f".{target.name}.part")
        try:
            with (
                zipfile.ZipFile(self.path) as source,
                zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as out,
            ):
                for entry in source.infolist():
                    same = entry.filename != self._entry
                    out.writestr(entry, source.read(entry) if same else content)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    def _row(self, number: int, row: Mapping[str, str]) -> str:
        cells = [
            f'<c r="{column.letter}{number}"'
            f'{f" s={quoteattr(column.style)}" if column.style else ""} t="inlineStr"><is>'
            f'<t xml:space="preserve">{escape(_ILLEGAL.sub("", text))}</t></is></c>'
            for title, column in self._columns.items()
            if (text := row.get(title, ""))
        ]
        return f'<row r="{number}">{"".join(cells)}</row>\n'


def fill(
    template: OfficialTemplate,
    rows: Iterable[tuple[Any, dict[str, str] | str]],
    name: Path,
) -> tuple[list[Path], list[tuple[Any, str, str]]]:
    """(files written, rows left out with column and reason). rows: place and template row.

    Numbered files of so many rows as the platform takes at a time.
    """
    files: list[Path] = []
    left: list[tuple[Any, str, str]] = []
    waiting: list[dict[str, str]] = []

    def flush() -> None:
        target = name.with_name(f"{name.stem}.模板-{len(files) + 1:03d}.xlsx")
        template.write(waiting, target)
        files.append(target)
        waiting.clear()

    for place, row in rows:
        if isinstance(row, str):
            left.append((place, "", f"未填入模板:{row}"))
            continue
        column, reason = template.fault(row)
        if reason:
            left.append((place, column, f"未填入模板:{reason}"))
            continue
        waiting.append(row)
        if len(waiting) == ROWS_A_FILE:
            flush()
    if waiting:
        flush()
    return files, left


def _rows(book: Any, name: str) -> list[list[Any]]:
    """Rows as numbered in the sheet, whatever of it is empty."""
    rows: list[list[Any]] = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    return rows


def _letter(number: int) -> str:
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text
