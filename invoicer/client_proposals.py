"""The client's calls about proposals to change the words of the knowledge base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import quote

from invoicer.client_http import Transport
from invoicer.client_panel_types import Proposal, Proposals, WordEdit

PROPOSALS = "/v1/desk/proposals"


class ProposalCalls:
    """Proposing is the reviewers', previewing, accepting and rejecting another expert's."""

    def __init__(self, http: Transport):
        self._http = http

    def list(self, *, state: str = "open", provisional: bool = False, page: int = 1) -> Proposals:
        """One page of proposals, the newest first."""
        params = {"state": state, "provisional": str(provisional).lower(), "page": page}
        return cast(Proposals, self._http.json("GET", PROPOSALS, params=params))

    def proposal(self, proposal: str) -> Proposal:
        return cast(Proposal, self._http.json("GET", _of(proposal)))

    def propose(
        self,
        edits: Sequence[WordEdit],
        why: str,
        *,
        provisional: bool = False,
        item: str = "",
        ruling: str = "",
    ) -> Proposal:
        """Put rows of the word tables up for acceptance."""
        body = {"edits": [*edits], "why": why, "provisional": provisional, "item": item,
                "ruling": ruling}  # fmt: skip
        return cast(Proposal, self._http.json("POST", PROPOSALS, json=body))

    def preview(self, proposal: str) -> dict[str, Any]:
        """Begin to find out what it would change; `effect` tells when it is known."""
        return cast(dict[str, Any], self._http.json("POST", _of(proposal, "preview")))

    def effect(self, proposal: str) -> dict[str, Any]:
        """Which answers would change, and whether the gate lets it pass."""
        return cast(dict[str, Any], self._http.json("GET", _of(proposal, "effect")))

    def accept(self, proposal: str, why: str) -> Proposal:
        """Let it take effect as a new version."""
        return self._answer(proposal, "accept", why)

    def reject(self, proposal: str, why: str) -> Proposal:
        return self._answer(proposal, "reject", why)

    def _answer(self, proposal: str, act: str, why: str) -> Proposal:
        return cast(Proposal, self._http.json("POST", _of(proposal, act), json={"why": why}))


def _of(*parts: str) -> str:
    return "/".join((PROPOSALS, *(quote(part, safe="") for part in parts)))
