"""The dashboard, and the page of jobs, which its script fills."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fastapi import APIRouter, Request, Response

from api.desk import lead_of
from api.security import Caller, TheService, allow
from api.service import Service
from api.web import charts
from api.web.pages import page, render
from invoicer.access.principals import Principal, Role
from invoicer.labels import ACTIONS
from invoicer.line import today
from invoicer.review import figures
from invoicer.suggestion import Tier

router = APIRouter(include_in_schema=False)
DAYS, WEEKS = 14, 12
WORK = ("decide", "vote", "settle", "send_back", "uncodable")
TIERS = {Tier.STRONG: "强（抽查）", Tier.MEDIUM: "中", Tier.WEAK: "弱"}


@router.get("/figures")
@allow(Role.REVIEWER)
@page
async def dashboard(request: Request, caller: Caller, service: TheService) -> Response:
    shown = await service.in_thread(_dashboard, service, caller)
    return render(request, "figures.html", caller, **shown)


def _dashboard(service: Service, caller: Principal) -> dict[str, Any]:
    store, tenant = service.store, caller.tenant
    taxonomy, rules = service.assistant.kb.taxonomy, service.queue.rules
    days = figures.days(store, tenant, DAYS)
    since = today() - dt.timedelta(weeks=WEEKS)
    in_slice = figures.judgements(store, tenant, since, rules.random_slice)
    strong = [one for one in in_slice if one.tier is Tier.STRONG]
    weeks = figures.by_week(store, tenant, since, taxonomy)
    labels = [f"{day.day:%m-%d}" for day in days]
    return dict(
        days=days, counts=service.queue.counts(tenant),
        n_days=DAYS, n_weeks=WEEKS, rules=rules, weeks=weeks, tiers=TIERS, work=WORK,
        automation=figures.automation(days),
        strong_codes=figures.right_codes(strong),
        strong_short_names=figures.right_short_names(strong, taxonomy),
        slice_short_names=figures.right_short_names(in_slice, taxonomy),
        agreement=figures.agreement(store, tenant, since),
        missing=figures.missing_names(store, tenant),
        names={c.code: c.name for c in taxonomy},
        work_labels=[ACTIONS[kind] for kind in WORK],
        work_chart=charts.stacked(
            labels, {ACTIONS[kind]: [day.acts[kind] for day in days] for kind in WORK}
        ),
        lines_chart=charts.stacked(
            labels, {tier.label: [day.lines[tier.value] for day in days] for tier in Tier}
        ),
        precision_chart=charts.shares(
            [f"{week:%m-%d}" for week in weeks],
            {
                label: [
                    (share.value, *share.interval, share.total) if share else None
                    for share in (week.get(tier) for week in weeks.values())
                ]
                for tier, label in TIERS.items()
            },
        ),
    )  # fmt: skip


@router.get("/figures/lead")
@allow(Role.EXPERT)
@page
async def lead(request: Request, caller: Caller, service: TheService) -> Response:
    sheets = await service.in_thread(lead_of(service, caller).sheets)
    return render(request, "lead.html", caller, sheets=sheets)


@router.get("/jobs")
@allow(Role.CLIENT)
@page
async def jobs(request: Request, caller: Caller, service: TheService) -> Response:
    return render(request, "jobs.html", caller, max_upload=service.settings.max_upload)
