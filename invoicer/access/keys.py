"""API keys: made once, shown once, kept as a hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from typing import Any

from invoicer.access import audit, tenants
from invoicer.access.principals import AuthenticationError, Principal, Role
from invoicer.errors import InputError
from invoicer.store import Store, utc_text

PREFIX = "ivk"
SECRET_BYTES = 24  # 192 random bits
MAX_NAME = 100
MAX_LINES_PER_SECOND = 1_000_000
_ABSENT = hashlib.sha256(b"").hexdigest()


def create(
    store: Store,
    tenant: str,
    name: str,
    role: Role,
    *,
    review: str = "none",
    lines_per_second: float | None = None,
    days: int | None = None,
    actor: str = audit.OPERATOR,
) -> tuple[Principal, str]:
    """A new key and its text, which is not kept anywhere.

    days: valid for so many days, None for ever.
    """
    tenants.require(store, tenant)
    if not 1 <= len(name.strip()) <= MAX_NAME:
        raise InputError(f"请给密钥一个名称,例如调用它的系统,最多 {MAX_NAME} 个字符")
    if review not in ("none", "auto"):
        raise InputError("review 只能是 none 或 auto")
    if lines_per_second is not None and not 0 < lines_per_second <= MAX_LINES_PER_SECOND:
        raise InputError(f"每秒行数上限必须大于 0,且不超过 {MAX_LINES_PER_SECOND:,}")
    if days is not None and not 1 <= days <= 3650:
        raise InputError("有效天数应在 1 到 3650 之间")
    ident = secrets.token_hex(5)
    text = f"{PREFIX}_{ident}_{secrets.token_urlsafe(SECRET_BYTES)}"
    now = dt.datetime.now(dt.UTC)
    expires = utc_text(now + dt.timedelta(days=days)) if days else None
    principal = Principal(f"key:{ident}", tenant, name.strip(), role, review, lines_per_second)
    with store.transaction() as db:
        db.execute(
            "insert into principals (principal, tenant, kind, name, role, created_at)"
            " values (?, ?, 'key', ?, ?, ?)",
            [principal.id, tenant, principal.name, role.value, utc_text(now)],
        )
        db.execute(
            "insert into keys (principal, tenant, sha256, review, lines_per_second, expires_at)"
            " values (?, ?, ?, ?, ?, ?)",
            [principal.id, tenant, _hash(text), review, lines_per_second, expires],
        )
        audit.record(store, tenant, actor, "key.create", principal.id, name=principal.name,
                     role=role.value, expires_at=expires)  # fmt: skip
    return principal, text


def rate_of(store: Store, principal: str) -> float | None:
    """A key's own lines a second; None where it has none, or is no key."""
    row = store.row("select lines_per_second from keys where principal = ?", [principal])
    return row["lines_per_second"] if row else None


def authenticate(store: Store, text: str) -> Principal:
    """Whose key it is; raises AuthenticationError, the same for every reason."""
    ident = text.split("_", 2)[1] if text.startswith(f"{PREFIX}_") and text.count("_") > 1 else ""
    row = store.row(
        """select p.*, k.sha256, k.review, k.lines_per_second, k.expires_at
           from keys k join principals p using (principal) where principal = ?""",
        [f"key:{ident}"],
    )
    # Compared even where there is no such key, so that time tells nothing.
    same = hmac.compare_digest(_hash(text), row["sha256"] if row else _ABSENT)
    if row is None or not same or row["disabled_at"] or is_past(row["expires_at"]):
        raise AuthenticationError("API 密钥缺失、无效或已过期,请在 Authorization: Bearer 中给出")
    return Principal(
        row["principal"], row["tenant"], row["name"], Role(row["role"]), row["review"],
        row["lines_per_second"],
    )  # fmt: skip


def revoke(store: Store, ident: str, actor: str = audit.OPERATOR, tenant: str = "") -> None:
    """End a key at once. tenant: only where the key is this tenant's."""
    principal = ident if ident.startswith("key:") else f"key:{ident}"
    with store.transaction() as db:
        row = store.row(
            "select tenant from principals where principal = ? and disabled_at is null",
            [principal],
        )
        if row is None or (tenant and row["tenant"] != tenant):
            raise InputError(f"没有有效的密钥“{ident[:40]}”,见 invoicer keys list")
        db.execute("update principals set disabled_at = ? where principal = ?",
                   [utc_text(), principal])  # fmt: skip
        audit.record(store, row["tenant"], actor, "key.revoke", principal)


def keys(store: Store, tenant: str | None = None) -> list[dict[str, Any]]:
    """Keys without their hashes, newest first."""
    return store.rows(
        """select p.principal, p.tenant, p.name, p.role, p.created_at, p.disabled_at,
                  k.review, k.lines_per_second, k.expires_at
           from keys k join principals p using (principal)
           where :tenant is null or p.tenant = :tenant order by p.created_at desc""",
        {"tenant": tenant},
    )


def is_past(moment: str | None) -> bool:
    """Whether a stored moment has come; never for None."""
    return moment is not None and moment <= utc_text()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
