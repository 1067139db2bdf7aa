"""What an installed code-table version says of itself, and the rows it was imported from."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from knowledge_base.official.checks import Finding
from knowledge_base.official.raw import OfficialTableError
from knowledge_base.official.row import OfficialRow
from knowledge_base.official.table_diff import TableDiff
from knowledge_base.word_tables import Edit

BUILT_IN = "builtin"
SOURCE = "source"
MANIFEST = "manifest.json"
ROWS = "rows.jsonl"


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One version of the knowledge base.

    effective: first day of the imported table. table_days: first days of all tables known here;
        the last one is the table that today's answers come from.
    transition_until: 过渡期截止 as the file gives it; recorded, not applied.
    previous: version in use when this one was imported. merged_onto: fingerprint of its data.
    rows: of the imported table; 0 where none was.
    edits: rows of the word tables that were changed; such a version has the official table of the
        one before, and says why, who proposed and who accepted, and by which ruling if any.
    left_out: earlier edits that newer shipped tables did not take over.
    """

    id: str
    effective: dt.date
    table_days: tuple[dt.date, ...]
    source: str = ""
    sha256: str = ""
    table_version: str = ""
    transition_until: dt.date | None = None
    rows: int = 0
    imported_at: str = ""
    previous: str = ""
    merged_onto: str = ""
    edits: int = 0
    left_out: int = 0
    reason: str = ""
    proposed_by: str = ""
    accepted_by: str = ""
    ruling: str = ""
    is_current: bool = False

    @property
    def is_rebase(self) -> bool:
        """Whether it is the version before, laid on the tables of a newer program."""
        return self.id != BUILT_IN and not self.rows and not self.edits

    @property
    def title(self) -> str:
        """What it is, for a person."""
        if self.id == BUILT_IN:
            return "程序随附"
        if self.is_rebase:
            left_out = f",{self.left_out} 处修改未能沿用" if self.left_out else ""
            return f"沿用已有的导入与修改,改以新程序随附的表为基础{left_out}"
        if not self.edits:
            return self.source
        said = f"词表修改 {self.edits} 行"
        return f"{said}:{self.reason}" if self.reason else said


@dataclass(frozen=True, slots=True)
class InstallReport:
    """What an import did.

    status: installed; unchanged (the same file and date are installed already); refused (errors
        among the findings; nothing was written).
    diff: from the codes in force until then to the imported table; None where unchanged.
    """

    status: Literal["installed", "unchanged", "refused"]
    message: str
    version: VersionInfo | None
    findings: tuple[Finding, ...] = ()
    diff: TableDiff | None = None


def write_source(folder: Path, info: VersionInfo, rows: Iterable[dict[str, Any]]) -> None:
    """Write the manifest and what the version came from into its `source/` folder: official rows,
    or edits of the word tables."""
    place = folder / SOURCE
    place.mkdir()
    manifest = asdict(replace(info, is_current=False))
    del manifest["is_current"]
    text = json.dumps(manifest, ensure_ascii=False, indent=1, default=dt.date.isoformat)
    (place / MANIFEST).write_text(text + "\n", encoding="utf-8")
    with (place / ROWS).open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_manifest(folder: Path, is_current: bool) -> VersionInfo:
    try:
        values = json.loads((folder / SOURCE / MANIFEST).read_text(encoding="utf-8"))
        values["effective"] = dt.date.fromisoformat(values["effective"])
        values["table_days"] = tuple(dt.date.fromisoformat(d) for d in values["table_days"])
        if values["transition_until"]:
            values["transition_until"] = dt.date.fromisoformat(values["transition_until"])
        names = {field.name for field in fields(VersionInfo)}
        return VersionInfo(**{k: v for k, v in values.items() if k in names}, is_current=is_current)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder) from error


def read_source_rows(folder: Path) -> tuple[OfficialRow, ...]:
    try:
        with (folder / SOURCE / ROWS).open(encoding="utf-8") as file:
            return tuple(OfficialRow.from_dict(json.loads(line)) for line in file)
    except (OSError, ValueError, TypeError) as error:
        raise _damaged(folder) from error


def read_edits(folder: Path) -> tuple[Edit, ...]:
    try:
        with (folder / SOURCE / ROWS).open(encoding="utf-8") as file:
            return tuple(Edit.from_json(json.loads(line)) for line in file)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder) from error


def _damaged(folder: Path) -> OfficialTableError:
    return OfficialTableError(
        "damaged_version",
        f"版本 {folder.name} 的清单缺失或损坏。请从备份恢复该目录，或删除后重新导入原文件。",
        version=folder.name,
    )
