"""Errors with a stable code, a Chinese message and a safe context: one shape everywhere."""

from __future__ import annotations

from typing import Any


class InvoicerError(Exception):
    """Base of all errors that users see.

    code: stable, machine-readable; message: what is wrong and how to cure it, in Chinese;
    context: facts such as row and field, safe to show.
    """

    code = "error"

    def __init__(self, message: str, **context: Any):
        super().__init__(message)
        self.message = message
        self.context = context

    def to_dict(self) -> dict[str, Any]:
        return {"error": {"code": self.code, "message": self.message, "context": self.context}}


class InputError(InvoicerError):
    """A file or row that cannot be used as given."""

    code = "bad_input"


class LineError(InputError):
    """One line that cannot be classified; the others still can."""

    code = "bad_line"


class NotFoundError(InvoicerError):
    """There is no such thing, or it belongs to somebody else."""

    code = "not_found"


class UnavailableError(InvoicerError):
    """Something the program needs is missing or damaged."""

    code = "unavailable"
