"""What the pages and the interface of the desk do alike."""

from __future__ import annotations

import datetime as dt
from typing import Any

from api.service import Service
from invoicer.access.principals import Principal
from invoicer.desk import effect
from invoicer.desk.code_notes import code_notes
from invoicer.desk.proposals import Proposal
from invoicer.review.lead import Lead


def notes_of(
    service: Service, caller: Principal, code: str, day: dt.date, number: int
) -> dict[str, Any]:
    """What is known of a code; raises NotFoundError."""
    row = service.tax_code(code)
    return code_notes(
        service.assistant, service.words, service.store, caller.tenant, row, day, number
    )


def effect_of(service: Service, caller: Principal, proposal: Proposal) -> dict[str, Any]:
    """A proposal's effect as a tenant may see it."""
    known = service.proposals.effect(proposal)
    return known.to_json(caller.tenant) if known else {"state": "none", "changes": []}


async def begin_preview(service: Service, proposal: Proposal) -> None:
    """Start a preview unless one is running or done."""
    settings = service.proposals.settings
    if await service.change(effect.ask, service.store, settings, proposal.edits):
        service.previews.start(proposal.id)


async def accepted(service: Service, caller: Principal, proposal: str, why: str) -> Proposal:
    """Accept in a thread: whole tables are written."""
    return await service.in_thread(service.proposals.accept, caller, service.words, proposal, why)


def lead_of(service: Service, caller: Principal) -> Lead:
    """The figures of the caller's tenant."""
    taxonomy, rules = service.assistant.kb.taxonomy, service.queue.rules
    return Lead(service.store, caller.tenant, taxonomy, rules)
