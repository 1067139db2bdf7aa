"""`invoicer tenants …`, `keys …`, `users …`, `db …`: who may use the service, and its database."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from invoicer.access import audit, keys, tenants, users
from invoicer.access.principals import Role
from invoicer.console import err, friendly_errors, out
from invoicer.review import webhooks
from invoicer.settings import Settings
from invoicer.store import Store
from invoicer.store import backup as backups

tenants_app = typer.Typer(no_args_is_help=True)
keys_app = typer.Typer(no_args_is_help=True)
users_app = typer.Typer(no_args_is_help=True)
webhooks_app = typer.Typer(no_args_is_help=True)
db_app = typer.Typer(no_args_is_help=True)
TenantOption = Annotated[str, typer.Option("--tenant", help="租户")]
AnyTenant = Annotated[str | None, typer.Option("--tenant", help="只看这个租户")]


def _store() -> Store:
    return Store.open(Settings().database)


@tenants_app.command("create")
def create_tenant(
    tenant: Annotated[str, typer.Argument(help="小写字母、数字和连字符")],
    name: Annotated[str, typer.Option(help="显示名称")] = "",
    retention_days: Annotated[
        int | None, typer.Option(help="反馈、审核记录等的保存天数,省略为不删除")
    ] = None,
) -> None:
    """新建租户:数据按租户分开,互不可见。"""
    with friendly_errors():
        tenants.create(_store(), tenant, name, retention_days)
    out.print(f"已新建租户 {tenant}")


@tenants_app.command("list")
def list_tenants() -> None:
    """列出租户。"""
    with friendly_errors():
        rows = tenants.tenants(_store())
    _print_rows(rows, tenant="租户", name="名称", keys="密钥数", retention_days="保存天数",
                erased_at="已清除")  # fmt: skip


@tenants_app.command("export")
def export_tenant(
    tenant: Annotated[str, typer.Argument(help="租户")],
    output: Annotated[Path, typer.Option("-o", "--output", help="输出的 .jsonl 文件")],
) -> None:
    """导出一个租户的全部数据(不含密钥)。"""
    with friendly_errors():
        count = tenants.export(_store(), tenant, output)
    out.print(f"已导出 {count} 行 → {output}")


@tenants_app.command("erase")
def erase_tenant(
    tenant: Annotated[str, typer.Argument(help="租户")],
    yes: Annotated[bool, typer.Option("--yes", help="不再询问")] = False,
) -> None:
    """清除一个租户的全部数据和密钥;只保留管理操作记录。"""
    with friendly_errors():
        store = _store()
        tenants.require(store, tenant)
        if not yes:
            typer.confirm(f"将永久清除租户 {tenant} 的全部数据,继续?", abort=True)
        count = tenants.erase(store, tenant)
    out.print(f"已清除 {count} 行")


@keys_app.command("create")
def create_key(
    tenant: TenantOption,
    name: Annotated[str, typer.Option(help="调用它的系统")],
    role: Annotated[Role, typer.Option(help="角色")] = Role.CLIENT,
    review: Annotated[str, typer.Option(help="auto:中、弱的行默认进入审核队列;或 none")] = "none",
    lines_per_second: Annotated[float | None, typer.Option(help="每秒行数上限")] = None,
    days: Annotated[int | None, typer.Option(help="有效天数,省略为长期")] = None,
) -> None:
    """新建 API 密钥;全文只显示这一次。"""
    with friendly_errors():
        principal, text = keys.create(
            _store(), tenant, name, role, review=review, lines_per_second=lines_per_second,
            days=days,
        )  # fmt: skip
    err.print(f"已新建 {principal.id}({role.label},租户 {tenant})。密钥只显示这一次:")
    out.print(text, highlight=False)


@keys_app.command("list")
def list_keys(tenant: AnyTenant = None) -> None:
    """列出密钥(不含全文)。"""
    with friendly_errors():
        rows = keys.keys(_store(), tenant)
    _print_rows(rows, principal="密钥", tenant="租户", name="名称", role="角色", review="审核",
                lines_per_second="行/秒", expires_at="到期", disabled_at="已吊销")  # fmt: skip


@keys_app.command("revoke")
def revoke_key(key: Annotated[str, typer.Argument(help="密钥编号,见 keys list")]) -> None:
    """立即吊销一个密钥。"""
    with friendly_errors():
        keys.revoke(_store(), key)
    out.print("已吊销")


@users_app.command("add")
def add_user(
    login: Annotated[str, typer.Argument(help="用户名")],
    tenant: TenantOption,
    role: Annotated[Role, typer.Option(help="角色")] = Role.REVIEWER,
    name: Annotated[str, typer.Option(help="姓名")] = "",
) -> None:
    """新建用户;密码在提示后输入两遍。"""
    with friendly_errors():
        store = _store()
        tenants.require(store, tenant)
        password = typer.prompt("密码", hide_input=True, confirmation_prompt="再输一遍")
        principal = users.add(store, tenant, login, name, role, password)
    out.print(f"已新建用户 {login}({principal.role.label},租户 {tenant})")


@users_app.command("list")
def list_users(tenant: AnyTenant = None) -> None:
    """列出用户。"""
    with friendly_errors():
        rows = users.users(_store(), tenant)
    _print_rows(rows, login="用户名", tenant="租户", name="姓名", role="角色",
                locked_until="锁定至", disabled_at="已停用")  # fmt: skip


@users_app.command("password")
def change_password(login: Annotated[str, typer.Argument(help="用户名")]) -> None:
    """设新密码;已登录的会话随即结束。"""
    with friendly_errors():
        store = _store()
        password = typer.prompt("新密码", hide_input=True, confirmation_prompt="再输一遍")
        users.set_password(store, login, password)
    out.print("已更改")


@users_app.command("disable")
def disable_user(login: Annotated[str, typer.Argument(help="用户名")]) -> None:
    """立即停用一个用户。"""
    with friendly_errors():
        users.disable(_store(), login)
    out.print("已停用")


@webhooks_app.command("add")
def add_webhook(
    url: Annotated[str, typer.Argument(help="https 地址;主机须在 INVOICER_WEBHOOK_HOSTS 中")],
    tenant: TenantOption,
) -> None:
    """审核项已定、退回或无法赋码时回调该地址;签名密钥只显示这一次。"""
    with friendly_errors():
        ident, secret = webhooks.add(_store(), tenant, url, Settings().webhook_hosts)
    err.print(f"已新建 {ident}。签名密钥只显示这一次:")
    out.print(secret, highlight=False)


@webhooks_app.command("list")
def list_webhooks(tenant: AnyTenant = None) -> None:
    """列出回调地址、待发送和发送失败的数量。"""
    with friendly_errors():
        rows = webhooks.webhooks(_store(), tenant)
    _print_rows(rows, id="编号", tenant="租户", url="地址", waiting="待发送", failed="失败")


@webhooks_app.command("remove")
def remove_webhook(webhook: Annotated[str, typer.Argument(help="编号")]) -> None:
    """删除回调地址。"""
    with friendly_errors():
        webhooks.remove(_store(), webhook)
    out.print("已删除")


@db_app.command("backup")
def backup(file: Annotated[Path, typer.Argument(help="备份文件")]) -> None:
    """备份数据库;服务可以照常运行。"""
    # Closed at once: whoever restores next needs the file to itself.
    with friendly_errors(), closing(_store()) as store:
        backups.backup(store, file)
        audit.record(store, "", audit.OPERATOR, "db.backup", file.name)
    out.print(f"已备份 → {file}")


@db_app.command("restore")
def restore(file: Annotated[Path, typer.Argument(help="备份文件")]) -> None:
    """用备份替换数据库;请先停止服务。原数据库改名保留。"""
    with friendly_errors():
        kept = backups.restore(file, Settings().database)
        with closing(_store()) as store:
            audit.record(store, "", audit.OPERATOR, "db.restore", file.name)
    out.print(f"已恢复;原数据库保留为 {kept}" if kept else "已恢复")


@db_app.command("check")
def check() -> None:
    """检查数据库是否完好。"""
    with friendly_errors():
        applied = backups.check(Settings().database)
    out.print(f"完好,结构版本 {applied[-1]}")


@db_app.command("audit")
def show_audit(
    tenant: AnyTenant = None,
    limit: Annotated[int, typer.Option(help="最多条数")] = 50,
) -> None:
    """列出最近的管理操作,每行一个 JSON。"""
    with friendly_errors(), closing(_store()) as store:
        acts = audit.acts(store, tenant, limit)
    for act in acts:
        out.print(json.dumps(act, ensure_ascii=False), highlight=False)


def _print_rows(rows: list[dict[str, object]], **titles: str) -> None:
    table = Table(*titles.values(), box=None, padding=(0, 1))
    for row in rows:
        table.add_row(*("" if row[name] is None else str(row[name]) for name in titles))
    out.print(table)
