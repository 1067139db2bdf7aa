"""CSV text that a spreadsheet would run as a formula: guarded on the way out, freed on the way in.

A cell that begins with `= + - @`, a tab or a return, behind any number of `'`, gets one `'` more.
Numbers stay as they are. Taking one `'` away again gives back every cell as it was.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_FIRST = frozenset("=+-@\t\r'")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?%?", re.ASCII)


def guarded(cell: str) -> str:
    """The cell as a spreadsheet may open it."""
    if cell[:1] in _FIRST and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def guarded_row(cells: list[str]) -> list[str]:
    """All cells of a row; most rows hold none that needs a second look."""
    if _FIRST.isdisjoint([cell[:1] for cell in cells]):
        return cells
    return list(map(guarded, cells))


def freed(cell: str) -> str:
    """The cell as it was before `guarded`."""
    return cell[1:] if cell[:1] == "'" and _GUARDED.match(cell) else cell
