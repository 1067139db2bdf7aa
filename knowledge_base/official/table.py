"""The administration's own code tables: XML, XLS/XLSX or JSON read into one neutral row type."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

from knowledge_base.official.files import MAX_BYTES, read_raw
from knowledge_base.official.raw import OfficialTableError, RawTable
from knowledge_base.official.row import OfficialRow, OfficialTable

__all__ = ["OfficialRow", "OfficialTable", "OfficialTableError", "read_table"]

# Field → its names in the client's XML and sheets, in the platform's JSON, in published sheets.
COLUMNS: dict[str, tuple[str, ...]] = {
    "code": (
        "spbm",
        "sphfwssflhbbm",
        "商品和服务税收分类合并编码",
        "商品和服务税收分类编码",
        "商品和服务税收编码",
        "税收分类编码",
        "合并编码",
    ),
    "name": ("spmc", "sphfwmc", "商品和服务名称", "货物和劳务名称"),
    "short_name": ("spbmjc", "sphfwfljc", "spfwjc", "商品和服务分类简称", "简称"),
    "parent": ("pid", "fjbm", "上级编码", "父级编码"),
    "note": ("sm", "说明"),
    "rates": ("zzssl", "增值税税率", "税率"),
    "levy_rates": ("zsl", "征收率"),
    "keywords": ("gjz", "关键字"),
    "is_summary": ("hzx", "sfhzx", "汇总项"),
    "usable": ("kyzt", "可用状态"),
    "special_treatments": ("zzstsgl", "增值税特殊管理"),
    "special_basis": ("zzszcyj", "增值税政策依据"),
    "consumption_tax": ("xfsgl", "消费税管理"),
    "statistics_codes": ("tjjbm", "统计局编码"),
    "tariff_headings": ("hgjcksppm", "海关进出口商品品目"),
    "version": ("bb", "bbh", "版本号"),
    "valid_from": ("qysj", "qyrq", "启用时间", "启用日期"),
    "transition_until": ("gdqjzsj", "过渡期截止时间"),
    "valid_to": ("tyrq", "停用日期"),
}
REQUIRED = ("code", "name", "short_name", "is_summary")
YES, NO = frozenset("Y1是"), frozenset("N0否")
FOREVER = 2099

_LIST = re.compile(r"[、,，;；]")
_DAY = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:\.0+|[ T].*)?")


def _private_characters() -> dict[int, str]:
    """Characters that GBK keeps in its private area, e.g. U+E837 for 䌷, at their true places."""
    places = {}
    for offset in range(0x50):
        low = 0x50 + offset + (offset >= 0x2F)
        character = bytes([0xFE, low]).decode("gb18030", errors="ignore")
        if character and not "\ue000" <= character <= "\uf8ff":
            places[0xE815 + offset] = character
    return places


_PRIVATE = _private_characters()


def read_table(path: Path | str) -> OfficialTable:
    """Read a file of the administration; raises OfficialTableError with place and cure."""
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise OfficialTableError(
                "too_large",
                f"文件超过 {MAX_BYTES >> 20} MB，不像是编码表。请核对所选文件。",
                file=path.name,
            )
        content = path.read_bytes()
    except OSError as error:
        raise OfficialTableError(
            "unreadable_file",
            f"读不到文件 {path.name}。请核对路径与读取权限。",
            file=path.name,
        ) from error
    raw = read_raw(content, frozenset(COLUMNS["code"]))
    _check_columns(raw)
    rows = tuple(_row(line, cells) for line, cells in raw.rows)
    declared = raw.header.get("count", "")
    if raw.kind == "xml" and declared.isdigit() and int(declared) != len(rows):
        raise OfficialTableError(
            "truncated_table",
            f"文件声明 {declared} 行，实有 {len(rows)} 行，内容不完整。请重新下载。",
            declared=int(declared),
            found=len(rows),
        )
    version, effective, transition = _edition(raw.header, rows)
    digest = hashlib.sha256(content).hexdigest()
    return OfficialTable(path.name, digest, raw.kind, version, effective, transition, rows)


def _check_columns(raw: RawTable) -> None:
    if not raw.rows:
        raise OfficialTableError("no_rows", "文件只有表头，没有编码行。请重新下载。")
    found = {key for _, cells in raw.rows for key in cells}
    missing = [name for name in REQUIRED if found.isdisjoint(COLUMNS[name])]
    if missing:
        names = "、".join("/".join(COLUMNS[name][:3]).upper() for name in missing)
        raise OfficialTableError(
            "wrong_columns",
            f"缺少列：{names}。请使用税务总局原表，保留第一行表头。",
            missing=missing,
            found=sorted(found),
        )


def _row(line: int, cells: Mapping[str, str]) -> OfficialRow:
    def text(name: str) -> str:
        for column in COLUMNS[name]:
            if cells.get(column):
                return cells[column].translate(_PRIVATE)
        return ""

    parent = clean_code(text("parent"))
    return OfficialRow(
        code=clean_code(text("code")),
        name=text("name"),
        short_name=text("short_name"),
        parent="" if parent.strip("0") == "" else parent,
        note=text("note"),
        rates=tuple(percent(item) for item in split_list(text("rates"))),
        levy_rates=tuple(percent(item) for item in split_list(text("levy_rates"))),
        keywords=split_list(text("keywords")),
        is_summary=_flag(text("is_summary"), line, "HZX", empty=None),
        usable=_flag(text("usable"), line, "KYZT", empty=True),
        special_treatments=split_list(text("special_treatments")),
        special_basis=text("special_basis"),
        consumption_tax=text("consumption_tax"),
        statistics_codes=text("statistics_codes"),
        tariff_headings=text("tariff_headings"),
        version=text("version"),
        valid_from=_day(text("valid_from"), line, "QYSJ"),
        transition_until=_day(text("transition_until"), line, "GDQJZSJ"),
        valid_to=_day(text("valid_to"), line, "TYRQ"),
        line=line,
    )


def clean_code(text: str) -> str:
    """A code without the marks of copying: spaces and the apostrophe of a text cell."""
    return re.sub(r"\s", "", text).lstrip("'‘’")


def split_list(text: str) -> tuple[str, ...]:
    """`稻谷、早籼稻，粳稻` as a tuple, each item once."""
    return tuple(dict.fromkeys(item.strip() for item in _LIST.split(text) if item.strip()))


def percent(text: str) -> str:
    """A rate as percentage: `0.13`, `13` and `13.0%` become `13%`; other text stays as it is."""
    try:
        number = Decimal(text.removesuffix("%"))
        if not number.is_finite() or abs(number) > 100:
            return text
    except InvalidOperation:
        return text
    if not text.endswith("%") and number < 1:
        number *= 100
    return f"{number.normalize():f}%"


def _flag(text: str, line: int, column: str, empty: bool | None) -> bool:
    sign = text.upper().removesuffix(".0")
    if sign in YES:
        return True
    if sign in NO:
        return False
    if not text and empty is not None:
        return empty
    raise OfficialTableError(
        "bad_flag",
        f"第 {line} 行的 {column} 为“{text[:20]}”，应为 Y 或 N。请按原表更正。",
        row=line,
        field=column,
    )


def _day(text: str, line: int, column: str) -> dt.date | None:
    if not text:
        return None
    match = _DAY.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        day = dt.date(*(int(part) for part in match.groups()))
    except ValueError as error:
        raise OfficialTableError(
            "bad_date",
            f"第 {line} 行的 {column} 为“{text[:20]}”，不是日期。请改为 20190401 这样的写法。",
            row=line,
            field=column,
        ) from error
    return None if day.year >= FOREVER else day


def _edition(
    header: Mapping[str, str], rows: tuple[OfficialRow, ...]
) -> tuple[str, dt.date | None, dt.date | None]:
    """Version, effective day and end of the transition: from the header, else from the rows.

    Rows that did not change keep older versions and dates, so the highest version speaks for the
    table. Without versions the rows must agree on one day; else nobody can tell.
    """

    def named(*columns: str) -> str:
        return next((header[c] for c in columns if header.get(c)), "")

    version = named("bbh", "bb") or max((r.version for r in rows), key=_rank, default="")
    newest = [r for r in rows if r.version and _rank(r.version) == _rank(version)]
    starts = Counter(r.valid_from for r in newest or rows if r.usable and r.valid_from)
    effective = _day(named("qysj", "qyrq"), 0, "QYSJ")
    if effective is None and starts and (newest or len(starts) == 1):
        effective = starts.most_common(1)[0][0]
    transition = _day(named("gdqjzsj"), 0, "GDQJZSJ")
    if transition is None:
        ends = [r.transition_until for r in newest if r.transition_until]
        transition = max(ends, default=None)
    return version, effective, transition


def _rank(version: str) -> Decimal:
    try:
        return Decimal(version.lstrip("vV"))
    except InvalidOperation:
        return Decimal(-1)
