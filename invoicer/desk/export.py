"""The word tables as the project ships them, with where their changes came from."""

from __future__ import annotations

import csv
import io
import json
import zipfile

from invoicer.desk.history import as_seen, version_errors
from knowledge_base.official.versions import VersionStore
from knowledge_base.word_tables import WordTable

PROVENANCE, EDITS = "PROVENANCE.md", "edits.csv"
COLUMNS = ("version", "at", "proposed_by", "accepted_by", "ruling", "reason", "table", "action",
           "row")  # fmt: skip


def export(
    versions: VersionStore, version: str = "", own: frozenset[str] | None = None
) -> bytes:
    """A zip of the tables of a version, the one in use by default: byte for byte what is loaded,
    their provenance, and every edit that led from the shipped tables to them.

    own: whose export it is, see `as_seen`; None where all may be told.
    """
    with version_errors():
        wanted = version or versions.current_id()
        root, edits = versions.root(wanted), _edits(versions, wanted, own)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in WordTable:
            if (path := root / f"{table.value}.csv").exists():
                archive.write(path, path.name)
        archive.write(root / PROVENANCE, PROVENANCE)
        archive.writestr(EDITS, edits)
    return packed.getvalue()


def _edits(versions: VersionStore, version: str, own: frozenset[str] | None) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for made in versions.lineage(version):
        info = made if own is None else as_seen(made, own)
        for edit in versions.edits(info.id):
            writer.writerow([
                info.id, info.imported_at, info.proposed_by, info.accepted_by, info.ruling,
                info.reason, edit.table.value, edit.action.value,
                json.dumps(edit.row, ensure_ascii=False),
            ])  # fmt: skip
    return text.getvalue()
