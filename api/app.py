"""The web application: routes, who may call them, and what surrounds every request."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware

from api.errors import add_handlers
from api.middleware import Limits, RequestRecord
from api.routes import appeals, classify, codes, desk, docs, jobs, panel, reviews, rulings, system
from api.security import allow, allow_anybody, authorise, with_security
from api.service import Service
from api.settings import ServiceSettings
from api.web.mount import add_pages
from invoicer.access.principals import Role

DESCRIPTION = """给发票明细的每一行赋税收分类编码、税率和诚实的把握度。

每个请求带上 API 密钥:`Authorization: Bearer ivk_…`(用 `invoicer keys create` 生成)。
每个错误都是 `{"error": {code, message, context, request_id}}`。
"""


class App(FastAPI):
    """The application, whose description says how a key is given."""

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            self.openapi_schema = with_security(super().openapi())
        return self.openapi_schema


def create_app(settings: ServiceSettings, service: Service | None = None) -> FastAPI:
    """The application. service: what answers; None only to describe the interface."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        assert service is not None
        async with service.running():
            yield

    app = App(
        title="invoicer",
        version=version("invoicer"),
        description=DESCRIPTION,
        dependencies=[Depends(authorise)],
        lifespan=lifespan,
        # A redirect would be an answer of another shape, and would send the key once more.
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.service = service
    add_handlers(app)
    for router in (
        classify.router,
        jobs.router,
        codes.router,
        reviews.router,
        panel.router,
        rulings.router,
        appeals.router,
        desk.router,
        system.router,
    ):
        app.include_router(router)
    add_pages(app)
    read_docs = allow_anybody if settings.open_docs else allow(Role.CLIENT)
    read_metrics = allow_anybody if settings.open_metrics else allow(Role.ADMIN)
    app.get("/docs", include_in_schema=False)(read_docs(docs.page))
    app.get("/docs/{name}", include_in_schema=False)(read_docs(docs.asset))
    app.get("/openapi.json", include_in_schema=False)(read_docs(docs.openapi))
    app.get("/metrics", include_in_schema=False)(read_metrics(system.metrics))
    # The last one added is the outermost.
    app.add_middleware(Limits, settings=settings)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "X-API-Key"],
        )
    app.add_middleware(RequestRecord, root_path=settings.root_path)
    return app
