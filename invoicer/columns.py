"""Which column of a table means what: every field name that callers use."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from invoicer.errors import InputError, LineError
from invoicer.table import BrokenRow
from knowledge_base import tables

_BRACKETS = re.compile(r"\([^)]*\)")
# In brackets they tell a net amount from a gross one: 金额(含税).
_TAX_WORDS = ("不含税", "含税")


def _plain(header: str) -> str:
    """A header without case, spaces, stars, marks, brackets and what stands in them."""
    text = _BRACKETS.sub("", unicodedata.normalize("NFKC", header))
    return re.sub(r"[\W_]", "", text).lower()


@cache
def aliases() -> Mapping[str, str]:
    """Plain header → field, from `field_names.csv`."""
    return {_plain(row["alias"]): row["field"] for row in tables.rows("field_names")}


def _field_of(title: str) -> str | None:
    """The field that a title names."""
    plain = _plain(title)
    remarks = "".join(_BRACKETS.findall(unicodedata.normalize("NFKC", title)))
    for word in _TAX_WORDS:
        if word in remarks and (field := aliases().get(f"{word}{plain}")):
            return field
    return aliases().get(plain)


def known_fields(header: Sequence[str]) -> dict[str, int]:
    """Field → column number; the first of several columns wins."""
    found: dict[str, int] = {}
    for number, title in enumerate(header):
        field = _field_of(title)
        if field is not None:
            found.setdefault(field, number)
    titles = [_plain(title) for title in header]
    if "sl" in titles and "slv" in titles:  # beside 税率 slv, sl is 数量
        found |= {"declared_rate": titles.index("slv"), "quantity": titles.index("sl")}
    return found


def fields() -> frozenset[str]:
    """Every field that a column may stand for."""
    return frozenset(aliases().values())


def given_columns(pairs: Iterable[str]) -> dict[str, str]:
    """Column title → field, from `title=field`; raises InputError for what is none."""
    given = {}
    for pair in pairs:
        title, equals, field = (part.strip() for part in pair.rpartition("="))
        if not equals or not title or not field:
            raise InputError(f"“{pair[:60]}”应写成 列名=字段,如 货品=name", field="map")
        _require_field(field)
        given[title] = field
    return given


def _require_field(field: str) -> None:
    if field not in fields():
        known = "、".join(sorted(fields()))
        raise InputError(f"“{field[:60]}”不是可用的字段;可用:{known}", field="map")


def recognise(header: Sequence[str], given: Mapping[str, str] | None = None) -> dict[str, int]:
    """Field → column number. given: column title → field, before what the title itself says.

    Raises InputError where no column holds the name, or a given column is not there.
    """
    found = known_fields(header)
    for title, field in (given or {}).items():
        if title not in header:
            raise InputError(f"没有名为“{title}”的列", columns=list(header[:50]))
        _require_field(field)
        number = list(header).index(title)
        found = {name: place for name, place in found.items() if place != number}
        found[field] = number
    if "name" not in found:
        shown = "、".join(h for h in header[:12] if h) or "(空)"
        raise InputError(
            f"没有找到商品名称列;现有列:{shown}。请把商品名称所在列的表头改为“商品名称”或 name",
            columns=list(header[:50]),
        )
    return found


def fields_of_object(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """(known fields of an object by any of their names, keys that are none); the first wins."""
    fields: dict[str, Any] = {}
    unknown: list[str] = []
    for key, value in raw.items():
        field = _field_of(str(key))
        if field is None:
            unknown.append(str(key))
        elif value is not None:
            fields.setdefault(field, value)
    return fields, unknown


def fields_of(row: Sequence[str], places: Mapping[str, int]) -> dict[str, str]:
    """The known fields of a row; missing cells are empty. Raises LineError for a broken row."""
    if isinstance(row, BrokenRow):
        raise LineError(row.why, field="row")
    return {field: row[i] if i < len(row) else "" for field, i in places.items()}
