"""Versions side by side, of imported code tables and of edited word tables: install, edit, compare,
list and go back, each in one step.

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

from knowledge_base import tables
from knowledge_base.base import KnowledgeBase
from knowledge_base.official.checks import check_table, has_errors
from knowledge_base.official.manifest import (
    BUILT_IN,
    InstallReport,
    VersionInfo,
    read_edits,
    read_manifest,
    read_source_rows,
    write_source,
)
from knowledge_base.official.merge import MERGED, Edition, merge_table
from knowledge_base.official.state import dated_only, rows_on, table_days
from knowledge_base.official.store_files import locked, share_tables, write_whole
from knowledge_base.official.table import OfficialRow, OfficialTable, OfficialTableError, read_table
from knowledge_base.official.table_diff import TableDiff, compare
from knowledge_base.word_tables import Edit, difference, touched, write_edited

__all__ = ["InstallReport", "TableDiff", "VersionInfo", "VersionStore", "compare"]

DAY = dt.timedelta(days=1)
STAGING = ".importing-"


class VersionStore:
    """The installed versions of one place. base: the built-in tables, version "builtin"."""

    def __init__(self, path: Path | str, base: Path = tables.DATA):
        self.path = Path(path)
        self.base = base

    @property
    def _folder(self) -> Path:
        return self.path / "versions"

    @property
    def _pointer(self) -> Path:
        return self.path / "current"

    def current_id(self) -> str:
        """The version in use: "builtin" until something was installed."""
        try:
            version = self._pointer.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return BUILT_IN
        if version != BUILT_IN and version not in self._installed():
            raise OfficialTableError(
                "missing_version",
                f"当前版本“{version[:60]}”的目录不存在。请从备份恢复，或切换到其他版本。",
                version=version[:60],
            )
        return version

    def current_root(self) -> Path:
        """The folder to load: `KnowledgeBase.load(store.current_root())`."""
        return self._root(self.current_id())

    def versions(self) -> list[VersionInfo]:
        """The built-in version, then the installed ones in the order of their import."""
        current = self.current_id()
        days = table_days(self.base)
        built_in = VersionInfo(
            id=BUILT_IN,
            effective=days[-1],
            table_days=tuple(days),
            is_current=current == BUILT_IN,
        )
        installed = [
            read_manifest(self._folder / name, is_current=name == current)
            for name in self._installed()
        ]
        return [built_in, *sorted(installed, key=lambda v: (v.imported_at, v.id))]

    def rows(self, version: str) -> tuple[OfficialRow, ...]:
        """The official table of a version as it was imported; of "builtin", the one in force."""
        info = self._known(version)
        if version == BUILT_IN:
            return rows_on(self.base, info.effective)
        if info.edits:
            return self.rows(info.previous)
        return read_source_rows(self._root(version))

    def diff(self, old: str, new: str) -> TableDiff:
        """What changed from one version's official table to another's."""
        if self._table_version(old) == self._table_version(new):
            return compare((), ())
        return compare(self.rows(old), self.rows(new))

    def _table_version(self, version: str) -> str:
        """The version that brought a version's official table: edits of words keep it."""
        info = self._known(version)
        return self._table_version(info.previous) if info.edits else info.id

    def word_diff(self, old: str, new: str) -> list[Edit]:
        """The edits that lead from one version's word tables to another's."""
        return difference(self.root(old), self.root(new))

    def root(self, version: str) -> Path:
        """The folder of a version."""
        return self._root(self._known(version).id)

    def lineage(self, version: str) -> list[VersionInfo]:
        """How a version came about: the built-in one, then each that was made of the one before."""
        found = [self._known(version)]
        while found[-1].id != BUILT_IN:
            found.append(self._known(found[-1].previous))
        return found[::-1]

    def edits(self, version: str) -> tuple[Edit, ...]:
        """The edits that made a version; none where it is a code table."""
        return read_edits(self._root(version)) if self._known(version).edits else ()

    def rollback(self, to: str | None = None) -> VersionInfo:
        """Use another installed version; without `to`, the one before the current."""
        with locked(self.path):
            info = self._known(self.current_id())
            if to is None and info.id == BUILT_IN:
                raise OfficialTableError("no_previous", "当前已是内置版本，没有更早的版本可退回。")
            target = self._known(to if to is not None else info.previous)
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
            now = dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")
            rows = [edit.to_json() for edit in edits]
            digest = hashlib.sha256(json.dumps([current.id, now, rows]).encode()).hexdigest()
            root = self._root(current.id)
            info = replace(
                note,
                id=f"w-{now[:10].replace('-', '')}-{digest[:8]}",
                effective=current.effective,
                table_days=current.table_days,
                sha256=digest,
                imported_at=now,
                previous=current.id,
                merged_onto=tables.fingerprint(root)[:12],
                edits=len(edits),
            )

            def fill(staging: Path) -> None:
                write_edited(root, staging, edits)
                write_source(staging, info, rows)

            self._build(info, current, [table.value for table in touched(edits)], fill)
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
        until = min((d for d in current.table_days if d > day), default=None)
        label = f"v{table.version.removesuffix('.0')} of {day}" if table.version else f"{day}"
        edition = Edition(day, until - DAY if until else None, newest, label)
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

        self._build(info, current, MERGED, fill)
        message = f"已导入 {table.source}：{changes.summary()}。"
        if until:
            message += f"该表早于现有最新版本（{newest}），只补充历史，不改变现行编码。"
        return InstallReport("installed", message, self._known(info.id), findings, changes)

    def _build(
        self,
        info: VersionInfo,
        current: VersionInfo,
        changed: Collection[str],
        fill: Callable[[Path], None],
    ) -> None:
        """Build the folder aside, prove that it loads, then move it in and point to it.

        fill writes the changed tables and the source; the others are those of the current one.
        """
        for leftover in self._folder.glob(f"{STAGING}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        root, target = self._root(current.id), self._root(info.id)
        staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=self._folder))
        try:
            staging.chmod(0o755)
            share_tables(root, staging, changed, link=current.id != BUILT_IN)
            fill(staging)
            KnowledgeBase.load(staging)
            staging.rename(target)
            write_whole(self._pointer, info.id + "\n")
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            if self.current_id() != info.id:
                shutil.rmtree(target, ignore_errors=True)
            raise

    def _newest_rows(self, current: VersionInfo) -> dict[str, OfficialRow]:
        """Rows of the table that the current version answers from, where it was imported."""
        info = current
        while info.id != BUILT_IN:
            if info.effective == max(current.table_days) and not info.edits:
                return {row.code: row for row in self.rows(info.id)}
            info = self._known(info.previous)
        return {}

    def _installed(self) -> set[str]:
        if not self._folder.is_dir():
            return set()
        return {folder.name for folder in self._folder.iterdir() if folder.name[0] != "."}

    def _root(self, version: str) -> Path:
        return self.base if version == BUILT_IN else self._folder / version

    def _known(self, version: str) -> VersionInfo:
        for info in self.versions():
            if info.id == version:
                return info
        raise OfficialTableError(
            "unknown_version",
            f"没有版本“{version[:60]}”。请先列出已有版本，再选用其中之一。",
            version=version[:60],
        )


def _unchanged(version: VersionInfo) -> InstallReport:
    message = f"该文件已导入为版本 {version.id}，没有改动。"
    if not version.is_current:
        message += "它不是当前版本，如需启用请切换到该版本。"
    return InstallReport("unchanged", message, version)
