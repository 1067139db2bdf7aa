"""What the rows of a word table must be: the same checks for what is shipped and what is edited."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from knowledge_base import tables
from knowledge_base.industries import IndustryTable
from knowledge_base.rate_advice import RateError, parse_rate
from knowledge_base.scenarios import ANY_INDUSTRY, Place, Premise
from knowledge_base.taxonomy import Taxonomy
from knowledge_base.word_tables import Row, WordTable

MAX_WORD, MAX_TEXT, MAX_ANSWER = 100, 1_000, 30
# Columns that an empty cell makes useless; the others may be empty.
REQUIRED = {
    WordTable.EVERYDAY_NAMES: ("code", "term"),
    WordTable.AMBIGUOUS: ("term", "codes", "default_code", "question", "options"),
    WordTable.SCENARIOS: ("phrase", "seller_industry", "condition", "answer", "premise", "code",
                          "rate_general", "levy_small"),
    WordTable.DESCRIPTORS: ("term", "kind"),
    WordTable.EXCEPTIONS: ("term", "head"),
    WordTable.PROVISIONAL: ("code", "term"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row. field: the column; message: in Chinese, with the cure."""

    table: WordTable
    word: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.table.label}“{self.word[:40]}”的 {self.field}:{self.message}"


class WordRules:
    """Checks against a code table on a day.

    key: the form in which whole names are compared; kinds: what a descriptor can be.
    """

    def __init__(
        self,
        taxonomy: Taxonomy,
        industries: IndustryTable,
        day: dt.date,
        key: Callable[[str], str],
        kinds: Collection[str],
    ):
        self._taxonomy = taxonomy
        self._labels = {ANY_INDUSTRY, *industries.labels}
        self._day = day
        self._key = key
        self._kinds = kinds

    def check(self, table: WordTable, rows: Sequence[Row]) -> list[Problem]:
        """All problems of a table: of each row, then between rows."""
        own = {
            WordTable.EVERYDAY_NAMES: self._everyday_names,
            WordTable.AMBIGUOUS: self._ambiguous,
            WordTable.SCENARIOS: self._scenarios,
            WordTable.DESCRIPTORS: self._descriptors,
            WordTable.EXCEPTIONS: self._exceptions,
            WordTable.PROVISIONAL: self._provisional,
        }[table]
        found = [
            Problem(table, row[table.word], field, message)
            for row in rows
            for field, message in _cells(table, row)
        ]
        named = own(rows)
        return found + [Problem(table, word, field, message) for word, field, message in named]

    def _everyday_names(self, rows: Sequence[Row]) -> Iterator[tuple[str, str, str]]:
        codes: dict[str, set[str]] = defaultdict(set)
        keys = [self._key(row["term"]) for row in rows]
        for key, row in zip(keys, rows, strict=True):
            yield from self._printable(row["term"], "code", row["code"])
            codes[key].add(row["code"])
        for key, row in zip(keys, rows, strict=True):
            if others := codes[key] - {row["code"]}:
                where = self._named(others)
                yield row["term"], "term", f"已是另一编码的俗名({where}),请先删除那一行"
        yield from _repeated(rows, ("code", "term"))

    def _ambiguous(self, rows: Sequence[Row]) -> Iterator[tuple[str, str, str]]:
        for row in rows:
            term, options = row["term"], tables.split(row["options"])
            codes = [option.rsplit("=", 1)[-1] for option in options]
            for field, listed in (("codes", tables.split(row["codes"])), ("options", codes)):
                for code in listed:
                    yield from self._printable(term, field, code)
            answers = [option.rsplit("=", 1)[0] for option in options if "=" in option]
            if len(set(answers)) < max(2, len(options)) or "" in answers:
                yield term, "options", "请写至少两个不同的选项,形如 鲜切=编码|复合=编码"
            if row["default_code"] not in codes:
                yield term, "default_code", "应是选项中的一个编码"
        yield from _repeated(rows, ("term",))

    def _descriptors(self, rows: Sequence[Row]) -> Iterator[tuple[str, str, str]]:
        for row in rows:
            if row["kind"] not in self._kinds:
                yield row["term"], "kind", f"只能是 {'、'.join(sorted(self._kinds))}"
        yield from _repeated(rows, ("term", "kind"))

    def _exceptions(self, rows: Sequence[Row]) -> Iterator[tuple[str, str, str]]:
        yield from _repeated(rows, ("term",))

    def _provisional(self, rows: Sequence[Row]) -> Iterator[tuple[str, str, str]]:
        yield from _repeated(rows, ("code", "term"))

    def _scenarios(self, rows: Sequence[Row]) -> Iterator[tuple[str, str, str]]:
        yield from _repeated(rows, ("phrase", "seller_industry", "condition"))
        yield from _repeated(rows, ("phrase", "seller_industry", "answer"))
        yield from _phrases(rows)
        for row in rows:
            phrase = row["phrase"]
            yield from self._printable(phrase, "code", row["code"])
            if row["seller_industry"] not in self._labels:
                yield phrase, "seller_industry", "没有这个行业,请用 industries.csv 中的标签或 *"
            if row["premise"] not in set(Premise):
                yield phrase, "premise", f"只能是 {'、'.join(Premise)}"
            if len(row["answer"]) > MAX_ANSWER:
                yield phrase, "answer", f"不超过 {MAX_ANSWER} 个字"
            for field in ("rate_general", "levy_small"):
                try:
                    parse_rate(row[field].removesuffix("*"))
                except RateError as error:
                    yield phrase, field, str(error)

    def _printable(self, word: str, field: str, code: str) -> Iterator[tuple[str, str, str]]:
        known = self._taxonomy.get(code)
        if known is None:
            yield word, field, f"编码表中没有编码“{code[:30]}”"
        elif not known.is_leaf:
            yield word, field, f"{code} {known.name} 是汇总项,不能开票,请选其下的编码"
        elif not known.is_valid_on(self._day):
            yield word, field, f"{code} {known.name} 在 {self._day} 已停用或未启用"

    def _named(self, codes: Collection[str]) -> str:
        known = (self._taxonomy.get(code) for code in sorted(codes))
        return "、".join(f"{code.code} {code.name}" for code in known if code is not None)


def _cells(table: WordTable, row: Row) -> Iterator[tuple[str, str]]:
    """(field, what is wrong) of single cells."""
    for field, text in row.items():
        if not text and field in REQUIRED[table]:
            yield field, "不能为空"
        if text != text.strip():
            yield field, "前后不能有空格"
        if len(text) > (MAX_WORD if field == table.word else MAX_TEXT):
            yield field, "过长"
        if not text.isprintable():
            yield field, "含有控制字符或特殊空格"


def _repeated(rows: Sequence[Row], columns: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Rows that name the same as an earlier one."""
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        named = tuple(row[column] for column in columns)
        if named in seen:
            word = row.get("term") or row["phrase"]
            yield word, columns[-1], f"与已有的一行重复({'、'.join(named)})"
        seen.add(named)


def _phrases(rows: Sequence[Row]) -> Iterator[tuple[str, str, str]]:
    """Scenarios of a phrase stand together; its first row alone says where it counts, what it is
    called besides, and what is asked."""
    owner: dict[str, str] = {}
    before, seen = "", set()
    for row in rows:
        phrase = row["phrase"]
        if phrase != before:
            if phrase in seen:
                yield phrase, "phrase", "同一场景的各行应放在一起"
            elif row["place"] not in set(Place):
                yield phrase, "place", f"场景的第一行应写明位置:{'、'.join(Place)}"
            for surface in (phrase, *tables.split(row["aliases"])):
                if owner.setdefault(surface.lower(), phrase) != phrase:
                    yield phrase, "aliases", f"“{surface}”已属于场景“{owner[surface.lower()]}”"
        elif row["place"] or row["aliases"] or row["question"]:
            yield phrase, "place", "位置、别名与提问只写在场景的第一行"
        before = phrase
        seen.add(phrase)
