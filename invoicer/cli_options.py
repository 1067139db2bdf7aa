"""What commands on the service's database share: options, whose act it is, printed lists."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.table import Table

from invoicer.access import audit, tenants, users
from invoicer.access.principals import Principal, Role
from invoicer.console import err, out
from invoicer.settings import Settings
from invoicer.store import Store

TenantOption = Annotated[str, typer.Option("--tenant", help="租户")]
AnyTenant = Annotated[str | None, typer.Option("--tenant", help="只看这个租户可见的")]
PageOption = Annotated[int, typer.Option("--page", min=1, help="第几页")]
JsonOption = Annotated[bool, typer.Option("--json", help="每行一个 JSON")]
DueOption = Annotated[
    int | None, typer.Option("--due", min=0, help="只看已逾期或几天内到期的;0 为今天")
]
Login = Annotated[str, typer.Option("--login", help="以谁的名义:网页登录名")]
Password = Annotated[
    str,
    typer.Option(prompt="密码", hide_input=True, envvar="INVOICER_PASSWORD", help="其密码"),
]
# Columns that are never cut short: they are copied into the next command.
WHOLE = ("案件", "申诉", "编号", "编码", "争议编码")


def open_store() -> Store:
    return Store.open(Settings().database)


def store_of(tenant: str) -> Store:
    """The database; raises where it does not know the tenant."""
    store = open_store()
    tenants.require(store, tenant)
    return store


def operator(store: Store, tenant: str) -> Principal:
    """Whoever has the command line on the machine, for a tenant."""
    tenants.require(store, tenant)
    return Principal(audit.OPERATOR, tenant, "命令行", Role.ADMIN)


@contextmanager
def signed_in(store: Store, login: str, password: str) -> Iterator[Principal]:
    """Acts are people's: who votes, proposes and accepts are told apart by their passwords."""
    me, token = users.sign_in(store, login, password)
    try:
        yield me
    finally:
        users.sign_out(store, token)


def print_json(*rows: dict[str, Any]) -> None:
    """One JSON object a line."""
    for row in rows:
        out.print(json.dumps(row, ensure_ascii=False), highlight=False)


def print_list(
    total: int,
    rows: Sequence[dict[str, Any]],
    columns: dict[str, Callable[[dict[str, Any]], str]],
    as_json: bool,
) -> None:
    """One page of a list, as JSON or as a table with how many there are in all.

    columns: title → the cell of a row.
    """
    if as_json:
        print_json(*rows)
        return
    table = Table(box=None, padding=(0, 1))
    for title in columns:
        table.add_column(title, no_wrap=title in WHOLE, overflow="fold")
    for row in rows:
        table.add_row(*(cell(row) for cell in columns.values()))
    out.print(table)
    err.print(f"共 {total} 项", highlight=False)
