"""What to change on a line, in the words of whoever has to do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from invoicer.declared_rate import rate_label
from invoicer.recode.declared import Declared
from invoicer.recode.findings import Finding, Found
from invoicer.recode.rate_check import RateVerdict

_SHORT_NAMES = (Finding.SHORT_NAME_MISMATCH, Finding.SHORT_NAME_OUTDATED)


def correction_of(
    declared: Declared,
    code: str,
    doubt: str,
    checked: RateVerdict,
    found: Sequence[Found],
    short_name: Callable[[str], str],
) -> str:
    """The correction; "" where nothing is to be changed.

    code: the decided one, "" without; doubt: what else it may be; short_name: 简称 of a code on
    the line's day.
    """
    parts = []
    was = declared.row.code if declared.row is not None else ""
    given = bool(was) or declared.fault is not None
    moves = bool(code) and given and was != code
    kinds = {one.kind for one in found}
    if moves:
        parts.append(f"编码改为 {code} {short_name(code)}")
    elif doubt:
        parts.append(f"请核对编码,可能应为 {doubt} {short_name(doubt)}")
    elif given and not code:
        parts.append("请人工确定编码")
    if Finding.CATCH_ALL in kinds:
        parts.append("请核对是否改用更具体的编码")
    if code and not moves and kinds.intersection(_SHORT_NAMES):
        parts.append(f"简称改为 {short_name(code)}")
    if not checked.possible and checked.first is not None:
        parts.append(f"税率改为 {rate_label(checked.first.treatment, checked.first.rate)}")
    return ";".join(parts)
