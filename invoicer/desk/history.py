"""Versions of the knowledge base as people look at them, and going back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from invoicer.access import audit
from invoicer.access.principals import Principal
from invoicer.desk.rules import rules_of_today
from invoicer.errors import InputError
from invoicer.settings import Settings
from invoicer.store import Store
from knowledge_base.official.manifest import VersionInfo
from knowledge_base.official.raw import OfficialTableError
from knowledge_base.official.table_diff import TableDiff
from knowledge_base.word_tables import Edit


@contextmanager
def version_errors() -> Iterator[None]:
    """What the version store refuses, as an error that callers see."""
    try:
        yield
    except OfficialTableError as error:
        raise InputError(error.message, field="version") from error


def versions(settings: Settings, store: Store, tenant: str) -> list[VersionInfo]:
    """The newest first, the built-in one last, as a tenant may see them."""
    own = own_versions(store, tenant)
    with version_errors():
        return [as_seen(info, own) for info in settings.version_store().versions()[::-1]]


def own_versions(store: Store, tenant: str) -> frozenset[str]:
    """The versions that a tenant's proposals have led to."""
    found = store.rows("select version from proposals where tenant = ?", [tenant])
    return frozenset(row["version"] for row in found)


def as_seen(info: VersionInfo, own: frozenset[str]) -> VersionInfo:
    """A version as it is told to whose versions are `own`: edits hold for all, but why and by whom
    they were made stays with the tenant that made them."""
    if info.id in own:
        return info
    return replace(info, reason="", proposed_by="", accepted_by="", ruling="")


def differences(settings: Settings, old: str, new: str) -> tuple[TableDiff, list[Edit]]:
    """(of the code tables, of the word tables) from one version to another."""
    with version_errors():
        store = settings.version_store()
        return store.diff(old, new), store.word_diff(old, new)


def left_out(settings: Settings, info: VersionInfo) -> tuple[Edit, ...]:
    """The edits that a version laid on newer shipped tables could not take over."""
    with version_errors():
        return settings.version_store().left_out(info.id) if info.left_out else ()


def rebase(settings: Settings, store: Store, me: Principal) -> VersionInfo | None:
    """Lay imports and edits on the tables that the program ships now; a running service follows.
    None where the version in use rests on them already."""
    with version_errors():
        info = settings.version_store().rebase(rules_of_today)
    if info is not None:
        audit.record(store, me.tenant, me.id, "words.rebase", info.id, left_out=info.left_out)
    return info


def roll_back(settings: Settings, store: Store, me: Principal, to: str = "") -> VersionInfo:
    """Use another version, the one before by default; a running service follows."""
    with version_errors():
        info = settings.version_store().rollback(to or None)
    audit.record(store, me.tenant, me.id, "words.rollback", info.id)
    return info
