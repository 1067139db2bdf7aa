"""Preferences: one name for each 优惠政策类型 and 零税率标识, and how target systems write it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from knowledge_base import tables


class Preference(StrEnum):
    """优惠政策类型 in the words of the code table (`zzstsgl`), and the two kinds of zero rate."""

    NONE = ""
    ZERO_RATE = "普通零税率"
    EXPORT_ZERO = "出口零税率"
    EXEMPT = "免税"
    NOT_TAXED = "不征税"
    RARE_EARTH = "稀土产品"
    SIMPLIFIED = "简易征收"
    SIMPLIFIED_2 = "按2%简易征收"
    SIMPLIFIED_3 = "按3%简易征收"
    SIMPLIFIED_3_AT_1_5 = "按3%简易征收减按1.5%计征"
    SIMPLIFIED_5 = "按5%简易征收"
    SIMPLIFIED_5_AT_1_5 = "按5%简易征收减按1.5%计征"
    REFUND_30 = "即征即退30%"
    REFUND_50 = "即征即退50%"
    REFUND_70 = "即征即退70%"
    REFUND_100 = "即征即退100%"
    REFUND_ABOVE_3 = "超税负3%即征即退"
    REFUND_ABOVE_6 = "超税负6%即征即退"
    REFUND_ABOVE_8 = "超税负8%即征即退"
    REFUND_ABOVE_12 = "超税负12%即征即退"
    LATER_REFUND = "先征后退"
    LATER_REFUND_50 = "50%先征后退"
    LATER_REFUND_100 = "100%先征后退"


@dataclass(frozen=True, slots=True)
class TreatmentMark:
    """How a target system writes a preference; empty where it has no such field or value.

    uses_preference: 是否使用优惠政策 (`yhzcbs`), zero_rate_mark: 零税率标识 (`lslbs`).
    refund_types: the 即征即退类型 that can go with it.
    """

    uses_preference: str
    preference_type: str
    preference_code: str
    refund_types: tuple[str, ...]
    zero_rate_mark: str


@dataclass(frozen=True, slots=True)
class TargetSystem:
    """The columns of a target system that say how a line is preferred, and what goes in them."""

    name: str
    columns: dict[str, str]
    marks: dict[Preference, TreatmentMark]

    @classmethod
    def load(cls, name: str, root: Path = tables.DATA) -> TargetSystem:
        """The system of that name; raises UnknownSystemError with those that are known."""
        columns: dict[str, dict[str, str]] = {}
        for row in tables.rows("mark_columns", root):
            columns.setdefault(row["target"], {})[row["column"]] = row["field"]
        if name not in columns:
            raise UnknownSystemError(name, sorted(columns))
        marks = {p: mark for (target, p), mark in load_marks(root).items() if target == name}
        return cls(name, columns[name], marks)

    def cells(self, preference: Preference | None) -> dict[str, str]:
        """Column → what the system writes for a preference; empty cells for None, no answer.

        A 即征即退类型 is only written where there is no choice.
        """
        if preference is None:
            return dict.fromkeys(self.columns, "")
        mark = self.marks[preference]
        refund = mark.refund_types[0] if len(mark.refund_types) == 1 else ""
        values = {
            "uses_preference": mark.uses_preference,
            "preference_type": mark.preference_type,
            "preference_code": mark.preference_code,
            "refund_type": refund,
            "zero_rate_mark": mark.zero_rate_mark,
        }
        return {column: values[field] for column, field in self.columns.items()}


class UnknownSystemError(ValueError):
    """No marks are known for a target system; known: those that there are."""

    def __init__(self, name: str, known: list[str]):
        super().__init__(f"没有目标系统“{name[:40]}”的优惠标识,可选:{'、'.join(known)}")
        self.known = known


def load_marks(root: Path = tables.DATA) -> dict[tuple[str, Preference], TreatmentMark]:
    """The marks by target system (`tax_platform`, `batch_template`) and preference."""
    return {
        (row["target"], Preference(row["preference"])): TreatmentMark(
            uses_preference=row["uses_preference"],
            preference_type=row["preference_type"],
            preference_code=row["preference_code"],
            refund_types=tables.split(row["refund_types"]),
            zero_rate_mark=row["zero_rate_mark"],
        )
        for row in tables.rows("treatment_marks", root)
    }
