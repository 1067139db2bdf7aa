"""Checks of an official code table before it may be imported: what is wrong, and the cure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from knowledge_base.official.row import OfficialRow
from knowledge_base.taxonomy import CODE_LENGTH, is_code, pairs

# A table that lacks more than this share of the known codes is a part of a table.
MAX_MISSING = 0.2

_RATE = re.compile(r"\d+(\.\d+)?%")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in a table. level: an error blocks the import, a warning does not.

    row: row of the source file, 0 for the table as a whole.
    suggestion: the probable original code of a damaged one, where one is known.
    """

    level: Literal["error", "warning"]
    row: int
    field: str
    message: str
    cure: str
    suggestion: str = ""


def has_errors(findings: Iterable[Finding]) -> bool:
    return any(finding.level == "error" for finding in findings)


def check_table(
    rows: Iterable[OfficialRow], known: Mapping[str, str] | None = None
) -> list[Finding]:
    """All findings of a table in row order, the table's own first.

    known: code → name of the codes in force before; finds the originals of damaged codes, codes
    that lost digits, and tables that are only a part.
    """
    rows, known = list(rows), known or {}
    sound = {row.code: row for row in rows if is_code(row.code)}
    originals = Originals(known or {c: r.name for c, r in sound.items()})
    children: dict[str, list[OfficialRow]] = {}
    for row in sound.values():
        if row.usable:
            children.setdefault(nearest_ancestor(row.code, sound), []).append(row)
    findings = list(_whole(sound, known))
    first_lines: dict[str, int] = {}
    for row in rows:
        if not is_code(row.code):
            findings.append(_damaged(row, originals))
            continue
        if row.code in first_lines:
            findings.append(
                Finding(
                    "error",
                    row.line,
                    "SPBM",
                    f"编码 {row.code} 重复，已见于第 {first_lines[row.code]} 行",
                    "保留正确的一行。若多行编码变得相同，多半是末位被截断，请重新以文本格式导出",
                )
            )
            continue
        first_lines[row.code] = row.line
        findings.extend(_lost_digits(row, sound, known, originals))
        findings.extend(_parent(row, sound))
        findings.extend(_content(row, children.get(row.code, [])))
    return findings


def nearest_ancestor(code: str, codes: Mapping[str, object]) -> str:
    """The nearest ancestor that exists, "" for a chapter: some levels are not in the table."""
    parts = pairs(code)
    for length in range(len(parts) - 1, 0, -1):
        ancestor = "".join(parts[:length]).ljust(CODE_LENGTH, "0")
        if ancestor in codes:
            return ancestor
    return ""


class Originals:
    """Finds the code that a damaged one probably was: same name or same leading digits, nearest."""

    def __init__(self, known: Mapping[str, str]):
        self._codes = sorted(known)
        self._names = known
        self._named: dict[str, list[str]] = {}
        for code in self._codes:
            self._named.setdefault(known[code], []).append(code)

    def of(self, text: str, name: str) -> str:
        digits = _leading_digits(text)
        first = bisect_left(self._codes, digits)
        last = bisect_left(self._codes, digits + ":")
        family = self._codes[first:last] if digits else []
        named = self._named.get(name, [])
        near = [c for c in named if c.startswith(digits)] or named or family
        value = int(digits[:CODE_LENGTH].ljust(CODE_LENGTH, "0"))
        return min(near, key=lambda code: (abs(int(code) - value), code), default="")

    def with_same_start(self, code: str, name: str) -> str:
        """The known code of that name which differs only in the last four digits."""
        return next((c for c in self._named.get(name, ()) if c[:15] == code[:15]), "")


def _leading_digits(text: str) -> str:
    """The digits that a damaged code still holds: `1.01E+18` has 101."""
    try:
        digits = "".join(map(str, Decimal(text).as_tuple().digits))
    except InvalidOperation:
        digits = re.sub(r"\D", "", text)
    return digits[:40].strip("0")


def _damaged(row: OfficialRow, originals: Originals) -> Finding:
    original = originals.of(row.code, row.name)
    hint = f"，可能原为 {original}" if original else ""
    if not row.code:
        message, cure = "编码为空", "补上 19 位编码，或删除空行"
    elif re.fullmatch(r"\d+(\.\d*)?([eE][+]?\d+)?", row.code) and not row.code.isdigit():
        message = f"编码“{row.code[:40]}”已变成浮点数，末位数字丢失{hint}"
        cure = "请从原文件重新导出，并把编码列设为文本格式"
    else:
        message = f"编码“{row.code[:40]}”不是 19 位数字{hint}"
        cure = "编码须为 19 位数字文本，请按原表更正"
    return Finding("error", row.line, "SPBM", message, cure, original)


def _lost_digits(
    row: OfficialRow,
    rows: Mapping[str, OfficialRow],
    known: Mapping[str, str],
    originals: Originals,
) -> Iterator[Finding]:
    """A sheet keeps fifteen digits of a number: the last four turn to zeros."""
    if row.code in known or not row.code.endswith("0000"):
        return
    original = originals.with_same_start(row.code, row.name)
    if original and original != row.code and original not in rows:
        yield Finding(
            "error",
            row.line,
            "SPBM",
            f"编码 {row.code} 的末四位可能被截断，同名编码原为 {original}",
            "请从原文件重新导出，并把编码列设为文本格式",
            original,
        )


def _whole(rows: Mapping[str, OfficialRow], known: Mapping[str, str]) -> Iterator[Finding]:
    missing = sum(code not in rows for code in known)
    if known and missing > MAX_MISSING * len(known):
        yield Finding(
            "error",
            0,
            "SPBM",
            f"现有 {len(known)} 个编码中有 {missing} 个不在本文件里，文件不像完整的编码表",
            "请导入完整的编码表，不要只导入其中几页或查询结果",
        )


def _parent(row: OfficialRow, rows: Mapping[str, OfficialRow]) -> Iterator[Finding]:
    nearest = nearest_ancestor(row.code, rows)
    if not nearest and len(pairs(row.code)) > 1:
        yield Finding(
            "error",
            row.line,
            "SPBM",
            f"编码 {row.code} 没有任何上级，表中缺少它所在的篇",
            "请补齐上级编码，或重新下载完整的编码表",
        )
    elif row.parent and row.parent != nearest:
        where = "按编码分级应为上级的是" if row.parent in rows else "不在表中，最近的上级是"
        yield Finding(
            "warning",
            row.line,
            "PID",
            f"编码 {row.code} 的上级写作 {row.parent}，{where} {nearest or '（无，顶层编码）'}",
            "将以最近的上级代替，请核对原表",
        )


def _content(row: OfficialRow, children: list[OfficialRow]) -> Iterator[Finding]:
    title = f"{row.code} {row.name}"
    if not row.name:
        yield Finding("error", row.line, "SPMC", f"编码 {row.code} 没有名称", "请按原表补上名称")
    if row.usable and not row.is_summary:
        if not row.short_name:
            yield Finding(
                "error",
                row.line,
                "SPBMJC",
                f"可开票编码 {title} 没有简称",
                "请按原表补上简称",
            )
        if children:
            yield Finding(
                "error",
                row.line,
                "HZX",
                f"编码 {title} 标为可开票，却有下级 {children[0].code}",
                "有下级的编码应为汇总项（HZX=Y），请按原表更正",
            )
        if not row.rates:
            yield Finding(
                "warning",
                row.line,
                "ZZSSL",
                f"可开票编码 {title} 没有税率",
                "导入后该版本不含此编码的税率，请核对原表",
            )
    elif row.usable and not children:
        yield Finding(
            "warning",
            row.line,
            "HZX",
            f"汇总项 {title} 没有下级，不能开票",
            "按汇总项导入，请核对原表",
        )
    for rate in row.rates:
        if not _RATE.fullmatch(rate):
            yield Finding(
                "warning",
                row.line,
                "ZZSSL",
                f"编码 {row.code} 的税率“{rate[:20]}”无法识别",
                "按原文保存，请核对原表",
            )
    last = row.valid_to or row.transition_until
    if row.valid_from and last and last < row.valid_from:
        yield Finding(
            "error",
            row.line,
            "TYRQ" if row.valid_to else "GDQJZSJ",
            f"编码 {row.code} 的截止日期 {last} 早于启用日期 {row.valid_from}",
            "请按原表更正日期",
        )
