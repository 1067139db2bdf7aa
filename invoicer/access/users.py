"""People who sign in: passwords by argon2, sessions by a random cookie, lock-out after failures."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from invoicer.access import audit, tenants
from invoicer.access.keys import is_past
from invoicer.access.principals import AuthenticationError, Principal, Role
from invoicer.errors import InputError
from invoicer.store import Store, utc_text

MIN_PASSWORD = 10
MAX_PASSWORD = 200
MAX_FAILURES = 5
LOCKED_MINUTES = 15
SESSION_HOURS = 12
_LOGIN = re.compile(r"[A-Za-z0-9._@-]{2,60}")
_hasher = PasswordHasher()
WRONG = "用户名或密码不正确,或账户已锁定"


@cache
def _nobody() -> str:
    """A hash that is checked where there is no such user, so that time tells nothing."""
    return _hasher.hash(secrets.token_hex(16))


def add(
    store: Store,
    tenant: str,
    login: str,
    name: str,
    role: Role,
    password: str,
    actor: str = audit.OPERATOR,
) -> Principal:
    """A new user; raises InputError for a bad or taken login or a short password."""
    tenants.require(store, tenant)
    if not _LOGIN.fullmatch(login):
        raise InputError("用户名用 2–60 个字母、数字或 . _ @ -", field="login")
    _check_password(password)
    principal = Principal(f"user:{secrets.token_hex(5)}", tenant, name.strip() or login, role)
    hashed = _hasher.hash(password)  # slow on purpose, so not under the write lock
    with store.transaction() as db:
        if store.row("select 1 from users where login = ?", [login]):
            raise InputError(f"用户名“{login}”已存在", field="login")
        db.execute(
            "insert into principals (principal, tenant, kind, name, role, created_at)"
            " values (?, ?, 'user', ?, ?, ?)",
            [principal.id, tenant, principal.name, role.value, utc_text()],
        )
        db.execute(
            "insert into users (principal, tenant, login, password_hash) values (?, ?, ?, ?)",
            [principal.id, tenant, login, hashed],
        )
        audit.record(store, tenant, actor, "user.add", principal.id, login=login, role=role.value)
    return principal


def sign_in(store: Store, login: str, password: str) -> tuple[Principal, str]:
    """The user and a new session's token; raises AuthenticationError, the same for every reason."""
    row = store.row(
        "select u.*, p.disabled_at, p.name, p.role from users u join principals p"
        " using (principal) where login = ?",
        [login[:60]],
    )
    right = _verify(row["password_hash"] if row else _nobody(), password[:MAX_PASSWORD])
    locked = (
        row is not None and row["locked_until"] is not None and not is_past(row["locked_until"])
    )
    if row is None or row["disabled_at"] or locked or not right:
        if row is not None and not locked:
            _count_failure(store, row)
        raise AuthenticationError(WRONG)
    token = secrets.token_urlsafe(32)
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(hours=SESSION_HOURS)
    with store.transaction() as db:
        db.execute("update users set failures = 0, locked_until = null where principal = ?",
                   [row["principal"]])  # fmt: skip
        db.execute("delete from sessions where expires_at <= ?", [utc_text()])
        db.execute(
            "insert into sessions values (?, ?, ?, ?, ?)",
            [_hash(token), row["principal"], row["tenant"], utc_text(), utc_text(expires)],
        )
        if _hasher.check_needs_rehash(row["password_hash"]):
            db.execute("update users set password_hash = ? where principal = ?",
                       [_hasher.hash(password), row["principal"]])  # fmt: skip
    return Principal(row["principal"], row["tenant"], row["name"], Role(row["role"])), token


def session(store: Store, token: str) -> Principal | None:
    """Who signed in with this token; None where it is unknown or over."""
    row = store.row(
        """select p.*, s.expires_at from sessions s join principals p using (principal)
           where s.sha256 = ?""",
        [_hash(token)],
    )
    if row is None or row["disabled_at"] or is_past(row["expires_at"]):
        return None
    return Principal(row["principal"], row["tenant"], row["name"], Role(row["role"]))


def sign_out(store: Store, token: str) -> None:
    """End a session."""
    with store.transaction() as db:
        db.execute("delete from sessions where sha256 = ?", [_hash(token)])


def set_password(store: Store, login: str, password: str, actor: str = audit.OPERATOR) -> None:
    """A new password; ends the user's sessions and lock."""
    _check_password(password)
    row, hashed = _require(store, login), _hasher.hash(password)
    with store.transaction() as db:
        db.execute(
            "update users set password_hash = ?, failures = 0, locked_until = null"
            " where principal = ?",
            [hashed, row["principal"]],
        )
        db.execute("delete from sessions where principal = ?", [row["principal"]])
        audit.record(store, row["tenant"], actor, "user.password", row["principal"])


def disable(
    store: Store, login: str, actor: str = audit.OPERATOR, tenant: str | None = None
) -> None:
    """End a user's access at once. tenant: only where the user is this tenant's."""
    row = _require(store, login, tenant)
    if row["principal"] == actor:
        raise InputError("不能停用自己,请由另一位管理员操作", field="login")
    with store.transaction() as db:
        db.execute("update principals set disabled_at = ? where principal = ?",
                   [utc_text(), row["principal"]])  # fmt: skip
        db.execute("delete from sessions where principal = ?", [row["principal"]])
        audit.record(store, row["tenant"], actor, "user.disable", row["principal"], login=login)


def users(store: Store, tenant: str | None = None) -> list[dict[str, Any]]:
    """Users without their password hashes."""
    return store.rows(
        """select u.principal, u.tenant, u.login, u.locked_until, p.name, p.role, p.created_at,
                  p.disabled_at
           from users u join principals p using (principal)
           where :tenant is null or u.tenant = :tenant order by u.tenant, u.login""",
        {"tenant": tenant},
    )


def _require(store: Store, login: str, tenant: str | None = None) -> dict[str, Any]:
    row = store.row("select * from users where login = ?", [login])
    if row is None or tenant not in (None, row["tenant"]):
        raise InputError(f"没有用户“{login[:60]}”")
    return row


def _check_password(password: str) -> None:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InputError(f"密码应有 {MIN_PASSWORD}–{MAX_PASSWORD} 个字符", field="password")


def _verify(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (Argon2Error, InvalidHashError):
        return False


def _count_failure(store: Store, row: dict[str, Any]) -> None:
    """Lock the account for a while after several failures in a row."""
    until = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=LOCKED_MINUTES)
    with store.transaction() as db:
        db.execute(
            "update users set failures = (failures + 1) % :most,"
            " locked_until = case when failures + 1 >= :most then :until end"
            " where principal = :principal",
            {"most": MAX_FAILURES, "until": utc_text(until), "principal": row["principal"]},
        )
        if row["failures"] + 1 >= MAX_FAILURES:
            audit.record(store, row["tenant"], row["principal"], "user.locked", row["principal"])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
