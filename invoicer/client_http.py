"""How the client reaches the service: repeating what may be repeated, errors as one exception."""

from __future__ import annotations

import random
import shutil
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import httpx

T = TypeVar("T")
RETRIED = (429, 503)


class ApiError(Exception):
    """The service refused, or could not be reached.

    code: stable (docs/api.md); context: e.g. the field; request_id: for the administrator;
    status: of HTTP, 0 where there was no answer.
    """

    def __init__(
        self,
        code: str,
        message: str,
        context: Mapping[str, Any] | None = None,
        request_id: str = "",
        status: int = 0,
    ):
        super().__init__(message)
        self.code = code
        self.message = message
        self.context = dict(context or {})
        self.request_id = request_id
        self.status = status

    @classmethod
    def of(cls, response: httpx.Response) -> Self:
        """The error in an answer, also where something in between answered."""
        try:
            fault = response.json()["error"]
            return cls(
                fault["code"], fault["message"], fault["context"], fault["request_id"],
                response.status_code,
            )  # fmt: skip
        except (ValueError, KeyError, TypeError):
            message = f"服务答复了意外的内容(HTTP {response.status_code})"
            return cls("bad_answer", message, status=response.status_code)


class Transport:
    """One service and one key. Safe to share between threads."""

    def __init__(self, url: str, key: str, *, timeout: float, retries: int, longest_wait: float):
        self._retries = retries
        self._longest_wait = longest_wait
        self._http = httpx.Client(
            base_url=url,
            timeout=timeout,
            headers={"Authorization": f"Bearer {key}", "Accept": "application/json"},
        )

    def close(self) -> None:
        self._http.close()

    def json(self, method: str, path: str, **given: Any) -> Any:
        response = self.send(method, path, **given)
        try:
            return response.json()
        except ValueError:
            raise ApiError.of(response) from None

    def download(self, path: str, target: Path) -> Path:
        part = target.with_name(f".{target.name}.part")
        try:
            with part.open("wb") as file:
                self.send("GET", path, into=file)
            shutil.move(part, target)
        finally:
            part.unlink(missing_ok=True)
        return target

    def send(
        self, method: str, path: str, *, into: IO[bytes] | None = None, **given: Any
    ) -> httpx.Response:
        """The answer to a call, repeated where that may help; raises ApiError.

        into: where the body goes instead of memory.
        """
        headers = {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}
        for attempt in range(self._retries + 1):
            for _, file in given.get("files", {}).values():
                file.seek(0)
            if into is not None:
                into.seek(0)
                into.truncate()
            try:
                with self._http.stream(method, path, headers=headers, **given) as response:
                    if into is None or response.is_error:
                        response.read()
                    else:
                        for block in response.iter_bytes():
                            into.write(block)
            except httpx.TransportError as broken:
                if attempt == self._retries:
                    message = f"无法连接服务:{type(broken).__name__}"
                    raise ApiError("unreachable", message) from broken
                self._wait(attempt, "")
                continue
            if response.is_success:
                return response
            error = ApiError.of(response)
            # The key is ours alone: a conflict means that the first try is still being worked on.
            passing = error.status in RETRIED or error.code == "idempotency_conflict"
            if not passing or attempt == self._retries:
                raise error
            self._wait(attempt, response.headers.get("retry-after", ""))
        raise AssertionError("the last try returns or raises")

    def _wait(self, attempt: int, asked: str) -> None:
        """As long as the service asks, else longer each time; never all callers at once."""
        seconds = float(asked) if asked.isdigit() else 0.5 * 2**attempt * random.uniform(0.5, 1)
        time.sleep(min(seconds, self._longest_wait))


def given(**values: T | None) -> dict[str, T]:
    """The values that are there, as query or body."""
    return {name: value for name, value in values.items() if value is not None}
