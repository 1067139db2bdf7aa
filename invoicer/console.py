"""The terminal: where commands print, and how errors end them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from invoicer.errors import InvoicerError

DONE, SOME_FAILED, BAD_INPUT = 0, 1, 2
out = Console(markup=False, emoji=False, soft_wrap=True)
err = Console(stderr=True, markup=False, emoji=False, soft_wrap=True)


@contextmanager
def friendly_errors() -> Iterator[None]:
    """Domain errors as one line on stderr and exit code 2."""
    try:
        yield
    except InvoicerError as error:
        err.print(f"错误:{error.message}", style="red", markup=False, highlight=False)
        raise typer.Exit(BAD_INPUT) from None
