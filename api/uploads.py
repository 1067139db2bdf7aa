"""Files that come in with a form: how OpenAPI describes them, and how they are taken.

A form is read by its route itself, once it is known that the caller may send one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from invoicer.errors import InputError


def multipart(
    files: Mapping[str, str],
    fields: Mapping[str, Any] | None = None,
    example: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What OpenAPI says of a form. files: name → description, the first one required; fields:
    their JSON schemas."""
    properties: dict[str, Any] = {
        name: {"type": "string", "format": "binary", "description": text}
        for name, text in files.items()
    }
    content: dict[str, Any] = {
        "schema": {
            "type": "object",
            "required": [next(iter(files))],
            "properties": {**properties, **(fields or {})},
        }
    }
    if example:
        content["example"] = dict(example)
    return {"requestBody": {"required": True, "content": {"multipart/form-data": content}}}


@asynccontextmanager
async def form_of(request: Request, files: int = 1, fields: int = 1) -> AsyncIterator[FormData]:
    """The form of a request, with so many files and fields at most."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InputError("请用 multipart/form-data 上传文件", field="file")
    async with request.form(max_files=files, max_fields=fields) as form:
        yield form


def file_of(form: FormData, name: str = "file") -> UploadFile:
    """The file of a field; raises InputError where there is none."""
    upload = form.get(name)
    if not isinstance(upload, UploadFile):
        raise InputError(f"缺少文件字段 {name}", field=name)
    return upload
