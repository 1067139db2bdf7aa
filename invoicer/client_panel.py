"""The client's calls about cases of the expert panel and its rulings."""

from __future__ import annotations

from typing import Any, Literal, cast
from urllib.parse import quote

from invoicer.client_http import Transport, given
from invoicer.client_panel_types import Affected, Case, CaseRow, Cases, Ruling, Rulings
from invoicer.client_types import Line

Scope = Literal["tenant", "industry", "all"]
CASES, RULINGS = "/v1/panel/cases", "/v1/rulings"


class PanelCalls:
    """Cases. Opening is the reviewers', voting the experts', counting and ruling the chair's."""

    def __init__(self, http: Transport):
        self._http = http

    def list(self, *, state: str | None = None, due: int | None = None, page: int = 1) -> Cases:
        """One page of cases; due: only open ones that are overdue or due within so many days."""
        params = given(state=state, due=due, page=page)
        return cast(Cases, self._http.json("GET", CASES, params=params))

    def case(self, case: str) -> Case:
        """A case with its evidence, my vote, and after the count everybody's."""
        return cast(Case, self._http.json("GET", _of(CASES, case)))

    def open(self, why: str, *, item: str = "", line: str | Line | None = None) -> CaseRow:
        """A case about a review item, or about a line."""
        asked = None if line is None else line_fields(line)
        body = given(why=why, item=item, line=asked)
        return cast(CaseRow, self._http.json("POST", CASES, json=body))

    def vote(self, case: str, code: str, why: str) -> CaseRow:
        """My vote, or another one in its place; an empty code says that none fits."""
        body = {"code": code, "why": why}
        return cast(CaseRow, self._http.json("POST", _of(CASES, case, "vote"), json=body))

    def count(self, case: str, why: str = "") -> CaseRow:
        """The chair's count at the deadline."""
        return cast(CaseRow, self._http.json("POST", _of(CASES, case, "count"), json={"why": why}))

    def rule(
        self,
        case: str,
        text: str,
        *,
        scope: Scope = "tenant",
        industry: str = "",
        effective_on: str | None = None,
        with_spec: bool = False,
        with_unit: bool = False,
        rate_note: str = "",
        supersedes: str = "",
        upholds: bool | None = None,
    ) -> Ruling:
        """Issue the ruling that the majority has voted for."""
        body = given(
            text=text, scope=scope, industry=industry, effective_on=effective_on,
            with_spec=with_spec, with_unit=with_unit, rate_note=rate_note, supersedes=supersedes,
            upholds=upholds,
        )  # fmt: skip
        return cast(Ruling, self._http.json("POST", _of(CASES, case, "ruling"), json=body))


class RulingCalls:
    """Rulings."""

    def __init__(self, http: Transport):
        self._http = http

    def search(
        self, text: str = "", *, code: str = "", on: str | None = None, page: int = 1
    ) -> Rulings:
        """One page of rulings by name, text or number; on: in force that day."""
        params = given(q=text, code=code, on=on, page=page)
        return cast(Rulings, self._http.json("GET", RULINGS, params=params))

    def ruling(self, number: str) -> Ruling:
        return cast(Ruling, self._http.json("GET", _of(RULINGS, number)))

    def affected(self, number: str) -> Affected:
        """Earlier lines of the same subject with another code."""
        return cast(Affected, self._http.json("GET", _of(RULINGS, number, "affected")))


def line_fields(line: str | Line) -> dict[str, Any]:
    """A line, or its name alone, as the service takes it."""
    return {"name": line} if isinstance(line, str) else dict(line)


def _of(base: str, ident: str, act: str = "") -> str:
    return "/".join(filter(None, (base, quote(ident, safe=""), act)))
