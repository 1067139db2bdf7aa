"""A client of the HTTP service: `from invoicer.client import Client, ApiError`."""

from __future__ import annotations

import random
import shutil
import time
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar, cast, overload
from urllib.parse import quote

import httpx

from invoicer.client_types import (
    Code,
    CodeHit,
    Format,
    Job,
    Kind,
    Line,
    Model,
    Rates,
    Review,
    Suggestion,
    Taxpayer,
)

T = TypeVar("T")
RETRIED = (429, 503)
ENDED = ("done", "failed", "cancelled")


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


class Client:
    """Calls one service with one key; close it or use it in a `with` block.

    A call that meets a limit, a pause or a broken connection is repeated, waiting as long as the
    service asks; changing calls carry the same Idempotency-Key each time, so that nothing is done
    twice. Safe to share between threads.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 30.0,
        retries: int = 4,
        longest_wait: float = 60.0,
    ):
        """timeout: seconds for one answer; retries: repetitions of a call; longest_wait: seconds
        to wait before one of them, whatever the service asks."""
        self._retries = retries
        self._longest_wait = longest_wait
        self._http = httpx.Client(
            base_url=url,
            timeout=timeout,
            headers={"Authorization": f"Bearer {key}", "Accept": "application/json"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    @overload
    def classify(self, lines: str | Line, *, review: Review | None = None) -> Suggestion: ...
    @overload
    def classify(
        self, lines: list[str] | list[Line] | list[str | Line], *, review: Review | None = None
    ) -> list[Suggestion]: ...

    def classify(
        self,
        lines: str | Line | list[str] | list[Line] | list[str | Line],
        *,
        review: Review | None = None,
    ) -> Suggestion | list[Suggestion]:
        """A suggestion for a line (or its name alone), or one each for up to 1000 lines."""
        asked: dict[str, Any] = {} if review is None else {"review": review}
        if isinstance(lines, list):
            body = {"lines": [_line(line) for line in lines], **asked}
            answer = self._json("POST", "/v1/classify", json=body)
            return cast(list[Suggestion], answer["results"])
        body = {**_line(lines), **asked}
        return cast(Suggestion, self._json("POST", "/v1/classify", json=body))

    def feedback(
        self, line: str | Line, code: str, *, short_name: str = "", rate: str = "",
        review_id: str = "",
    ) -> str:  # fmt: skip
        """Tell what was printed for a line; returns the id of the record."""
        body = {"line": _line(line), "code": code, "short_name": short_name, "rate": rate,
                "review_id": review_id}  # fmt: skip
        return str(self._json("POST", "/v1/feedback", json=body)["feedback_id"])

    def find_codes(self, query: str, *, on: str | None = None, limit: int = 10) -> list[CodeHit]:
        """Codes by name, keyword, everyday name, leading digits or pinyin initials."""
        params = _given(q=query, on=on, limit=limit)
        return cast(list[CodeHit], self._json("GET", "/v1/codes", params=params)["results"])

    def code(self, code: str, *, on: str | None = None) -> Code:
        """Everything known of a code."""
        return cast(
            Code, self._json("GET", f"/v1/codes/{quote(code, safe='')}", params=_given(on=on))
        )

    def rates(self, code: str, *, on: str | None = None, taxpayer: Taxpayer = "general") -> Rates:
        """Every rate that can apply to a code on a day."""
        params = _given(on=on, taxpayer=taxpayer)
        return cast(Rates, self._json("GET", f"/v1/rates/{quote(code, safe='')}", params=params))

    def current_model(self) -> Model:
        """The model and the knowledge base in use."""
        return cast(Model, self._json("GET", "/v1/models/current"))

    def submit_job(
        self,
        path: str | Path,
        *,
        kind: Kind = "classify",
        format: Format = "csv",
        on: str | None = None,
        taxpayer: Taxpayer | None = None,
        seller_industry: str = "",
        review: Review | None = None,
        map: Mapping[str, str] | None = None,
        rates: bool = False,
        report: bool | None = None,
        template: str | Path | None = None,
    ) -> Job:
        """Hand in a file, to be classified or, with kind="recode", re-coded as a history; it is
        read while it is sent.

        map: column title → field; rates: of `classify`; report, and template, the official batch
        template to fill: of `recode`.
        """
        form = _given(kind=kind, format=format, on=on, taxpayer=taxpayer, review=review,
                      seller_industry=seller_industry, rates=str(rates).lower(),
                      report=None if report is None else str(report).lower(),
                      map=[f"{title}={field}" for title, field in (map or {}).items()],
                      )  # fmt: skip
        paths: dict[str, str | Path] = _given(file=path, template=template)
        with ExitStack() as opened:
            files = {
                name: (Path(one).name, opened.enter_context(Path(one).open("rb")))
                for name, one in paths.items()
            }
            return cast(Job, self._json("POST", "/v1/jobs", data=form, files=files))

    def job(self, job_id: str) -> Job:
        """State and progress of a job."""
        return cast(Job, self._json("GET", f"/v1/jobs/{job_id}"))

    def wait_for_job(self, job_id: str, *, timeout: float | None = None, every: float = 1.0) -> Job:
        """The job once it is done; raises ApiError with the job's own error, or `job_cancelled`,
        where it has no result, and TimeoutError where it takes longer than the timeout."""
        until = None if timeout is None else time.monotonic() + timeout
        while (job := self.job(job_id))["state"] not in ENDED:
            if until is not None and time.monotonic() > until:
                raise TimeoutError(f"任务在 {timeout} 秒内没有完成")
            time.sleep(every)
        if job["state"] == "done":
            return job
        fault = job["error"] or {"code": "job_cancelled", "message": "任务已取消", "context": {}}
        raise ApiError(fault["code"], fault["message"], fault["context"])

    def download_result(self, job_id: str, target: str | Path) -> Path:
        """Write a job's result to a file, whole or not at all."""
        return self._download(f"/v1/jobs/{job_id}/result", Path(target))

    def download_rejects(self, job_id: str, target: str | Path) -> Path:
        """Write the rows that could not be coded or judged to a CSV file."""
        return self._download(f"/v1/jobs/{job_id}/rejects", Path(target))

    def download_report(self, job_id: str, target: str | Path) -> Path:
        """Write the report of a re-coding, one HTML file."""
        return self._download(f"/v1/jobs/{job_id}/report", Path(target))

    def download_template(self, job_id: str, target: str | Path) -> Path:
        """Write the filled copies of the official template, a ZIP file."""
        return self._download(f"/v1/jobs/{job_id}/template", Path(target))

    def cancel_job(self, job_id: str) -> None:
        """Stop a job that waits or runs; delete one that has ended, with its files."""
        self._send("DELETE", f"/v1/jobs/{job_id}")

    def _json(self, method: str, path: str, **given: Any) -> Any:
        response = self._send(method, path, **given)
        try:
            return response.json()
        except ValueError:
            raise ApiError.of(response) from None

    def _download(self, path: str, target: Path) -> Path:
        part = target.with_name(f".{target.name}.part")
        try:
            with part.open("wb") as file:
                self._send("GET", path, into=file)
            shutil.move(part, target)
        finally:
            part.unlink(missing_ok=True)
        return target

    def _send(
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


def _line(line: str | Line) -> dict[str, Any]:
    return {"name": line} if isinstance(line, str) else dict(line)


def _given(**values: T | None) -> dict[str, T]:
    return {name: value for name, value in values.items() if value is not None}
