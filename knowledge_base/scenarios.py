"""Scenarios (业务场景—服务类型—编码税率): what a phrase means when this seller bills it.

停车费 is 不动产经营租赁 even when a property manager bills it; 设备租赁 is 建筑服务 with an
operator and 经营租赁 without. A condition that neither the name nor the seller's industry states
becomes a question. The rates are today's; `RateTable` says what applied on another date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from knowledge_base import tables
from knowledge_base.industries import IndustryTable
from knowledge_base.rate_advice import Treatment, parse_rate

ANY_INDUSTRY = "*"


class Premise(StrEnum):
    """What makes a row apply: the phrase alone; the seller's industry, never asked about; a fact
    stated, implied by the industry or asked for; a special case that only the name brings up."""

    PHRASE = "phrase"
    SELLER = "seller"
    ASK = "ask"
    STATED = "stated"


class Place(StrEnum):
    """Where in a name a phrase counts: the whole name (goods: 奶茶); with words of time, place and
    charge around it (3月份水费); behind any other words as well (万达广场停车费)."""

    EXACT = "exact"
    WHOLE = "whole"
    END = "end"


class ScenarioRate(NamedTuple):
    """A rate as the table writes it. reduced: 3 % levied at 1 % until the end of 2027."""

    treatment: Treatment
    rate: Decimal | None
    reduced: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row: phrase × seller industry × condition → code and rates.

    industry: label of `industries.csv`, `*` for any. answer: the condition as an option to choose;
    stated: words in a name that state it. note: basis and remarks, in Chinese.
    """

    phrase: str
    industry: str
    condition: str
    answer: str
    stated: tuple[str, ...]
    premise: Premise
    code: str
    rate_general: ScenarioRate
    levy_small: ScenarioRate
    note: str

    @property
    def outcome(self) -> tuple[str, ScenarioRate, ScenarioRate]:
        return self.code, self.rate_general, self.levy_small

    @property
    def evidence(self) -> str:
        seller = "" if self.industry == ANY_INDUSTRY else f"（{self.industry}）"
        basis = f"；依据：{self.note}" if self.note else ""
        return f"业务场景“{self.phrase}”{seller}：{self.condition}{basis}"


@dataclass(frozen=True, slots=True)
class ScenarioHit:
    """A scenario found in a name: the words that matched, the rows that apply for this seller, the
    one that does without a further fact, or else a question with its options (answer → row)."""

    phrase: str
    rows: tuple[Scenario, ...]
    decided: Scenario | None
    question: str = ""
    options: dict[str, Scenario] = field(default_factory=dict)

    @property
    def evidence(self) -> str:
        if self.decided is not None:
            return self.decided.evidence
        return f"业务场景“{self.rows[0].phrase}”：条件未说明，{self.question}"

    def answer(self, text: str) -> Scenario | None:
        """The row of an option, given by its text or by its number from 1."""
        text = text.strip()
        if text.isdecimal() and 0 < int(text) <= len(self.options):
            return list(self.options.values())[int(text) - 1]
        return self.options.get(text)


@dataclass(frozen=True, slots=True)
class _Phrase:
    name: str
    place: Place
    question: str
    rows: tuple[Scenario, ...]


_MARKS = re.compile(r"[\W_]+")
_TIME = r"\d+|[一二三四五六七八九十]+|年度|年|月份|月|季度|季|日|期|[上下]半年|全年|本期|第|至"
_CHARGE = r"服务费|服务|费用|费|款项|款|收入|业务|项目|含税"
_PREMISES = (
    r"写字楼|办公楼|办公室|办公|商铺|店铺|门店|宿舍|小区|食堂|厂房|大厦|广场|园区|房屋|住宅|公寓|地下"
    r"|地上|车库|号楼|号|栋|单元|层|室|楼|公司|单位|员工|职工|个人|车辆|机动车|临时|商业|工业|生活"
)
_BEFORE = re.compile(rf"(?:{_TIME}|{_PREMISES})*")
_AFTER = re.compile(rf"(?:{_TIME}|{_CHARGE})*")
# What stands before a phrase at the end of a name and makes something else of it: another charge,
# a conjunction, a negation, money only passed through.
_OTHER_CHARGE = re.compile(r"(?:[费款金及和与或含免无非除抵扣]|代收|代付|代缴|代理|退还|代收代缴)$")


class ScenarioTable:
    """The rows of `scenarios.csv` and the rules by which they meet a name and a seller."""

    def __init__(self, rows: Iterable[dict[str, str]], industries: IndustryTable):
        self._industries = industries
        grouped: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            grouped.setdefault(row["phrase"], []).append(row)
        self._phrases: dict[str, _Phrase] = {}
        for name, group in grouped.items():
            scenarios = tuple(map(_scenario, group))
            phrase = _Phrase(name, Place(group[0]["place"]), group[0]["question"], scenarios)
            for surface in (name, *tables.split(group[0]["aliases"])):
                self._phrases[_plain(surface)] = phrase
        self._longest = max(map(len, self._phrases), default=0)
        self._starts = frozenset(surface[:2] for surface in self._phrases)

    @classmethod
    def load(cls, root: Path = tables.DATA) -> ScenarioTable:
        return cls(tables.rows("scenarios", root), IndustryTable.load(root))

    def __iter__(self) -> Iterator[Scenario]:
        for phrase in dict.fromkeys(self._phrases.values()):
            yield from phrase.rows

    def find(self, core: str, clean: str, seller: str = "") -> ScenarioHit | None:
        """The scenario of a name read as core and clean; seller: company name or industry text.

        The core alone counts only in a name of one segment, where it lacks nothing but descriptors
        and brands; for goods only if the seller's own industry has a row.
        """
        labels = self._industries.industries_of(seller).labels if seller else ()
        text = _plain(clean)
        starts = [i for i in range(len(text) - 2, -1, -1) if text[i : i + 2] in self._starts]
        longest = min(len(text) - starts[-1], self._longest) if starts else 0
        for length in range(longest, 1, -1):
            for start in starts:
                if start + length > len(text):
                    continue
                surface = text[start : start + length]
                phrase = self._phrases.get(surface)
                if phrase is not None and self._stands(phrase, text, start, start + length):
                    return _decide(phrase, surface, text, labels)
        surface = _plain(core)
        phrase = self._phrases.get(surface)
        if phrase is None or surface == text or len(clean.split()) > 1:
            return None
        if phrase.place is Place.EXACT and not _own(phrase.rows, labels):
            return None
        return _decide(phrase, surface, text, labels)

    def _stands(self, phrase: _Phrase, text: str, start: int, end: int) -> bool:
        """Whether nothing around the phrase names another thing; stated conditions may."""
        before, after = text[:start], text[end:]
        if phrase.place is Place.EXACT:
            return not before and not after
        for words in sorted({w for r in phrase.rows for w in r.stated}, key=len, reverse=True):
            before, after = before.replace(words, "1"), after.replace(words, "1")
        if not _AFTER.fullmatch(after):
            return False
        if _BEFORE.fullmatch(before):
            return True
        return (
            phrase.place is Place.END
            and end - start > 2
            and not _OTHER_CHARGE.search(before)
            and not any(before.endswith(p) for p in self._phrases)
        )


def _own(rows: Iterable[Scenario], labels: tuple[str, ...]) -> list[Scenario]:
    return [r for r in rows if r.industry in labels]


def _decide(
    phrase: _Phrase, surface: str, text: str, labels: tuple[str, ...]
) -> ScenarioHit | None:
    """The rows for this seller, narrowed by what the name states; None when none applies."""
    known = [r for r in phrase.rows if r.premise is not Premise.STATED or _states(r, text)]
    own = _own(known, labels)
    rows = own or [r for r in known if r.industry == ANY_INDUSTRY]
    rows = rows or [r for r in known if r.premise is not Premise.SELLER]
    stated = _stated(rows, text)
    if not (rows := stated or rows):
        return None
    if len({r.outcome for r in rows}) == 1:
        first = rows[0]
        sure = own or stated or first.industry == ANY_INDUSTRY or first.premise is Premise.PHRASE
        return ScenarioHit(surface, tuple(rows), first) if sure else None
    options = {r.answer: r for r in rows}
    question = phrase.question or f"“{phrase.name}”属于哪种情况：{'、'.join(options)}？"
    return ScenarioHit(surface, tuple(rows), None, question, options)


def _states(row: Scenario, text: str) -> int:
    """Length of the longest words in the name that state the row's condition."""
    return max((len(words) for words in row.stated if words in text), default=0)


def _stated(rows: list[Scenario], text: str) -> list[Scenario]:
    """Rows whose condition the name states; the longest words win (不带司机 over 带司机)."""
    longest = max((_states(r, text) for r in rows), default=0)
    return [r for r in rows if _states(r, text) == longest] if longest else []


def _plain(text: str) -> str:
    return _MARKS.sub("", text.lower())


def _rate(text: str) -> ScenarioRate:
    return ScenarioRate(*parse_rate(text.removesuffix("*")), text.endswith("*"))


def _scenario(row: dict[str, str]) -> Scenario:
    return Scenario(
        phrase=row["phrase"],
        industry=row["seller_industry"],
        condition=row["condition"],
        answer=row["answer"],
        stated=tables.split(row["stated"]),
        premise=Premise(row["premise"]),
        code=row["code"],
        rate_general=_rate(row["rate_general"]),
        levy_small=_rate(row["levy_small"]),
        note=row["note"],
    )
