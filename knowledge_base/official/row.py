"""The neutral form of an official code table: one row type, whatever file it came from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

_DAYS = frozenset({"valid_from", "transition_until", "valid_to"})


@dataclass(frozen=True, slots=True)
class OfficialRow:
    """One row of an official table, as the administration wrote it.

    code, parent: as found, damaged ones too: `check_table` names those. parent is "" at the top.
    rates, levy_rates: as percentages, e.g. ("13%", "9%").
    usable: 可用状态; a code that is listed but may not be used any more has False.
    valid_from, valid_to: this row's own 启用 and 停用 dates, where the file gives them.
    line: row of the source file; no part of the row's identity.
    """

    code: str
    name: str
    short_name: str
    parent: str = ""
    note: str = ""
    rates: tuple[str, ...] = ()
    levy_rates: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    is_summary: bool = False
    usable: bool = True
    special_treatments: tuple[str, ...] = ()
    special_basis: str = ""
    consumption_tax: str = ""
    statistics_codes: str = ""
    tariff_headings: str = ""
    version: str = ""
    valid_from: dt.date | None = None
    transition_until: dt.date | None = None
    valid_to: dt.date | None = None
    line: int = field(default=0, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values; those that equal the default are left out."""
        return {
            f.name: value.isoformat() if isinstance(value, dt.date) else value
            for f in fields(self)
            if (value := getattr(self, f.name)) != f.default
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> OfficialRow:
        row: dict[str, Any] = dict(values)
        for key, value in row.items():
            if isinstance(value, list):
                row[key] = tuple(value)
            elif key in _DAYS:
                row[key] = dt.date.fromisoformat(value)
        return cls(**row)


@dataclass(frozen=True, slots=True)
class OfficialTable:
    """A whole file: its rows and what it says about itself.

    effective: the day from which the table applies; None where the file does not tell.
    """

    source: str
    sha256: str
    kind: str
    version: str
    effective: dt.date | None
    transition_until: dt.date | None
    rows: tuple[OfficialRow, ...]
