"""Where a table begins: exports put titles, notes and double header rows above their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from invoicer.columns import known_fields

SEARCHED = 10
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Headed:
    """header: column titles; rows: what follows; first_row: number of the first of these."""

    header: list[str]
    rows: Iterator[list[str]]
    first_row: int


def find_header(rows: Iterator[list[str]]) -> Headed | None:
    """The table in rows: its header is the first of ten rows that names the name column.

    A row further down has to name a second column too; where none does, the header is the row
    that names the most columns, two at least, else the first that is more than a title. None
    without any.
    """
    head = list(islice(rows, SEARCHED))
    filled = [i for i, row in enumerate(head) if any(cell.strip() for cell in row)]
    if not filled:
        return None
    best, most = -1, 1
    for i in filled:
        known = known_fields(head[i])
        enough = 1 if i == filled[0] else 2
        if "name" in known and len(known) >= enough and len(known) > most - (i == filled[0]):
            best, most = i, len(known)
    if best < 0:
        best = _nameless(head, filled)
    header, after = head[best], best + 1
    if after < len(head) and _continues(header, head[after]):
        header, after = _joined(header, head[after]), after + 1
    elif best and _completes(head[best - 1], header):
        header = _joined(head[best - 1], header)
    titles = [cell.strip() for cell in header]
    return Headed(titles, chain(head[after:], rows), after + 1)


def _nameless(head: list[list[str]], filled: list[int]) -> int:
    """The row that is likely the header where none names the name column."""
    named = {i: len(known_fields(head[i])) for i in filled}
    best = max(filled, key=lambda i: (named[i], -i))
    if named[best] > 1:
        return best
    widths = {i: sum(1 for cell in head[i] if cell.strip()) for i in filled}
    return next(i for i in filled if 2 * widths[i] > max(widths.values()))


def _completes(upper: list[str], header: list[str]) -> bool:
    """Whether a row is the upper half of a double header: it names a column where the lower half,
    which names the name, is blank."""
    return "name" in known_fields(header) and any(
        known_fields([title])
        for i, title in enumerate(upper)
        if title.strip() and not (i < len(header) and header[i].strip())
    )


def _continues(header: list[str], row: list[str]) -> bool:
    """Whether a row is the lower half of a double header: titles only, none below the name's."""
    place = known_fields(header).get("name")
    titles = [cell for cell in row if any(map(str.isalnum, cell))]
    if place is None or not titles or (place < len(row) and row[place].strip()):
        return False
    return not any(_DIGIT.search(cell) for cell in titles) and any(
        known_fields([title]) or known_fields([f"{title}{header[i]}"])
        for i, title in enumerate(row)
        if title.strip() and i < len(header)
    )


def _joined(upper: list[str], lower: list[str]) -> list[str]:
    """One title a column: a merged upper one goes with each below it, unless that says it all."""
    titles, group = [], ""
    for i in range(max(len(upper), len(lower))):
        above = upper[i].strip() if i < len(upper) else ""
        below = lower[i].strip() if i < len(lower) else ""
        group = above or (group if below else "")
        both = f"{below}{group}"
        if not below or not group:
            titles.append(below or above)
        elif known_fields([both]):
            titles.append(both)
        else:
            titles.append(below if known_fields([below]) else f"{group}{below}")
    return titles
