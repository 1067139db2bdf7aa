"""The versions that are installed: which there are, how each came about, and how two differ."""

from __future__ import annotations

from pathlib import Path

from knowledge_base import tables
from knowledge_base.official.manifest import (
    BUILT_IN,
    VersionInfo,
    read_edits,
    read_manifest,
    read_source_rows,
)
from knowledge_base.official.raw import OfficialTableError
from knowledge_base.official.row import OfficialRow
from knowledge_base.official.state import rows_on, table_days
from knowledge_base.official.table_diff import TableDiff, compare
from knowledge_base.word_tables import Edit, difference


class VersionHistory:
    """The installed versions of one place. base: the tables shipped with the program, version
    "builtin"; a newer program brings newer ones."""

    def __init__(self, path: Path | str, base: Path = tables.DATA):
        self.path = Path(path)
        self.base = base

    def current_id(self) -> str:
        """The version in use: "builtin" until something was installed."""
        try:
            version = self._pointer.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return BUILT_IN
        if version != BUILT_IN and not self._is_installed(version):
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
        installed = [self._info(name, current) for name in self._installed()]
        return [
            self._info(BUILT_IN, current),
            *sorted(installed, key=lambda v: (v.imported_at, v.id)),
        ]

    def rows(self, version: str) -> tuple[OfficialRow, ...]:
        """The official table of a version as it was imported; where none was, the one in force."""
        info = self._table_of(version)
        if info.rows:
            return read_source_rows(self._root(info.id))
        return rows_on(self._root(info.id), info.effective)

    def diff(self, old: str, new: str) -> TableDiff:
        """What changed from one version's official table to another's."""
        if self._table_of(old).id == self._table_of(new).id:
            return compare((), ())
        return compare(self.rows(old), self.rows(new))

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

    def left_out(self, version: str) -> tuple[Edit, ...]:
        """The edits that a version laid on newer tables could not take over."""
        return read_edits(self._root(version)) if self._known(version).is_rebase else ()

    def is_outdated(self, version: str = "") -> bool:
        """Whether a version, the one in use by default, rests on other tables than the program
        now ships."""
        lineage = self.lineage(version or self.current_id())
        if len(lineage) == 1:
            return False
        rests_on = next(
            info.merged_onto
            for info in reversed(lineage)
            if info.is_rebase or info.previous == BUILT_IN
        )
        return rests_on != self._shipped

    @property
    def _shipped(self) -> str:
        """The mark of the tables that the program ships."""
        return tables.fingerprint(self.base)[:12]

    def _table_of(self, version: str) -> VersionInfo:
        """The version whose folder tells a version's official table: edits of words keep it.

        The first edit of the built-in words tells its own, where the program ships others by now.
        """
        found = self.lineage(version)
        while found[-1].edits and not (
            found[-2].id == BUILT_IN and found[-1].merged_onto != self._shipped
        ):
            found.pop()
        return found[-1]

    @property
    def _folder(self) -> Path:
        return self.path / "versions"

    @property
    def _pointer(self) -> Path:
        return self.path / "current"

    def _installed(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return [folder.name for folder in self._folder.iterdir() if folder.name[0] != "."]

    def _is_installed(self, version: str) -> bool:
        """Whether a name, which may come from anywhere, is that of an installed version."""
        is_name = version == Path(version).name and version[:1] not in {"", "."}
        return is_name and (self._folder / version).is_dir()

    def _root(self, version: str) -> Path:
        return self.base if version == BUILT_IN else self._folder / version

    def _known(self, version: str) -> VersionInfo:
        if version == BUILT_IN or self._is_installed(version):
            return self._info(version, self.current_id())
        raise OfficialTableError(
            "unknown_version",
            f"没有版本“{version[:60]}”。请先列出已有版本，再选用其中之一。",
            version=version[:60],
        )

    def _info(self, version: str, current: str) -> VersionInfo:
        if version != BUILT_IN:
            return read_manifest(self._root(version), is_current=version == current)
        days = table_days(self.base)
        return VersionInfo(
            id=BUILT_IN,
            effective=days[-1],
            table_days=tuple(days),
            is_current=current == BUILT_IN,
        )
