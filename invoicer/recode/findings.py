"""What can be wrong with a declared line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """How soon a person should look."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        return {1: "低", 2: "中", 3: "高"}[self]


class Finding(StrEnum):
    """One kind of fault; its label is what an accountant reads."""

    DAMAGED_CODE = "damaged_code"
    UNKNOWN_CODE = "unknown_code"
    STOPPED_CODE = "stopped_code"
    EARLY_CODE = "early_code"
    SUMMARY_CODE = "summary_code"
    SHORT_NAME_MISMATCH = "short_name_mismatch"
    SHORT_NAME_OUTDATED = "short_name_outdated"
    MISREAD_WORD = "misread_word"
    NAME_CONTRADICTS = "name_contradicts"
    RATE_IMPOSSIBLE = "rate_impossible"
    RATE_CONDITIONAL = "rate_conditional"
    TAX_MISMATCH = "tax_mismatch"
    INCONSISTENT = "inconsistent"
    CATCH_ALL = "catch_all"

    @property
    def label(self) -> str:
        return _LABELS[self][0]

    @property
    def severity(self) -> Severity:
        return _LABELS[self][1]


_LABELS = {
    Finding.DAMAGED_CODE: ("编码已损坏", Severity.HIGH),
    Finding.UNKNOWN_CODE: ("编码不存在", Severity.HIGH),
    Finding.STOPPED_CODE: ("编码已停用", Severity.HIGH),
    Finding.EARLY_CODE: ("编码尚未启用", Severity.MEDIUM),
    Finding.SUMMARY_CODE: ("使用汇总编码", Severity.HIGH),
    Finding.SHORT_NAME_MISMATCH: ("简称与编码不符", Severity.MEDIUM),
    Finding.SHORT_NAME_OUTDATED: ("简称与开票日期不符", Severity.LOW),
    Finding.MISREAD_WORD: ("误把描述词当商品", Severity.HIGH),
    Finding.NAME_CONTRADICTS: ("品名与编码不符", Severity.HIGH),
    Finding.RATE_IMPOSSIBLE: ("税率错误", Severity.HIGH),
    Finding.RATE_CONDITIONAL: ("税率须符合条件", Severity.MEDIUM),
    Finding.TAX_MISMATCH: ("税额计算不符", Severity.MEDIUM),
    Finding.INCONSISTENT: ("同品不同码", Severity.MEDIUM),
    Finding.CATCH_ALL: ("有更具体的编码", Severity.LOW),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A finding on a line. detail: the facts, in Chinese; severity: its own, or that of its kind
    where a finding is less sure."""

    kind: Finding
    detail: str
    severity: Severity

    @classmethod
    def of(cls, kind: Finding, detail: str, severity: Severity | None = None) -> Found:
        return cls(kind, detail, severity or kind.severity)

    @property
    def text(self) -> str:
        return f"{self.kind.label}:{self.detail}"
