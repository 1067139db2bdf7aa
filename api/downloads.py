"""Files that go out: to be saved, whatever a browser thinks of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import FileResponse

from invoicer.errors import NotFoundError

OCTETS = "application/octet-stream"
# What a browser opens all the same runs nothing and loads nothing: names in files are strangers'.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
_PLAIN = re.compile(r"[\w.-]+", re.ASCII)


def described(*media_types: str, text: str = "文件,只供下载") -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of a file that goes out."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    kinds: Iterable[str] = (kind.partition(";")[0] for kind in media_types or (OCTETS,))
    return {200: {"description": text, "content": dict.fromkeys(kinds, binary)}}


def to_be_saved(path: Path, name: str, media_type: str = OCTETS) -> Response:
    """A file under a name; raises NotFoundError where it is not there."""
    if not path.is_file():
        raise NotFoundError("没有这个文件")
    return FileResponse(path, media_type=media_type, headers=_headers(name))


def made(content: str | bytes, name: str, media_type: str) -> Response:
    """What was made for the caller, to be saved under a name."""
    return Response(content, media_type=media_type, headers=_headers(name))


def _headers(name: str) -> dict[str, str]:
    plain = name if _PLAIN.fullmatch(name) else f"attachment{PurePath(name).suffix}"
    disposition = f'attachment; filename="{plain}"'
    if plain != name:
        disposition += f"; filename*=UTF-8''{quote(name, '')}"
    return {**_HEADERS, "Content-Disposition": disposition}
