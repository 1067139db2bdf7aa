"""What experts see of a case: the name and its context, the codes in question, similar rulings."""

from __future__ import annotations

from typing import Any

from invoicer.access.principals import ForbiddenError, Principal, Role
from invoicer.assistant import Assistant
from invoicer.line import InvoiceLine
from invoicer.review import appeals, cases, rulings
from invoicer.review.details import notes_of
from invoicer.store import Store

_VOTE = ("name", "at", "code", "why")


def evidence(store: Store, assistant: Assistant, me: Principal, ident: str) -> dict[str, Any]:
    """A case with all that a vote is based on, and of the votes what I may see.

    opinions: what reviewers said of it, code and reason, without names and in no telling order.
    """
    if not me.role.includes(Role.EXPERT):
        raise ForbiddenError("案件由专家查看")
    case = cases.find(store, me.tenant, ident)
    line = InvoiceLine.from_fields(case["line"])
    opinions = _opinions(store, case)
    contested = appeals.of_case(store, ident)
    alike = rulings.similar(store, me.tenant, line.name)
    codes = [one["code"] for one in opinions]
    codes += [code for one in contested for code in (one["contested_code"], one["wanted_code"])]
    codes += [candidate["code"] for candidate in case["suggestion"]["candidates"]]
    for question in case["suggestion"]["questions"]:
        codes += [option["code"] for option in question["options"]]
    codes += [one.code for one in alike]
    votes = cases.votes(store, me, case)
    codes += [vote["code"] for vote in votes]
    return {
        "case": case,
        "opinions": opinions,
        "appeals": contested,
        "rulings": alike,
        "codes": notes_of(assistant, line, codes),
        "mine": next((vote for vote in votes if vote["principal"] == me.id), None),
        "votes": votes if case["state"] != cases.CaseState.VOTING else [],
        "history": cases.history(store, case),
    }


def row_of(case: dict[str, Any]) -> dict[str, Any]:
    """What lists show of a case: nothing of a vote but that it was cast."""
    shown = {name: case[name] for name in
             ("id", "state", "outcome", "why", "votes", "opened_at", "deadline", "note", "code",
              "ruling")}  # fmt: skip
    return {
        **shown,
        "item": case["item"] or "",
        "name": case["line"]["name"],
        "closed_at": case["closed_at"] or "",
    }


def published(store: Store, assistant: Assistant, me: Principal, ident: str) -> dict[str, Any]:
    """The evidence as plain values: what is handed to an expert's own tools."""
    known = evidence(store, assistant, me, ident)
    mine = known["mine"]
    return {
        **row_of(known["case"]),
        "line": known["case"]["line"],
        "opinions": known["opinions"],
        "codes": known["codes"],
        "rulings": [one.to_dict() for one in known["rulings"]],
        "appeals": [one["id"] for one in known["appeals"]],
        "mine": {name: mine[name] for name in _VOTE} if mine else None,
        "all_votes": [{name: vote[name] for name in _VOTE} for vote in known["votes"]],
        "history": known["history"],
    }


def _opinions(store: Store, case: dict[str, Any]) -> list[dict[str, str]]:
    """Codes and reasons of the reviewers' votes on the item, sorted by code alone."""
    if not case["item"]:
        return []
    return [
        {"code": row["code"], "why": row["why"]}
        for row in store.rows(
            "select code, why from review_votes where item = ? order by code, why", [case["item"]]
        )
    ]
