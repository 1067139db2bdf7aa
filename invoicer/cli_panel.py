"""`invoicer panel …`: cases of the expert panel, voting, counting and ruling."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from invoicer.assistant import Assistant
from invoicer.cli_options import (
    DueOption,
    JsonOption,
    Login,
    PageOption,
    Password,
    TenantOption,
    open_store,
    operator,
    print_json,
    print_list,
    signed_in,
    store_of,
)
from invoicer.console import friendly_errors, out
from invoicer.errors import InputError
from invoicer.line import parse_date, today
from invoicer.review import cases, rulings
from invoicer.review.case_evidence import published
from invoicer.review.cases import UNCODABLE, CaseState
from invoicer.review.decisions import Decisions
from invoicer.review.issuing import Draft
from invoicer.review.panel import Panel
from invoicer.review.queue import Queue
from invoicer.review.rules import ReviewRules
from invoicer.review.states import Versions
from invoicer.store import Store

app = typer.Typer(no_args_is_help=True)
CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="案件编号,见 panel list")]


def panel_of(store: Store) -> tuple[Panel, Assistant]:
    """What acts on cases, with the code table that is in use, and who answers."""
    assistant = Assistant.load()
    decisions = Decisions(Queue(store, ReviewRules.load()), assistant.is_usable)
    return Panel(decisions), assistant


@app.command("list")
def list_cases(
    tenant: TenantOption,
    state: Annotated[str, typer.Option(help="voting、counted 或 closed")] = "",
    due: DueOption = None,
    page: PageOption = 1,
    as_json: JsonOption = False,
) -> None:
    """列出案件:在办的按期限在前。"""
    with friendly_errors():
        total, found = cases.search(store_of(tenant), tenant, state, page, due)
    columns = {
        "案件": lambda case: case["id"],
        "名称": lambda case: case["line"]["name"],
        "状态": lambda case: CaseState(case["state"]).label,
        "已投": lambda case: str(case["votes"]),
        "期限": lambda case: case["deadline"][:10],
        "裁定": lambda case: case["ruling"],
        "说明": lambda case: case["note"],
    }
    print_list(total, found, columns, as_json)


@app.command()
def show(case: CaseArgument, login: Login, password: Password) -> None:
    """显示一个案件的材料和本人的票,JSON;他人的票在表决结束前不显示。"""
    with friendly_errors():
        store = open_store()
        with signed_in(store, login, password) as me:
            found = published(store, Assistant.load(), me, case)
    print_json(found)


@app.command("open")
def open_case(
    item: Annotated[str, typer.Argument(help="审核项编号")],
    tenant: TenantOption,
    why: Annotated[str, typer.Option(help="提交的理由")],
) -> None:
    """把一个审核项提交编审委员会。"""
    with friendly_errors():
        store = open_store()
        me = operator(store, tenant)
        case = panel_of(store)[0].open_item(me, item, why)
    out.print(case["id"], highlight=False)


@app.command()
def vote(
    case: CaseArgument,
    login: Login,
    password: Password,
    why: Annotated[str, typer.Option(help="理由")],
    code: Annotated[str, typer.Option(help="编码")] = "",
    none: Annotated[bool, typer.Option("--none", help="无码可选")] = False,
) -> None:
    """投票,或在表决结束前改投;他人看不到。"""
    with friendly_errors():
        if bool(code) == none:
            raise InputError("请给出 --code 编码,或用 --none 表示无码可选")
        store = open_store()
        with signed_in(store, login, password) as me:
            done = panel_of(store)[0].vote(me, case, UNCODABLE if none else code, why)
    _print_state(done)


@app.command()
def count(
    case: CaseArgument,
    login: Login,
    password: Password,
    why: Annotated[str, typer.Option(help="未形成多数时的说明")] = "",
) -> None:
    """期满计票(主任委员);未达法定人数或多数时案件继续。"""
    with friendly_errors():
        store = open_store()
        with signed_in(store, login, password) as me:
            done = panel_of(store)[0].count(me, case, why)
    _print_state(done)


@app.command()
def rule(
    case: CaseArgument,
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
        store = open_store()
        draft = Draft(
            _text(text), scope, parse_date(effective or "") or today(), industry, with_spec,
            with_unit, rate_note, supersedes,
        )  # fmt: skip
        me = operator(store, tenant)
        panel, assistant = panel_of(store)
        versions = Versions(assistant.model_version, assistant.kb_version)
        ruling = panel.rule(me, case, draft, versions, upholds)
    out.print(ruling.number, highlight=False)


def _print_state(case: dict[str, object]) -> None:
    state = CaseState(str(case["state"])).label
    out.print(f"{state},已投 {case['votes']} 票 {case['note']}".rstrip(), highlight=False)


def _text(given: str) -> str:
    """The text itself, or what the file behind an @ holds."""
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"文件无法读取:{given[1:]},请给出 UTF-8 文本文件") from None
