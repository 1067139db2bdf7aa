"""An official table merged into the knowledge base, so that every date keeps its own answer.

A table newer than all known ones changes the present: stopped codes end the day before it, and
what it replaces (names, 简称) is kept with dates. An older one only fills in the past.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from knowledge_base import tables
from knowledge_base.base import RATES
from knowledge_base.official import notes
from knowledge_base.official.checks import nearest_ancestor
from knowledge_base.official.row import OfficialRow
from knowledge_base.official.state import rate_column, rows_on

MERGED = ("taxonomy", "short_names", "former_names")
DAY = dt.timedelta(days=1)
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Edition:
    """Which table is merged, and when it held.

    until: last day on which the table held; None for the newest.
    newest_before: first day of the newest table known so far.
    label: as written in the `source` columns, e.g. "v32 of 2019-04-01".
    """

    effective: dt.date
    until: dt.date | None
    newest_before: dt.date
    label: str

    @classmethod
    def among(cls, days: Sequence[dt.date], day: dt.date, version: str) -> Edition:
        """A table of a day among those known. days: their first days."""
        until = min((d for d in days if d > day), default=None)
        label = f"v{version.removesuffix('.0')} of {day}" if version else f"{day}"
        return cls(day, until - DAY if until else None, max(days), label)


def merge_table(
    base: Path,
    target: Path,
    rows: Iterable[OfficialRow],
    edition: Edition,
    previous: Mapping[str, OfficialRow] | None = None,
) -> None:
    """Write the merged taxonomy.csv, short_names.csv and former_names.csv into `target`.

    previous: rows of the official table that `base` answers from, where they are at hand; they
    tell whether an official note changed, so that our own additions to it survive.
    """
    merge = _Merge(base, {row.code: row for row in rows}, edition, previous or {})
    if edition.until is None:
        merge.present()
    else:
        merge.past(edition.until)
    merge.write(target)


class _Merge:
    def __init__(
        self,
        base: Path,
        rows: Mapping[str, OfficialRow],
        edition: Edition,
        previous: Mapping[str, OfficialRow],
    ):
        self.base, self.rows, self.edition, self.previous = base, rows, edition, previous
        self.headers = {name: _header(base, name) for name in MERGED}
        self.codes: dict[str, Row] = {r["code"]: r for r in tables.rows("taxonomy", base)}
        self.short_names: list[Row] = list(tables.rows("short_names", base))
        self.former: list[Row] = list(tables.rows("former_names", base))
        self.column = rate_column(edition.effective)
        self.day_before = edition.effective - DAY
        header = self.headers["taxonomy"]
        if self.column not in header:
            places = [i for i, c in enumerate(header) if c.startswith(RATES) and c < self.column]
            first = header.index("consumption_tax") + 1
            header.insert(places[-1] + 1 if places else first, self.column)

    def present(self) -> None:
        """The newest table: what it says holds from its first day on."""
        self._close_general_short_names()
        for code, known in self.codes.items():
            row = self.rows.get(code)
            if row is None or not row.usable:
                self._stop(known)
        for code, row in self.rows.items():
            if not row.usable:
                continue
            start = self._since(row)
            if code not in self.codes:
                self._add(row, start, row.valid_to)
                continue
            known = self.codes[code]
            if known["name"] != row.name:
                self._keep_name(code, known["name"], start - DAY)
            if known["short_name"] != row.short_name:
                self._keep_short_name(code, known["short_name"], start - DAY)
            known.update(self._official(row))
            known.update(self._from_notes(row))
            known["valid_to"] = row.valid_to.isoformat() if row.valid_to else ""

    def past(self, until: dt.date) -> None:
        """An older table: adds what was not known about its own time and changes nothing else."""
        day = self.edition.effective
        then = {row.code: row for row in rows_on(self.base, day)}
        for code, row in self.rows.items():
            if not row.usable:
                continue
            if code not in self.codes:
                self._add(row, self._since(row), min(row.valid_to or until, until))
                continue
            known = self.codes[code]
            known[self.column] = "|".join(row.rates) or known.get(self.column, "")
            if known["valid_from"] > day.isoformat():
                known["valid_from"] = day.isoformat()
            was = then.get(code)
            if was and row.name != was.name:
                self._keep_name(code, row.name, until)
            if was and row.short_name and row.short_name != was.short_name:
                self.short_names.insert(0, self._dated(code, row.short_name, day, until))

    def _since(self, row: OfficialRow) -> dt.date:
        """The first day of what a row says: its own date if that tells more than the table's."""
        known_until = self.edition.newest_before if self.edition.until is None else dt.date.min
        if row.valid_from and row.valid_from > known_until:
            return row.valid_from
        return self.edition.effective

    def _stop(self, known: Row) -> None:
        last = self.day_before.isoformat()
        if not known["valid_to"] or known["valid_to"] > last:
            known["valid_to"] = max(last, known["valid_from"])

    def _add(self, row: OfficialRow, first: dt.date, last: dt.date | None) -> None:
        known = dict.fromkeys(self.headers["taxonomy"], "")
        known.update(self._official(row), valid_from=first.isoformat())
        known.update(_derived(row))
        known["valid_to"] = max(first, last).isoformat() if last else ""
        self.codes[row.code] = known

    def _official(self, row: OfficialRow) -> Row:
        """The columns that the official table alone decides."""
        known = self.codes.get(row.code, {})
        keywords = tables.split(known.get("keywords", ""))
        same = set(keywords) == set(row.keywords)
        return {
            "code": row.code,
            "name": row.name,
            "short_name": row.short_name,
            "parent": nearest_ancestor(row.code, self.rows),
            "leaf": "0" if row.is_summary else "1",
            "keywords": known["keywords"] if same and known else "|".join(row.keywords),
            "special_treatment": "|".join(row.special_treatments),
            self.column: "|".join(row.rates),
        }

    def _from_notes(self, row: OfficialRow) -> Row:
        """Columns taken out of official texts: ours stay unless the text is known to differ."""
        old = self.previous.get(row.code)
        before, now = (_derived(old) if old else {}), _derived(row)
        return {c: value for c, value in now.items() if c in before and before[c] != value}

    def _close_general_short_names(self) -> None:
        """A dated 简称 of a whole subtree ends where the table itself names its codes."""
        effective, kept = self.edition.effective.isoformat(), []
        for dated in self.short_names:
            first, last = dated["valid_from"], dated["valid_to"]
            if first <= effective and (not last or last >= effective):
                if first == effective:
                    continue
                dated["valid_to"] = self.day_before.isoformat()
            kept.append(dated)
        self.short_names = kept

    def _keep_name(self, code: str, name: str, last: dt.date) -> None:
        self.former.append(
            {"code": code, "name": name, "valid_to": last.isoformat(), "source": self._source}
        )

    def _keep_short_name(self, code: str, short_name: str, last: dt.date) -> None:
        """The former 简称 of a code, for the days that no dated 简称 speaks of already."""
        if not short_name:
            return
        first: dt.date | None = None
        spoken = [r for r in self.short_names if code.startswith(r["code_prefix"])]
        for dated in sorted(spoken, key=lambda r: r["valid_from"]):
            start, end = tables.day(dated["valid_from"]), tables.day(dated["valid_to"])
            if start and start <= last and (first is None or first < start):
                self.short_names.append(self._dated(code, short_name, first, start - DAY))
            if end is None:
                last = min(last, (start or last) - DAY)
                break
            first = max(first or end + DAY, end + DAY)
        if first is None or first <= last:
            self.short_names.append(self._dated(code, short_name, first, last))

    def _dated(self, code: str, short_name: str, first: dt.date | None, last: dt.date) -> Row:
        return {
            "code_prefix": code,
            "short_name": short_name,
            "valid_from": first.isoformat() if first else "",
            "valid_to": last.isoformat(),
            "confidence": "official",
            "source": self._source,
        }

    @property
    def _source(self) -> str:
        label = self.edition.label
        return label if self.edition.until else f"replaced by {label}"

    def write(self, target: Path) -> None:
        codes = [self.codes[code] for code in sorted(self.codes)]
        for name, content in zip(MERGED, (codes, self.short_names, self.former), strict=True):
            with (target / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, self.headers[name], restval="", lineterminator="\n")
                writer.writeheader()
                writer.writerows(content)


def _derived(row: OfficialRow) -> Row:
    return {
        "includes": "|".join(notes.includes(row)),
        "excludes": "|".join(notes.excludes(row)),
        "tariff_headings": "|".join(notes.tariff_headings(row)),
        "statistics_codes": "|".join(notes.statistics_codes(row)),
        "consumption_tax": row.consumption_tax.replace("、", "|"),
    }


def _header(base: Path, name: str) -> list[str]:
    with (base / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))
