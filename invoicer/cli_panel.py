"""`invoicer rulings …`, `panel …`, `appeals …`: what the expert panel ruled, its cases, appeals."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from invoicer.access import audit, tenants
from invoicer.access.principals import Principal, Role
from invoicer.assistant import Assistant
from invoicer.console import err, friendly_errors, out
from invoicer.errors import InputError
from invoicer.line import parse_date, today
from invoicer.review import appeals, attachments, cases, rulings
from invoicer.review.affected import affected
from invoicer.review.decisions import Decisions
from invoicer.review.issuing import Draft
from invoicer.review.panel import Panel
from invoicer.review.queue import Queue
from invoicer.review.rules import ReviewRules
from invoicer.review.rulings import Ruling
from invoicer.review.states import Versions
from invoicer.settings import Settings
from invoicer.store import Store

rulings_app = typer.Typer(no_args_is_help=True)
panel_app = typer.Typer(no_args_is_help=True)
appeals_app = typer.Typer(no_args_is_help=True)
TenantOption = Annotated[str, typer.Option("--tenant", help="租户")]
AnyTenant = Annotated[str | None, typer.Option("--tenant", help="只看这个租户可见的")]
PageOption = Annotated[int, typer.Option("--page", min=1, help="第几页")]
WHOLE = ("案件", "申诉", "编号", "编码", "争议编码")
JsonOption = Annotated[bool, typer.Option("--json", help="每行一个 JSON")]


def _store() -> Store:
    return Store.open(Settings().database)


def _operator(store: Store, tenant: str) -> Principal:
    """Whoever has the command line on the machine, for a tenant."""
    tenants.require(store, tenant)
    return Principal(audit.OPERATOR, tenant, "命令行", Role.ADMIN)


@rulings_app.command("list")
def list_rulings(
    tenant: AnyTenant = None,
    on: Annotated[str | None, typer.Option("--on", help="只看该日适用的")] = None,
    code: Annotated[str, typer.Option(help="编码的开头")] = "",
    page: PageOption = 1,
    as_json: JsonOption = False,
) -> None:
    """列出裁定,新的在前。"""
    with friendly_errors():
        _print_rulings(tenant, "", code, on, page, as_json)


@rulings_app.command("search")
def search_rulings(
    text: Annotated[str, typer.Argument(help="名称、正文或编号中包含")],
    tenant: AnyTenant = None,
    on: Annotated[str | None, typer.Option("--on", help="只看该日适用的")] = None,
    page: PageOption = 1,
    as_json: JsonOption = False,
) -> None:
    """按名称、正文或编号查裁定。"""
    with friendly_errors():
        _print_rulings(tenant, text, "", on, page, as_json)


@rulings_app.command("show")
def show_ruling(
    number: Annotated[str, typer.Argument(help="编号,如 裁定2026-0001")],
    tenant: AnyTenant = None,
    as_json: JsonOption = False,
) -> None:
    """显示一项裁定的全文。"""
    with friendly_errors():
        ruling = rulings.find(_store(), tenant, number)
    if as_json:
        _print_json(ruling.to_dict())
        return
    out.print(f"{ruling.number}  {ruling.subject.title}", style="bold")
    for title, value in (
        ("编码", ruling.code),
        ("税率说明", ruling.rate_note),
        ("适用范围", f"{ruling.reach}{' ' + ruling.tenant if ruling.tenant else ''}"),
        ("裁定日期", str(ruling.ruled_on)),
        ("适用期间", _period(ruling)),
        ("取代", ruling.supersedes),
        ("被取代", ruling.superseded_by),
        ("正文", ruling.text),
    ):
        if value:
            out.print(f"  {title}  {value}", highlight=False)


@rulings_app.command("affected")
def show_affected(
    number: Annotated[str, typer.Argument(help="编号")],
    tenant: AnyTenant = None,
    as_json: JsonOption = False,
) -> None:
    """列出裁定影响的以往各行:同一名称、另一编码。"""
    with friendly_errors():
        store = _store()
        rows = affected(store, rulings.find(store, tenant, number), tenant)
    if as_json:
        _print_json(*rows)
        return
    table = _table("租户", "来源", "名称", "编码", "日期", "适用")
    for row in rows:
        source = {"decided": "已定", "feedback": "已打印"}[row["source"]]
        table.add_row(row["tenant"], source, row["line"]["name"], row["code"], row["date"],
                      "是" if row["applies"] else "否")  # fmt: skip
    out.print(table)


@panel_app.command("list")
def list_cases(
    tenant: TenantOption,
    state: Annotated[str, typer.Option(help="voting、counted 或 closed")] = "",
    page: PageOption = 1,
    as_json: JsonOption = False,
) -> None:
    """列出案件:在办的按期限在前。"""
    with friendly_errors():
        store = _store()
        tenants.require(store, tenant)
        total, found = cases.search(store, tenant, state, page)
    if as_json:
        _print_json(*found)
        return
    table = _table("案件", "名称", "状态", "已投", "期限", "裁定", "说明")
    for case in found:
        table.add_row(case["id"], case["line"]["name"], cases.CaseState(case["state"]).label,
                      str(case["votes"]), case["deadline"][:10], case["ruling"],
                      case["note"])  # fmt: skip
    out.print(table)
    err.print(f"共 {total} 件", highlight=False)


@panel_app.command("open")
def open_case(
    item: Annotated[str, typer.Argument(help="审核项编号")],
    tenant: TenantOption,
    why: Annotated[str, typer.Option(help="提交的理由")],
) -> None:
    """把一个审核项提交编审委员会。"""
    with friendly_errors():
        store = _store()
        operator = _operator(store, tenant)
        decisions, _ = _decisions(store)
        case = Panel(decisions).open_item(operator, item, why)
    out.print(case["id"], highlight=False)


@panel_app.command("rule")
def rule(
    case: Annotated[str, typer.Argument(help="案件编号,须已有多数意见")],
    tenant: TenantOption,
    text: Annotated[str, typer.Option(help="正文,或 @文件")],
    scope: Annotated[rulings.Scope, typer.Option(help="适用范围")] = rulings.Scope.TENANT,
    industry: Annotated[str, typer.Option(help="行业门类 A–T")] = "",
    effective: Annotated[str | None, typer.Option(help="生效日期,省略为今天")] = None,
    with_spec: Annotated[bool, typer.Option("--with-spec", help="只适用于该规格")] = False,
    with_unit: Annotated[bool, typer.Option("--with-unit", help="只适用于该单位")] = False,
    rate_note: Annotated[str, typer.Option(help="税率说明")] = "",
    supersedes: Annotated[str, typer.Option(help="取代的裁定")] = "",
    upholds: Annotated[
        bool | None, typer.Option("--upholds/--rejects", help="只争议税率的申诉是否成立")
    ] = None,
) -> None:
    """出具裁定:即时编号,相关审核项和申诉随之办结。"""
    with friendly_errors():
        store = _store()
        draft = Draft(
            _text(text), scope, parse_date(effective or "") or today(), industry, with_spec,
            with_unit, rate_note, supersedes,
        )  # fmt: skip
        operator = _operator(store, tenant)
        decisions, versions = _decisions(store)
        ruling = Panel(decisions).rule(operator, case, draft, versions, upholds)
    out.print(ruling.number, highlight=False)


@appeals_app.command("list")
def list_appeals(
    tenant: TenantOption,
    state: Annotated[str, typer.Option(help="received、referred、upheld 或 rejected")] = "",
    page: PageOption = 1,
    as_json: JsonOption = False,
) -> None:
    """列出申诉:在办的按期限在前。"""
    with friendly_errors():
        store = _store()
        tenants.require(store, tenant)
        total, found = appeals.search(store, tenant, state, page)
    if as_json:
        _print_json(*found)
        return
    table = _table("申诉", "名称", "争议编码", "状态", "期限", "裁定")
    for appeal in found:
        table.add_row(appeal["id"], appeal["line"]["name"], appeal["contested_code"],
                      appeals.AppealState(appeal["state"]).label, appeal["due_on"],
                      appeal["ruling"])  # fmt: skip
    out.print(table)
    err.print(f"共 {total} 件", highlight=False)


@appeals_app.command("show")
def show_appeal(
    appeal: Annotated[str, typer.Argument(help="申诉编号")], tenant: TenantOption
) -> None:
    """显示一项申诉及其附件,JSON。"""
    with friendly_errors():
        store = _store()
        found = appeals.find(store, tenant, appeal)
        _print_json({**found, "attachments": attachments.of_appeal(store, found)})


def _decisions(store: Store) -> tuple[Decisions, Versions]:
    """What acts on items, with the code table that is in use, and the versions that answer."""
    assistant = Assistant.load()
    versions = Versions(assistant.model_version, assistant.kb_version)
    return Decisions(Queue(store, ReviewRules.load()), assistant.is_usable), versions


def _text(given: str) -> str:
    """The text itself, or what the file behind an @ holds."""
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"文件无法读取:{given[1:]},请给出 UTF-8 文本文件") from None


def _print_rulings(
    tenant: str | None, text: str, code: str, on: str | None, page: int, as_json: bool
) -> None:
    total, found = rulings.search(
        _store(), tenant, text, code=code, on=parse_date(on or ""), page=page
    )
    if as_json:
        _print_json(*(one.to_dict() for one in found))
        return
    table = _table("编号", "名称", "编码", "适用范围", "适用期间")
    for one in found:
        table.add_row(one.number, one.subject.title, one.code, one.reach, _period(one))
    out.print(table)
    err.print(f"共 {total} 项", highlight=False)


def _table(*titles: str) -> Table:
    """A table whose ids and codes are never cut short: they are copied into the next command."""
    table = Table(box=None, padding=(0, 1))
    for title in titles:
        table.add_column(title, no_wrap=title in WHOLE, overflow="fold")
    return table


def _period(ruling: Ruling) -> str:
    end = ruling.ends_on - dt.timedelta(days=1) if ruling.ends_on else None
    return f"{ruling.effective_on} 起" + (f",至 {end}" if end else "")


def _print_json(*rows: dict[str, Any]) -> None:
    for row in rows:
        out.print(json.dumps(row, ensure_ascii=False), highlight=False)
