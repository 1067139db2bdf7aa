"""Raw rows of an official code table, the limits on them, and the error that names the cure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_ROWS = 100_000


class OfficialTableError(Exception):
    """A code table that cannot be read or used; `message` names the place and the cure."""

    def __init__(self, code: str, message: str, **context: Any):
        super().__init__(message)
        self.code = code
        self.message = message
        self.context = context

    def to_dict(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "context": self.context}


@dataclass(frozen=True, slots=True)
class RawTable:
    """Rows of text as found. header: facts about the whole file (version, dates, row count)."""

    kind: str
    header: Mapping[str, str]
    rows: Sequence[tuple[int, Mapping[str, str]]]


def cell_text(cell: Any) -> str:
    """A cell as text. A number keeps its float look, so that a damaged code is recognised."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "Y" if cell else "N"
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    if isinstance(cell, list):
        return "、".join(cell_text(item) for item in cell)
    return str(cell).strip()


def too_many_rows() -> OfficialTableError:
    return OfficialTableError("too_many_rows", f"超过 {MAX_ROWS} 行，不像是编码表。请核对文件。")
