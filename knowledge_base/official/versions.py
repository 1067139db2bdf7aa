"""Versions side by side, of imported code tables and of edited word tables: install, edit, lay on
newer shipped tables and go back, each in one step.

A version is a folder `versions/<id>/` that `KnowledgeBase.load` reads like the built-in data:
merged tables, the other tables beside them. What it came from is kept in its `source/` folder,
outside the fingerprint that answers carry. The file `current` names the version in use.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from knowledge_base import tables
from knowledge_base.base import KnowledgeBase
from knowledge_base.official.checks import check_table, has_errors
from knowledge_base.official.history import VersionHistory
from knowledge_base.official.manifest import BUILT_IN, InstallReport, VersionInfo, write_source
from knowledge_base.official.merge import MERGED, Edition, merge_table
from knowledge_base.official.replay import lay_edits, lay_tables
from knowledge_base.official.state import dated_only, rows_on, table_days
from knowledge_base.official.store_files import locked, share_tables, write_whole
from knowledge_base.official.table import OfficialRow, OfficialTable, OfficialTableError, read_table
from knowledge_base.official.table_diff import TableDiff, compare
from knowledge_base.word_checks import WordRules
from knowledge_base.word_tables import Edit, touched, write_edited

__all__ = ["InstallReport", "TableDiff", "VersionInfo", "VersionStore", "compare"]

DAY = dt.timedelta(days=1)
NOTHING_NOTED = VersionInfo("", dt.date.min, ())
STAGING = ".importing-"


class VersionStore(VersionHistory):
    """The installed versions of one place, and what changes them."""

    def rollback(self, to: str | None = None) -> VersionInfo:
        """Use another installed version; without `to`, the one before the current."""
        with locked(self.path):
            info = self._known(self.current_id())
            if to is None and info.id == BUILT_IN:
                raise OfficialTableError("no_previous", "当前已是内置版本，没有更早的版本可退回。")
            target = self._known(to if to is not None else info.previous)
            if not target.is_current:
                write_whole(self._pointer, target.id + "\n")
        return self._known(target.id)

    def install(self, file: Path | str, effective: dt.date | None = None) -> InstallReport:
        """Read, check and merge a file, and use it from now on; nothing remains of a failure.

        effective: first day of the table; needed where the file does not tell, and stronger than
        what it tells. A table older than the newest known one only fills in the past.
        """
        table = read_table(file)
        day = effective or table.effective
        if day is None:
            raise OfficialTableError(
                "no_effective_date",
                f"文件 {table.source} 没有写明启用日期。请指定启用日期（如 2019-04-01）后再导入。",
                file=table.source,
            )
        with self._changing():
            return self._install(table, day)

    def edit(self, edits: Sequence[Edit], onto: str, note: VersionInfo) -> VersionInfo:
        """Change rows of the word tables, and use the result from now on; nothing remains of a
        failure.

        onto: the version the edits were judged on. note: its reason, proposed_by, accepted_by and
        ruling are kept. Raises OfficialTableError where another version is in use by now, and
        NoSuchRowError. The edits are not checked here: WordRules does.
        """
        with self._changing():
            current = self._known(self.current_id())
            if current.id != onto:
                raise OfficialTableError(
                    "other_version",
                    f"当前版本已是 {current.id},不再是 {onto[:60]}。请重新预览后再采纳。",
                    version=current.id,
                )
            rows = [edit.to_json() for edit in edits]
            root = self._root(current.id)
            info = replace(
                _made_now("w", current, root, rows, note),
                effective=current.effective,
                table_days=current.table_days,
                edits=len(edits),
            )

            def fill(staging: Path) -> None:
                write_edited(root, staging, edits)
                write_source(staging, info, rows)

            self._build(info.id, root, [table.value for table in touched(edits)], fill)
            return self._known(info.id)

    def rebase(self, rules: Callable[[KnowledgeBase], WordRules]) -> VersionInfo | None:
        """Lay what was imported and edited on the tables that the program ships now, and use the
        result; None where the version in use rests on them already.

        rules: the checks of the words of a knowledge base. What they no longer let in is left out,
        kept with the version and told by `left_out`.
        """
        with self._changing():
            if not self.is_outdated():
                return None
            steps = self.lineage(self.current_id())[1:]
            current, imports = steps[-1], [step for step in steps if step.rows]
            edits = [edit for step in steps for edit in self.edits(step.id)]
            days = sorted({*table_days(self.base), *(step.effective for step in imports)})
            info = replace(
                _made_now("r", current, self.base, [edit.to_json() for edit in edits]),
                effective=days[-1],
                table_days=tuple(days),
            )

            def fill(staging: Path) -> None:
                lay_tables(staging, [(step, self.rows(step.id)) for step in imports])
                checks = rules(KnowledgeBase.load(staging)) if edits else None
                left_out = lay_edits(staging, edits, checks) if checks else []
                said = replace(info, left_out=len(left_out))
                write_source(staging, said, (edit.to_json() for edit in left_out))

            self._build(info.id, self.base, (), fill)
            return self._known(info.id)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """One change at a time; folders made for it stay only where a version lives in them."""
        made = [p for p in (self._folder, self.path) if not p.exists()]
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with locked(self.path):
                yield
        finally:
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()

    def _install(self, table: OfficialTable, day: dt.date) -> InstallReport:
        current = self._known(self.current_id())
        for version in self.versions():
            if version.sha256 == table.sha256 and version.effective == day:
                return _unchanged(version)
        root = self._root(current.id)
        newest = max(current.table_days)
        before = rows_on(root, day - DAY if day > newest else day)
        findings = tuple(check_table(table.rows, {row.code: row.name for row in before}))
        if day < newest:
            before = dated_only(before, table.rows)
        changes = compare(before, [row for row in table.rows if row.usable])
        if has_errors(findings):
            errors = sum(finding.level == "error" for finding in findings)
            message = f"文件有 {errors} 处错误，未导入，现有数据没有改动。"
            return InstallReport("refused", message, None, findings, changes)
        edition = Edition.among(current.table_days, day, table.version)
        number = "".join(c for c in table.version if c.isascii() and (c.isalnum() or c == "."))
        info = VersionInfo(
            id="-".join([f"v{number or '0'}", f"{day:%Y%m%d}", table.sha256[:8]]),
            effective=day,
            table_days=tuple(sorted({*current.table_days, day})),
            source=table.source,
            sha256=table.sha256,
            table_version=table.version,
            transition_until=table.transition_until,
            rows=len(table.rows),
            imported_at=dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
            previous=current.id,
            merged_onto=tables.fingerprint(root)[:12],
        )

        def fill(staging: Path) -> None:
            merge_table(root, staging, table.rows, edition, self._newest_rows(current))
            write_source(staging, info, (row.to_dict() for row in table.rows))

        self._build(info.id, root, MERGED, fill)
        message = f"已导入 {table.source}：{changes.summary()}。"
        if edition.until:
            message += f"该表早于现有最新版本（{newest}），只补充历史，不改变现行编码。"
        return InstallReport("installed", message, self._known(info.id), findings, changes)

    def _build(
        self,
        version: str,
        root: Path,
        changed: Collection[str],
        fill: Callable[[Path], None],
    ) -> None:
        """Build the folder aside, prove that it loads, then move it in and point to it.

        fill writes the changed tables and the source; the others are those of `root`.
        """
        for leftover in self._folder.glob(f"{STAGING}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        target = self._root(version)
        staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=self._folder))
        try:
            staging.chmod(0o755)
            share_tables(root, staging, changed, link=root != self.base)
            fill(staging)
            KnowledgeBase.load(staging)
            staging.rename(target)
            write_whole(self._pointer, version + "\n")
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            if self.current_id() != version:
                shutil.rmtree(target, ignore_errors=True)
            raise

    def _newest_rows(self, current: VersionInfo) -> dict[str, OfficialRow]:
        """Rows of the table that the current version answers from, where it was imported."""
        info = current
        while info.id != BUILT_IN:
            if info.rows and info.effective == max(current.table_days):
                return {row.code: row for row in self.rows(info.id)}
            info = self._known(info.previous)
        return {}


def _made_now(
    kind: str,
    current: VersionInfo,
    root: Path,
    rows: list[dict[str, Any]],
    note: VersionInfo = NOTHING_NOTED,
) -> VersionInfo:
    """A version made of the current one by these rows, on the tables of `root`."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")
    digest = hashlib.sha256(json.dumps([current.id, now, rows]).encode()).hexdigest()
    return replace(
        note,
        id=f"{kind}-{now[:10].replace('-', '')}-{digest[:8]}",
        sha256=digest,
        imported_at=now,
        previous=current.id,
        merged_onto=tables.fingerprint(root)[:12],
    )


def _unchanged(version: VersionInfo) -> InstallReport:
    message = f"该文件已导入为版本 {version.id}，没有改动。"
    if not version.is_current:
        message += "它不是当前版本，如需启用请切换到该版本。"
    return InstallReport("unchanged", message, version)
