"""The pages of review: the queue, kinds of alike items, lists, one item, disputes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Query, Request, Response

from api.schemas import Code, PageNumber
from api.security import Caller, TheService, allow
from api.service import Service
from api.web.pages import last_page, page, redirect, render
from invoicer.access.principals import Role
from invoicer.line import InvoiceLine, today
from invoicer.review import cases, figures
from invoicer.review.decisions import MAX_WHY
from invoicer.review.details import details, notes_of
from invoicer.review.queue import PAGE, Filter
from invoicer.review.states import State, visible_history
from knowledge_base.taxonomy import subtree_prefix

router = APIRouter(prefix="/review", include_in_schema=False)
ItemId = Annotated[str, Query(max_length=60)]
AnyTier = Literal["", "strong", "medium", "weak"]


def asked_filter(
    tier: AnyTier = "",
    text: Annotated[str, Query(max_length=60)] = "",
    chapter: Annotated[str, Query(pattern=r"^[0-9]{0,19}$")] = "",
    sampled: Literal["", "0", "1"] = "",
    state: State = State.OPEN,
) -> Filter:
    """The filter in a page's address."""
    drawn = None if sampled == "" else sampled == "1"
    return Filter(tier, state.value, text.strip(), chapter, drawn)


Only = Annotated[Filter, Depends(asked_filter)]


def chapters(service: Service) -> list[dict[str, Any]]:
    """Chapters with what is directly below them, as a filter offers them."""
    taxonomy, day = service.assistant.kb.taxonomy, today()
    return [
        {
            "prefix": subtree_prefix(chapter.code),
            "name": chapter.name,
            "below": [
                {"prefix": subtree_prefix(code.code), "name": code.name}
                for code in taxonomy.children(chapter.code)
                if code.is_valid_on(day)
            ],
        }
        for chapter in taxonomy.children("")
    ]


@router.get("")
@allow(Role.REVIEWER)
@page
async def queue(
    request: Request, caller: Caller, service: TheService, only: Only, item: ItemId = ""
) -> Response:
    return render(
        request, "queue.html", caller, only=only, chapters=chapters(service), first=item,
        counts=service.queue.counts(caller.tenant), done=figures.done_today(service.store, caller),
        lease_seconds=service.queue.rules.lease_seconds,
    )  # fmt: skip


@router.get("/groups")
@allow(Role.REVIEWER)
@page
async def groups(request: Request, caller: Caller, service: TheService) -> Response:
    return render(request, "groups.html", caller, groups=service.queue.groups(caller))


@router.get("/groups/{item}")
@allow(Role.REVIEWER)
@page
async def group(request: Request, caller: Caller, service: TheService, item: str) -> Response:
    first = service.queue.find(caller.tenant, item)
    known = details(service.assistant, service.queue, first)
    items = [first, *service.queue.alike(caller, item)] if first["state"] == State.OPEN else []
    fields = [
        name
        for name in ("spec", "unit", "brand", "manufacturer", "seller_industry", "date", "taxpayer")
        if any(one["line"].get(name) for one in items)
    ]
    differing = {n for n in fields if len({one["line"].get(n, "") for one in items}) > 1}
    return render(request, "group.html", caller, first=first, known=known, items=items,
                  fields=fields, differing=differing)  # fmt: skip


@router.get("/items")
@allow(Role.REVIEWER)
@page
async def items(
    request: Request,
    caller: Caller,
    service: TheService,
    only: Only,
    number: PageNumber = 1,
) -> Response:
    total, found = service.queue.search(caller.tenant, only, number)
    return render(
        request, "items.html", caller, only=only, chapters=chapters(service), items=found,
        total=total, number=number, pages=last_page(total, PAGE), names=names_of(service, found),
        counts=service.queue.counts(caller.tenant),
    )  # fmt: skip


@router.get("/items/{item}")
@allow(Role.REVIEWER)
@page
async def show_item(request: Request, caller: Caller, service: TheService, item: str) -> Response:
    found = service.queue.find(caller.tenant, item)
    known = details(service.assistant, service.queue, found)
    events = visible_history(service.store, caller, found)
    line = InvoiceLine.from_fields(found["line"])
    known["codes"] |= notes_of(service.assistant, line, (event["code"] for event in events))
    votes = [e for e in events if e["action"] == "vote"]
    case = cases.of_item(service.store, item)
    is_expert, disputed = caller.role.includes(Role.EXPERT), found["state"] == State.DISPUTED
    return render(request, "item.html", caller, item=found, known=known, events=events,
                  votes=votes, may_settle=disputed and is_expert and not case,
                  case=case, may_refer=(disputed or is_expert) and not case)  # fmt: skip


@router.post("/items/{item}/settle")
@allow(Role.EXPERT)
@page
async def settle(
    request: Request,
    caller: Caller,
    service: TheService,
    item: str,
    code: Annotated[Code, Form()],
    why: Annotated[str, Form(max_length=MAX_WHY)] = "",
) -> Response:
    await service.change(service.decisions.settle, caller, item, code, why, service.versions)
    return redirect(request, f"/review/items/{item}")


@router.get("/disputed")
@allow(Role.EXPERT)
@page
async def disputed(request: Request, caller: Caller, service: TheService) -> Response:
    total, found = service.queue.search(caller.tenant, Filter(state=State.DISPUTED))
    votes = {
        one["id"]: [e for e in visible_history(service.store, caller, one) if e["action"] == "vote"]
        for one in found
    }
    voted = [event for events in votes.values() for event in events]
    return render(request, "disputed.html", caller, items=found, votes=votes, total=total,
                  names=names_of(service, voted))  # fmt: skip


def names_of(service: Service, rows: list[dict[str, Any]]) -> dict[str, str]:
    """code → 简称 and name, for the codes in some rows."""
    taxonomy, day = service.assistant.kb.taxonomy, today()
    codes = {row["code"] for row in rows if (row["code"] or "") in taxonomy}
    return {c: f"*{taxonomy.short_name(c, day)}* {taxonomy[c].name}" for c in codes}
