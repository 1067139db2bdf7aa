"""Figures as CSV that people open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from invoicer.guard import guarded


def safe_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A table as UTF-8 with the mark that spreadsheets ask for; no cell becomes a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    for row in rows:
        writer.writerow(guarded("" if cell is None else str(cell)) for cell in row)
    return text.getvalue().encode("utf-8-sig")
