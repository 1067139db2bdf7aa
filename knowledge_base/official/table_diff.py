"""What changed between two official code tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from knowledge_base.official.row import OfficialRow


@dataclass(frozen=True, slots=True)
class Change:
    """One value of a code that changed; lists are joined by `、`."""

    code: str
    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class KeywordChange:
    code: str
    name: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MovedKeyword:
    """A keyword that left one code and appeared at another."""

    keyword: str
    old_code: str
    new_code: str


@dataclass(frozen=True, slots=True)
class TableDiff:
    """The difference of two tables; every part in code order.

    new: listed now and not before, or usable again.
    stopped: listed before and not now, or not usable any more; rows of the old table, so
        `usable` tells those which could not be used even then.
    """

    new: tuple[OfficialRow, ...]
    stopped: tuple[OfficialRow, ...]
    renamed: tuple[Change, ...]
    short_names: tuple[Change, ...]
    rates: tuple[Change, ...]
    special_treatments: tuple[Change, ...]
    leaf_flags: tuple[Change, ...]
    parents: tuple[Change, ...]
    keywords: tuple[KeywordChange, ...]
    moved_keywords: tuple[MovedKeyword, ...]

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, part) for part in self.__slots__)

    def summary(self) -> str:
        """One line for a person."""
        if self.is_empty:
            return "两个版本没有差别"
        parts = (
            ("新增", self.new),
            ("停用", self.stopped),
            ("改名", self.renamed),
            ("简称变动", self.short_names),
            ("税率变动", self.rates),
            ("特殊管理变动", self.special_treatments),
            ("汇总标志变动", self.leaf_flags),
            ("上级变动", self.parents),
            ("关键字变动", self.keywords),
            ("关键字移动", self.moved_keywords),
        )
        return "，".join(f"{label} {len(items)}" for label, items in parts if items)


def compare(old: Iterable[OfficialRow], new: Iterable[OfficialRow]) -> TableDiff:
    """The difference from an old table to a new one."""
    before = {row.code: row for row in sorted(old, key=lambda row: row.code)}
    after = {row.code: row for row in sorted(new, key=lambda row: row.code)}
    both = [(before[code], row) for code, row in after.items() if code in before]

    def changes(field: str, as_set: bool = False) -> tuple[Change, ...]:
        found = []
        for was, now in both:
            a, b = getattr(was, field), getattr(now, field)
            if (set(a) != set(b)) if as_set else (a != b):
                found.append(Change(now.code, now.name, _shown(a), _shown(b)))
        return tuple(found)

    keywords = tuple(
        KeywordChange(
            now.code,
            now.name,
            added=tuple(k for k in now.keywords if k not in was.keywords),
            removed=tuple(k for k in was.keywords if k not in now.keywords),
        )
        for was, now in both
        if set(was.keywords) != set(now.keywords)
    )
    return TableDiff(
        new=tuple(
            row
            for code, row in after.items()
            if code not in before or (row.usable and not before[code].usable)
        ),
        stopped=tuple(
            row
            for code, row in before.items()
            if code not in after or (row.usable and not after[code].usable)
        ),
        renamed=changes("name"),
        short_names=changes("short_name"),
        rates=changes("rates", as_set=True),
        special_treatments=changes("special_treatments", as_set=True),
        leaf_flags=changes("is_summary"),
        parents=changes("parent"),
        keywords=keywords,
        moved_keywords=tuple(_moved(before, after)),
    )


def _moved(before: dict[str, OfficialRow], after: dict[str, OfficialRow]) -> list[MovedKeyword]:
    gone: dict[str, list[str]] = {}
    for code, row in before.items():
        now = set(after[code].keywords) if code in after else set()
        for keyword in row.keywords:
            if keyword not in now:
                gone.setdefault(keyword, []).append(code)
    return [
        MovedKeyword(keyword, old_code, code)
        for code, row in after.items()
        for keyword in row.keywords
        if keyword in gone and (code not in before or keyword not in before[code].keywords)
        for old_code in gone[keyword]
    ]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "汇总项" if value else "可开票"
    if isinstance(value, tuple):
        return "、".join(value)
    return str(value)
