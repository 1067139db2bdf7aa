"""Whoever acts: a key of a calling system or a signed-in person, of one tenant, with one role."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from invoicer.errors import InvoicerError


class Role(StrEnum):
    """client calls the API; reviewer decides items; expert rules on disputes; admin manages
    keys and people. Each may do what those before it may."""

    CLIENT = "client"
    REVIEWER = "reviewer"
    EXPERT = "expert"
    ADMIN = "admin"

    def includes(self, needed: Role) -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)

    @property
    def label(self) -> str:
        return {"client": "调用方", "reviewer": "审核员", "expert": "专家", "admin": "管理员"}[self]


@dataclass(frozen=True, slots=True)
class Principal:
    """review: whether uncertain lines go to the queue unless the call says otherwise;
    lines_per_second: own rate limit, None for the installation's."""

    id: str
    tenant: str
    name: str
    role: Role
    review: str = "none"
    lines_per_second: float | None = None


class AuthenticationError(InvoicerError):
    """Nobody we know."""

    code = "not_authenticated"


class ForbiddenError(InvoicerError):
    """Somebody we know, who may not do this."""

    code = "not_allowed"
