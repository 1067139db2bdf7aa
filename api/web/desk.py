"""The pages of the desk: the code tree, a code, the word tables, versions."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response

from api.desk import notes_of
from api.routes.codes import CodePath, On
from api.routes.desk import VersionName
from api.schemas import PageNumber
from api.security import Caller, TheService, allow
from api.service import Service
from api.web.pages import last_page, page, redirect, render
from invoicer.access.principals import Role
from invoicer.desk import history
from invoicer.desk.words import PAGE
from invoicer.line import today
from knowledge_base.official.table_diff import TableDiff
from knowledge_base.word_tables import Edit, WordTable

router = APIRouter(prefix="/desk", include_in_schema=False)
MAX_HITS = 50
MAX_DIFF = 200
Text = Annotated[str, Query(max_length=60)]


@router.get("")
@allow(Role.EXPERT)
@page
async def tree(
    request: Request, caller: Caller, service: TheService, q: Text = "", under: Text = ""
) -> Response:
    taxonomy, day = service.assistant.kb.taxonomy, today()
    hits = service.type_ahead.search(q, day, MAX_HITS) if q.strip() else []
    children = [code for code in taxonomy.children(under) if code.is_valid_on(day)]
    return render(
        request, "desk.html", caller, q=q, hits=hits, children=children,
        path=taxonomy.path(under), taxonomy=taxonomy, day=day,
        leaves={code.code: len(taxonomy.under(code.code)) for code in children},
        names={code.code: len(service.words.names(code.code)) for code in children},
    )  # fmt: skip


@router.get("/codes/{code}")
@allow(Role.EXPERT)
@page
async def show_code(
    request: Request,
    caller: Caller,
    service: TheService,
    code: CodePath,
    on: On = None,
    number: PageNumber = 1,
) -> Response:
    known = notes_of(service, caller, code, on or today(), number)
    return render(request, "desk_code.html", caller, known=known, WordTable=WordTable,
                  steps=service.assistant.kb.taxonomy.path(code))  # fmt: skip


@router.get("/words/{table}")
@allow(Role.EXPERT)
@page
async def show_words(
    request: Request,
    caller: Caller,
    service: TheService,
    table: WordTable,
    q: Text = "",
    number: PageNumber = 1,
) -> Response:
    total, rows = service.words.search(table, q, number)
    return render(
        request, "desk_words.html", caller, table=table, tables=list(WordTable), q=q, rows=rows,
        total=total, number=number, pages=last_page(total, PAGE), names=_names(service),
    )  # fmt: skip


@router.get("/versions")
@allow(Role.EXPERT)
@page
async def versions(
    request: Request,
    caller: Caller,
    service: TheService,
    old: VersionName = "",
    new: VersionName = "",
    done: Text = "",
) -> Response:
    settings = service.proposals.settings
    found = history.versions(settings, service.store, caller.tenant)
    codes: TableDiff | None = None
    words: list[Edit] = []
    if old and new:
        codes, words = await asyncio.to_thread(history.differences, settings, old, new)
    return render(
        request, "desk_versions.html", caller, versions=found, old=old, new=new, codes=codes,
        words=[(table, list(rows)) for table, rows in groupby(words, lambda one: one.table)],
        MAX_DIFF=MAX_DIFF, done=done, names=_names(service), outdated=settings.outdated(),
        left_out={one.id: rows for one in found if (rows := history.left_out(settings, one))},
    )  # fmt: skip


@router.post("/versions/rebase")
@allow(Role.ADMIN)
@page
async def rebase(request: Request, caller: Caller, service: TheService) -> Response:
    settings = service.proposals.settings
    info = await service.change(history.rebase, settings, service.store, caller)
    return redirect(request, "/desk/versions", **({"done": info.id} if info else {}))


@router.post("/versions/rollback")
@allow(Role.ADMIN)
@page
async def roll_back(
    request: Request,
    caller: Caller,
    service: TheService,
    to: Annotated[str, Form(max_length=60)],
) -> Response:
    settings = service.proposals.settings
    info = await service.change(history.roll_back, settings, service.store, caller, to)
    return redirect(request, "/desk/versions", done=info.id)


def _names(service: Service) -> dict[str, str]:
    """Code → name, for rows that hold codes."""
    return {code.code: code.name for code in service.assistant.kb.taxonomy}
