"""Reading XLSX and XLS: which sheets are one table, and what their rows are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from invoicer.columns import known_fields
from invoicer.errors import InputError
from invoicer.headers import Headed, find_header
from invoicer.safe_zip import unpacked_size
from invoicer.table import Leap, Table, checked_header, text_of

# Beyond this a workbook is read row by row: slower, but never held in memory.
STREAMED_FROM = 100 << 20
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read_workbook(path: Path) -> Table:
    """The first sheet that has a name column, else the first with cells; then every further sheet
    with the same titles."""
    sheets = _streamed if _is_packed(path) and unpacked_size(path) > STREAMED_FROM else _loaded
    found = [
        (name, headed)
        for name, rows in sheets(path)
        if (headed := find_header(rows)) is not None
    ]
    if not found:
        raise InputError(f"{path.name} 中没有数据", file=str(path))
    named = [one for one in found if "name" in known_fields(one[1].header)]
    first = (named or found)[0]
    header = checked_header(first[1].header)
    same = [one for one in named if one[1].header == first[1].header] or [first]
    left = [one for one in found if one not in same]
    notes = [
        f"{path.name} 的工作表“{'、'.join(sheets)}”{why},没有读取"
        for why, sheets in (
            ("表头不同", [one[0] for one in left if one in named]),
            ("没有商品名称列", [one[0] for one in left if one not in named]),
        )
        if sheets
    ]
    leaps: list[Leap] = []
    rows = _filled(same, leaps)
    return Table(header, rows, first_row=first[1].first_row, notes=tuple(notes), leaps=leaps)


def _is_packed(path: Path) -> bool:
    """Whether a workbook is a zip file, whatever it is called; InputError where it is none."""
    with path.open("rb") as file:
        start = file.read(8)
    if start[:4] == _ZIP:
        return True
    if start == _OLE and path.suffix.lower() == ".xls":
        return False
    if start == _OLE:
        why = "已加密,或是改了扩展名的旧版 XLS;请取消密码"
    else:
        why = "不是 Excel 工作簿(网上系统导出的常是网页或文本);请用 Excel 或 WPS 打开"
    raise InputError(f"{path.name} {why},另存为 .xlsx 再试", file=str(path))


def _filled(sheets: Sequence[tuple[str, Headed]], leaps: list[Leap]) -> Iterator[list[str]]:
    """The rows of sheets that hold anything; leaps: where `Table` tells them."""
    count, follows = 0, sheets[0][1].first_row
    for at, (name, headed) in enumerate(sheets):
        for number, row in enumerate(headed.rows, headed.first_row):
            if any(row):
                if number != follows:
                    leaps.append((count, number, name if at else ""))
                yield row
                count, follows = count + 1, number + 1
        follows = -1


def _loaded(path: Path) -> Iterator[tuple[str, Iterator[list[str]]]]:
    """The sheets of a workbook, each held in memory while it is read."""
    from python_calamine import CalamineWorkbook

    with path.open("rb") as file:
        book = CalamineWorkbook.from_filelike(file)
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).iter_rows()
            yield name, ([text_of(cell) for cell in row] for row in rows)


def _streamed(path: Path) -> Iterator[tuple[str, Iterator[list[str]]]]:
    """The sheets of a very large workbook, row by row; the file stays open for their rows."""
    import openpyxl

    book = openpyxl.load_workbook(path.open("rb"), read_only=True, data_only=True)
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what a file says of its size need not be true
        rows = sheet.iter_rows(values_only=True)
        yield sheet.title, ([text_of(cell) for cell in row] for row in rows)
