"""The interactive documentation, without a word from another server."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import FileResponse

from api.answers import json_response
from invoicer.errors import NotFoundError

_ASSETS = Path(str(files("fastapi_offline") / "static"))
_NAMES = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon.png")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>invoicer 接口文档</title>
<link rel="icon" href="docs/favicon.png"><link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script><script src="docs/start.js"></script></body></html>
"""
_START = """SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true,
  persistAuthorization: false, defaultModelsExpandDepth: 0});
"""


async def page() -> Response:
    """Swagger UI for this service."""
    return Response(_PAGE, media_type="text/html", headers={"Content-Security-Policy": _POLICY})


async def asset(name: str) -> Response:
    """What the page is made of."""
    if name == "start.js":
        return Response(_START, media_type="text/javascript")
    if name not in _NAMES:
        raise NotFoundError("没有这个文件")
    return FileResponse(_ASSETS / name)


async def openapi(request: Request) -> Response:
    """The OpenAPI description of this service."""
    servers = [{"url": request.scope["root_path"] or "/"}]
    return json_response({**request.app.openapi(), "servers": servers})
