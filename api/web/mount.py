"""Adding the pages to the application."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

from api.security import allow_anybody
from api.web import appeals, desk, figures, pages, panel, people, proposals, review, sign_in
from invoicer.errors import InvoicerError


def add_pages(app: FastAPI) -> None:
    """All pages, their files, and their errors as pages."""
    for router in (
        sign_in.router,
        review.router,
        panel.router,
        appeals.router,
        figures.router,
        people.router,
        proposals.router,
        desk.router,
    ):
        app.include_router(router)
    app.get("/static/{fingerprint}/{name}", include_in_schema=False)(allow_anybody(pages.static))
    for kind in (InvoicerError, RequestValidationError):
        app.exception_handlers[kind] = pages.as_page(app.exception_handlers[kind])
