"""`invoicer review …`: putting lines into the review queue, and looking at it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table as RichTable

from invoicer.access import tenants
from invoicer.assistant import Assistant
from invoicer.columns import fields_of, recognise
from invoicer.console import DONE, SOME_FAILED, err, friendly_errors, out
from invoicer.errors import LineError
from invoicer.line import InvoiceLine
from invoicer.readers import read_table
from invoicer.review import inbox
from invoicer.review.items import identity, item_of
from invoicer.review.memory import settled
from invoicer.review.queue import Filter, Queue
from invoicer.review.second_look import held_items
from invoicer.review.states import State
from invoicer.settings import Settings
from invoicer.store import Store
from invoicer.suggestion import Tier
from invoicer.table import Table

review_app = typer.Typer(no_args_is_help=True)
CHUNK, MAX_LISTED, NAME_WIDTH, ID_WIDTH = 512, 20, 40, 27
TenantOption = Annotated[str, typer.Option("--tenant", help="租户")]


@review_app.command("add")
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="商品行的表格")],
    tenant: TenantOption,
    strong: Annotated[bool, typer.Option("--strong", help="强档的行也加入")] = False,
) -> None:
    """给表格的每一行赋码,把中、弱档的行加入审核队列;已有裁定或决定的不再加入。"""
    with friendly_errors():
        store = Store.open(Settings().database)
        tenants.require(store, tenant)
        table = read_table(file)
        lines, failed = _lines(table)
        assistant = Assistant.load()
        counts: Counter[str] = Counter()
        for start in range(0, len(lines), CHUNK):
            counts += _add(store, assistant, tenant, lines[start : start + CHUNK], strong)
    out.print(
        f"{len(lines)} 行:{counts['added']} 行加入审核,{counts['strong']} 行为强档,"
        f"{counts['known']} 行已有裁定或决定"
    )
    raise typer.Exit(SOME_FAILED if failed else DONE)


def _lines(table: Table) -> tuple[list[InvoiceLine], int]:
    """The lines of a table, and how many rows are none; those are told on standard error."""
    places = recognise(table.header)
    lines, failed = [], 0
    for number, cells in enumerate(table.rows, table.first_row):
        try:
            lines.append(InvoiceLine.from_fields(fields_of(cells, places)))
        except LineError as error:
            failed += 1
            if failed <= MAX_LISTED:
                field = error.context.get("field", "")
                err.print(f"第 {number} 行 {field}: {error.message}", highlight=False)
    return lines, failed


def _add(
    store: Store, assistant: Assistant, tenant: str, lines: list[InvoiceLine], strong: bool
) -> Counter[str]:
    """Put what is uncertain and undecided into the queue; returns what became of the lines."""
    asked = [identity(tenant, line, assistant.rate_table) for line in lines]
    counts: Counter[str] = Counter()
    items = []
    found = settled(store, tenant, lines, asked)
    for line, who, known, suggestion in zip(
        lines, asked, found, assistant.suggest(lines), strict=True
    ):
        if known is not None:
            counts["known"] += 1
        elif suggestion.tier is Tier.STRONG and not strong:
            counts["strong"] += 1
        else:
            counts["added"] += 1
            items.append(item_of(tenant, line, suggestion, who))
    inbox.add(store, items)
    return counts


@review_app.command("list")
def list_items(
    tenant: TenantOption,
    state: Annotated[State, typer.Option(help="状态")] = State.OPEN,
    tier: Annotated[Tier | None, typer.Option(help="档位")] = None,
    text: Annotated[str, typer.Option(help="名称包含")] = "",
    page: Annotated[int, typer.Option(min=1, help="第几页")] = 1,
) -> None:
    """列出审核项,最紧急的在前。"""
    with friendly_errors():
        store = Store.open(Settings().database)
        tenants.require(store, tenant)
        only = Filter(tier=tier.value if tier else "", state=state.value, text=text)
        total, items = Queue(store).search(tenant, only, page)
    table = _table("名称", "档位", "建议", "次数", "决定")
    for item in items:
        table.add_row(item["id"], _name(item), Tier(item["tier"]).label, _suggested(item),
                      str(item["times"]), item["code"] or "")  # fmt: skip
    out.print(table)
    out.print(f"共 {total} 项({state.label})")


@review_app.command("held")
def list_held(
    tenant: Annotated[str | None, typer.Option("--tenant", help="只看这个租户")] = None,
) -> None:
    """列出存疑的决定:等待第二人确认,之前不用于训练。"""
    with friendly_errors():
        items = held_items(Store.open(Settings().database), tenant)
    table = _table("租户", "名称", "建议", "存疑的原因")
    for item in items:
        table.add_row(item["id"], item["tenant"], _name(item), _suggested(item), item["held"])
    out.print(table)
    out.print(f"共 {len(items)} 项")


def _table(*titles: str) -> RichTable:
    """A table whose first column, the item's id, is never cut; what is long is folded."""
    table = RichTable(box=None, padding=(0, 1))
    table.add_column("编号", no_wrap=True, min_width=ID_WIDTH)
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _name(item: dict[str, Any]) -> str:
    return str(item["line"]["name"])[:NAME_WIDTH]


def _suggested(item: dict[str, Any]) -> str:
    top = item["suggestion"]["candidates"][0]
    return f"{top['short_name']} {top['name']}"
