"""`invoicer appeals …`: what enterprises contest, and answering it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from invoicer.access.principals import Principal
from invoicer.cli_options import (
    DueOption,
    JsonOption,
    Login,
    PageOption,
    Password,
    TenantOption,
    open_store,
    print_json,
    print_list,
    signed_in,
    store_of,
)
from invoicer.cli_panel import panel_of
from invoicer.console import friendly_errors, out
from invoicer.review import appeals, attachments
from invoicer.review.appeal_desk import AppealDesk
from invoicer.review.appeals import AppealState

app = typer.Typer(no_args_is_help=True)
AppealArgument = Annotated[str, typer.Argument(metavar="APPEAL", help="申诉编号,见 appeals list")]
AnswerOption = Annotated[str, typer.Option("--answer", help="答复的理由")]


@app.command("list")
def list_appeals(
    tenant: TenantOption,
    state: Annotated[str, typer.Option(help="received、referred、upheld 或 rejected")] = "",
    due: DueOption = None,
    page: PageOption = 1,
    as_json: JsonOption = False,
) -> None:
    """列出申诉:在办的按期限在前。"""
    with friendly_errors():
        total, found = appeals.search(store_of(tenant), tenant, state, page, due)
    columns = {
        "申诉": lambda appeal: appeal["id"],
        "名称": lambda appeal: appeal["line"]["name"],
        "争议编码": lambda appeal: appeal["contested_code"],
        "状态": lambda appeal: AppealState(appeal["state"]).label,
        "期限": lambda appeal: appeal["due_on"],
        "裁定": lambda appeal: appeal["ruling"],
    }
    print_list(total, found, columns, as_json)


@app.command()
def show(appeal: AppealArgument, tenant: TenantOption) -> None:
    """显示一项申诉及其附件,JSON。"""
    with friendly_errors():
        store = store_of(tenant)
        found = appeals.find(store, tenant, appeal)
        print_json({**found, "attachments": attachments.of_appeal(store, found)})


@app.command()
def uphold(
    appeal: AppealArgument,
    login: Login,
    password: Password,
    answer: AnswerOption,
    code: Annotated[str, typer.Option(help="改定的编码;只争议税率时为原编码")],
) -> None:
    """异议成立:改定编码。"""
    _answer(login, password, lambda desk, me: desk.uphold(me, appeal, code, answer))


@app.command()
def reject(appeal: AppealArgument, login: Login, password: Password, answer: AnswerOption) -> None:
    """维持原判。"""
    _answer(login, password, lambda desk, me: desk.reject(me, appeal, answer))


@app.command()
def refer(appeal: AppealArgument, login: Login, password: Password, answer: AnswerOption) -> None:
    """提交编审委员会。"""
    _answer(login, password, lambda desk, me: desk.refer(me, appeal, answer))


def _answer(
    login: str, password: str, act: Callable[[AppealDesk, Principal], dict[str, Any]]
) -> None:
    with friendly_errors():
        store = open_store()
        with signed_in(store, login, password) as me:
            panel, assistant = panel_of(store)
            done = act(AppealDesk(panel, lambda: assistant), me)
    state = AppealState(done["state"]).label
    out.print(f"{state} {done['panel_case'] or ''}".rstrip(), highlight=False)
