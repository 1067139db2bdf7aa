"""The client's calls about appeals."""

from __future__ import annotations

from pathlib import Path
from typing import cast
from urllib.parse import quote

from invoicer.client_http import Transport, given
from invoicer.client_panel import line_fields
from invoicer.client_panel_types import Appeal, Appeals, Attachment
from invoicer.client_types import Line

APPEALS = "/v1/appeals"


class AppealCalls:
    """Filing is everybody's, answering the reviewers'."""

    def __init__(self, http: Transport):
        self._http = http

    def list(self, *, state: str | None = None, due: int | None = None, page: int = 1) -> Appeals:
        """One page of appeals; due: only open ones that are overdue or due within so many days."""
        params = given(state=state, due=due, page=page)
        return cast(Appeals, self._http.json("GET", APPEALS, params=params))

    def appeal(self, appeal: str) -> Appeal:
        """Where an appeal stands, its deadline and its answer."""
        return cast(Appeal, self._http.json("GET", _of(appeal)))

    def file(
        self,
        line: str | Line,
        contested_code: str,
        reason: str,
        *,
        contested_rate: str = "",
        wanted_code: str = "",
        wanted_rate: str = "",
    ) -> Appeal:
        """Contest the code of a line, or its rate too."""
        body = {
            "line": line_fields(line), "contested_code": contested_code, "reason": reason,
            "contested_rate": contested_rate, "wanted_code": wanted_code,
            "wanted_rate": wanted_rate,
        }  # fmt: skip
        return cast(Appeal, self._http.json("POST", APPEALS, json=body))

    def attach(self, appeal: str, path: str | Path) -> Attachment:
        """Support an open appeal by a file."""
        path = Path(path)
        with path.open("rb") as file:
            files = {"file": (path.name, file)}
            sent = self._http.json("POST", _of(appeal, "attachments"), files=files)
        return cast(Attachment, sent)

    def download(self, appeal: str, file: str, target: str | Path) -> Path:
        """Write a file of an appeal, whole or not at all."""
        return self._http.download(_of(appeal, "attachments", file), Path(target))

    def uphold(self, appeal: str, code: str, answer: str) -> Appeal:
        """The enterprise is right: the line's code is this one from now on."""
        return self._answer(appeal, "uphold", code=code, answer=answer)

    def reject(self, appeal: str, answer: str) -> Appeal:
        """What was contested stands."""
        return self._answer(appeal, "reject", answer=answer)

    def refer(self, appeal: str, answer: str) -> Appeal:
        """Bring it before the expert panel."""
        return self._answer(appeal, "refer", answer=answer)

    def _answer(self, appeal: str, act: str, **body: str) -> Appeal:
        return cast(Appeal, self._http.json("POST", _of(appeal, act), json=body))


def _of(*parts: str) -> str:
    return "/".join((APPEALS, *(quote(part, safe="") for part in parts)))
