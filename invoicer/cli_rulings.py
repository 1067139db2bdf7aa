"""`invoicer rulings …`: what the expert panel has ruled, and the earlier lines it affects."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import typer

from invoicer.cli_options import (
    AnyTenant,
    JsonOption,
    PageOption,
    open_store,
    print_json,
    print_list,
)
from invoicer.console import friendly_errors, out
from invoicer.line import parse_date
from invoicer.review import rulings
from invoicer.review.affected import affected
from invoicer.review.rulings import Ruling

app = typer.Typer(no_args_is_help=True)
OnOption = Annotated[str | None, typer.Option("--on", help="只看该日适用的")]
Number = Annotated[str, typer.Argument(help="编号,如 裁定2026-0001")]
SOURCES = {"decided": "已定", "feedback": "已打印"}


@app.command("list")
def list_rulings(
    tenant: AnyTenant = None,
    on: OnOption = None,
    code: Annotated[str, typer.Option(help="编码的开头")] = "",
    page: PageOption = 1,
    as_json: JsonOption = False,
) -> None:
    """列出裁定,新的在前。"""
    _print(tenant, "", code, on, page, as_json)


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="名称、正文或编号中包含")],
    tenant: AnyTenant = None,
    on: OnOption = None,
    page: PageOption = 1,
    as_json: JsonOption = False,
) -> None:
    """按名称、正文或编号查裁定。"""
    _print(tenant, text, "", on, page, as_json)


@app.command()
def show(number: Number, tenant: AnyTenant = None, as_json: JsonOption = False) -> None:
    """显示一项裁定的全文。"""
    with friendly_errors():
        ruling = rulings.find(open_store(), tenant, number)
    if as_json:
        print_json(ruling.to_dict())
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


@app.command("affected")
def show_affected(number: Number, tenant: AnyTenant = None, as_json: JsonOption = False) -> None:
    """列出裁定影响的以往各行:同一名称、另一编码。"""
    with friendly_errors():
        store = open_store()
        rows = affected(store, rulings.find(store, tenant, number), tenant)
    columns = {
        "租户": lambda row: row["tenant"],
        "来源": lambda row: SOURCES[row["source"]],
        "名称": lambda row: row["line"]["name"],
        "编码": lambda row: row["code"],
        "日期": lambda row: row["date"],
        "适用": lambda row: "是" if row["applies"] else "否",
    }
    print_list(len(rows), rows, columns, as_json)


def _print(
    tenant: str | None, text: str, code: str, on: str | None, page: int, as_json: bool
) -> None:
    with friendly_errors():
        day = parse_date(on or "")
        total, found = rulings.search(open_store(), tenant, text, code=code, on=day, page=page)
    by_number = {one.number: one for one in found}

    def of(row: dict[str, Any]) -> Ruling:
        return by_number[row["number"]]

    columns = {
        "编号": lambda row: row["number"],
        "名称": lambda row: of(row).subject.title,
        "编码": lambda row: row["code"],
        "适用范围": lambda row: of(row).reach,
        "适用期间": lambda row: _period(of(row)),
    }
    print_list(total, [one.to_dict() for one in found], columns, as_json)


def _period(ruling: Ruling) -> str:
    end = ruling.ends_on - dt.timedelta(days=1) if ruling.ends_on else None
    return f"{ruling.effective_on} 起" + (f",至 {end}" if end else "")
