"""The knowledge base seen as an official table: the rows that were in force on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from knowledge_base import tables
from knowledge_base.base import RATES, KnowledgeBase
from knowledge_base.official.row import OfficialRow


def rate_column(effective: dt.date) -> str:
    """The column of taxonomy.csv that holds a table's rates: `rates_2019_04`."""
    return f"{RATES}{effective:%Y_%m}"


def table_days(root: Path) -> list[dt.date]:
    """First days of the tables whose rates are known, oldest first."""
    header = next(iter(tables.rows("taxonomy", root)), {})
    months = sorted(c.removeprefix(RATES) for c in header if c.startswith(RATES))
    return [dt.date.fromisoformat(f"{month.replace('_', '-')}-01") for month in months]


def names_on(root: Path, day: dt.date) -> dict[str, str]:
    """Names of the codes that were called otherwise on that day."""
    former: dict[str, tuple[dt.date, str]] = {}
    for row in tables.rows("former_names", root):
        last = dt.date.fromisoformat(row["valid_to"])
        if day <= last and (row["code"] not in former or last < former[row["code"]][0]):
            former[row["code"]] = (last, row["name"])
    return {code: name for code, (_, name) in former.items()}


def rows_on(root: Path, day: dt.date) -> tuple[OfficialRow, ...]:
    """The table that the knowledge base answers from on a day; without notes."""
    taxonomy = KnowledgeBase.load(root).taxonomy
    former = names_on(root, day)
    months = [d.strftime("%Y_%m") for d in table_days(root) if d <= day]
    month = months[-1] if months else ""
    return tuple(
        OfficialRow(
            code=code.code,
            name=former.get(code.code, code.name),
            short_name=taxonomy.short_name(code.code, day),
            parent=code.parent,
            rates=tuple(code.rates.get(month, ())),
            keywords=code.keywords,
            is_summary=not code.is_leaf,
            special_treatments=code.special_treatments,
            valid_from=code.valid_from,
        )
        for code in taxonomy
        if code.is_valid_on(day)
    )


def dated_only(
    known: Iterable[OfficialRow], table: Iterable[OfficialRow]
) -> tuple[OfficialRow, ...]:
    """Known rows of a past day with the facts that we keep without dates taken from its table.

    Of the past we know names, 简称 and rates; for the rest we only know the present.
    """
    then = {row.code: row for row in table}
    return tuple(
        replace(
            row,
            parent=old.parent,
            keywords=old.keywords,
            is_summary=old.is_summary,
            special_treatments=old.special_treatments,
        )
        if (old := then.get(row.code))
        else row
        for row in known
    )
