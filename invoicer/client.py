"""A client of the HTTP service: `from invoicer.client import Client, ApiError`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast, overload
from urllib.parse import quote

from invoicer.client_appeals import AppealCalls
from invoicer.client_http import ApiError, Transport, given
from invoicer.client_panel import PanelCalls, RulingCalls, line_fields
from invoicer.client_proposals import ProposalCalls
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

__all__ = ["ApiError", "Client"]

ENDED = ("done", "failed", "cancelled")


class Client:
    """Calls one service with one key; close it or use it in a `with` block.

    A call that meets a limit, a pause or a broken connection is repeated, waiting as long as the
    service asks; changing calls carry the same Idempotency-Key each time, so that nothing is done
    twice. Safe to share between threads. `panel`, `rulings`, `appeals` and `proposals` hold the
    calls about those.
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
        self._http = Transport(
            url, key, timeout=timeout, retries=retries, longest_wait=longest_wait
        )
        self.panel = PanelCalls(self._http)
        self.rulings = RulingCalls(self._http)
        self.appeals = AppealCalls(self._http)
        self.proposals = ProposalCalls(self._http)

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
            body = {"lines": [line_fields(line) for line in lines], **asked}
            answer = self._http.json("POST", "/v1/classify", json=body)
            return cast(list[Suggestion], answer["results"])
        body = {**line_fields(lines), **asked}
        return cast(Suggestion, self._http.json("POST", "/v1/classify", json=body))

    def feedback(
        self, line: str | Line, code: str, *, short_name: str = "", rate: str = "",
        review_id: str = "",
    ) -> str:  # fmt: skip
        """Tell what was printed for a line; returns the id of the record."""
        body = {"line": line_fields(line), "code": code, "short_name": short_name, "rate": rate,
                "review_id": review_id}  # fmt: skip
        return str(self._http.json("POST", "/v1/feedback", json=body)["feedback_id"])

    def find_codes(self, query: str, *, on: str | None = None, limit: int = 10) -> list[CodeHit]:
        """Codes by name, keyword, everyday name, leading digits or pinyin initials."""
        params = given(q=query, on=on, limit=limit)
        return cast(list[CodeHit], self._http.json("GET", "/v1/codes", params=params)["results"])

    def code(self, code: str, *, on: str | None = None) -> Code:
        """Everything known of a code."""
        return cast(
            Code, self._http.json("GET", f"/v1/codes/{quote(code, safe='')}", params=given(on=on))
        )

    def rates(self, code: str, *, on: str | None = None, taxpayer: Taxpayer = "general") -> Rates:
        """Every rate that can apply to a code on a day."""
        params = given(on=on, taxpayer=taxpayer)
        return cast(
            Rates, self._http.json("GET", f"/v1/rates/{quote(code, safe='')}", params=params)
        )

    def current_model(self) -> Model:
        """The model and the knowledge base in use."""
        return cast(Model, self._http.json("GET", "/v1/models/current"))

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
        form = given(kind=kind, format=format, on=on, taxpayer=taxpayer, review=review,
                     seller_industry=seller_industry, rates=str(rates).lower(),
                     report=None if report is None else str(report).lower(),
                     map=[f"{title}={field}" for title, field in (map or {}).items()],
                     )  # fmt: skip
        paths: dict[str, str | Path] = given(file=path, template=template)
        with ExitStack() as opened:
            files = {
                name: (Path(one).name, opened.enter_context(Path(one).open("rb")))
                for name, one in paths.items()
            }
            return cast(Job, self._http.json("POST", "/v1/jobs", data=form, files=files))

    def job(self, job_id: str) -> Job:
        """State and progress of a job."""
        return cast(Job, self._http.json("GET", f"/v1/jobs/{job_id}"))

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
        return self._http.download(f"/v1/jobs/{job_id}/result", Path(target))

    def download_rejects(self, job_id: str, target: str | Path) -> Path:
        """Write the rows that could not be coded or judged to a CSV file."""
        return self._http.download(f"/v1/jobs/{job_id}/rejects", Path(target))

    def download_report(self, job_id: str, target: str | Path) -> Path:
        """Write the report of a re-coding, one HTML file."""
        return self._http.download(f"/v1/jobs/{job_id}/report", Path(target))

    def download_template(self, job_id: str, target: str | Path) -> Path:
        """Write the filled copies of the official template, a ZIP file."""
        return self._http.download(f"/v1/jobs/{job_id}/template", Path(target))

    def cancel_job(self, job_id: str) -> None:
        """Stop a job that waits or runs; delete one that has ended, with its files."""
        self._http.send("DELETE", f"/v1/jobs/{job_id}")
