"""How a key is sent, and what every refusal of the service has in common."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from typing import Any

from httpx import Response
from pydantic import BaseModel

import api

HAN = re.compile(r"[\u4e00-\u9fff]")
# Words that would tell a caller how the service is built.
INTERNAL = re.compile(r"Traceback|\.py|/tmp|/home|site-packages|sqlite|pydantic|Error\b|line \d")


def bearer(key: str) -> dict[str, str]:
    """The header that carries a key."""
    return {"Authorization": f"Bearer {key}"}


def problem(response: Response, status: int, code: str) -> dict[str, Any]:
    """The error of an answer that has to be one, in the one shape."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = json.loads(response.content)
    assert list(body) == ["error"]
    error: dict[str, Any] = body["error"]
    assert list(error) == ["code", "message", "context", "request_id"]
    assert error["code"] == code
    assert HAN.search(error["message"])
    assert not INTERNAL.search(error["message"])
    assert isinstance(error["context"], dict)
    assert error["request_id"] == response.headers["x-request-id"]
    return error


def schema(name: str) -> type[BaseModel]:
    """The model of a request or an answer, whichever module of schemas it stands in."""
    for module in pkgutil.iter_modules(api.__path__, "api."):
        if module.name.startswith("api.schemas"):
            found = getattr(importlib.import_module(module.name), name, None)
            if found is not None:
                return found
    raise LookupError(name)
