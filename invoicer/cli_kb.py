"""`invoicer kb …`: looking things up in the knowledge base, and its code-table versions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from invoicer.console import err, out
from invoicer.desk.rules import rules_of_today
from invoicer.errors import InputError
from invoicer.line import parse_date, today
from invoicer.settings import Settings
from invoicer.show import print_code, print_codes, print_diff, print_edits, print_findings
from knowledge_base import KnowledgeBase
from knowledge_base.official.successors import stale_rows
from knowledge_base.official.table import OfficialTableError
from knowledge_base.taxonomy import TaxCode

app = typer.Typer(no_args_is_help=True)


def _current() -> KnowledgeBase:
    return Settings().knowledge_base()


@contextmanager
def _table_errors() -> Iterator[None]:
    """Errors of an official table or a version as one line and exit code 2."""
    try:
        yield
    except (OfficialTableError, InputError) as error:
        err.print(f"错误:{error.message}", style="red")
        raise typer.Exit(2) from None


@app.command()
def search(
    word: Annotated[str, typer.Argument(help="名称、关键字、俗名或编码开头")],
    limit: Annotated[int, typer.Option(help="最多条数")] = 20,
    on: Annotated[str | None, typer.Option("--on", help="按此日期的编码表")] = None,
) -> None:
    """按名称、关键字、俗名或编码查找可开票的编码。"""
    try:
        day = (parse_date(on) if on else None) or today()
    except InputError as error:
        err.print(f"错误:{error.message}", style="red")
        raise typer.Exit(2) from None
    kb = _current()
    found = {c.code: c for c in kb.taxonomy.search(word, day, limit)}
    for code, name in kb.lexicon.everyday_names():
        if len(found) >= limit:
            break
        if word in name and code not in found and kb.taxonomy[code].is_valid_on(day):
            found[code] = kb.taxonomy[code]
    if not found:
        err.print(f"没有找到“{word}”", markup=False)
        raise typer.Exit(1)
    print_codes(out, list(found.values()))


@app.command()
def show(code: Annotated[str, typer.Argument(help="19 位税收分类编码")]) -> None:
    """显示一个编码:层级、关键字、包括与不包括、税率、俗名。"""
    kb = _current()
    row: TaxCode | None = kb.taxonomy.get(code)
    if row is None:
        near = [c for c in kb.taxonomy if c.code.startswith(code.rstrip("0") or code)][:5]
        hint = ";相近的编码:" + "、".join(f"{c.code} {c.name}" for c in near) if near else ""
        err.print(f"编码表中没有 {code}{hint}", markup=False)
        raise typer.Exit(2)
    names = [name for owner, name in kb.lexicon.everyday_names() if owner == code]
    print_code(out, row, kb.taxonomy, names)


@app.command("import")
def import_table(
    file: Annotated[Path, typer.Argument(help="税务机关的编码表:XML、XLS、XLSX 或 JSON")],
    effective: Annotated[str | None, typer.Option(help="启用日期,文件中没有写明时必填")] = None,
) -> None:
    """导入新的官方编码表:先检查,再整体切换;失败时不留痕迹。"""
    with _table_errors():
        report = (
            Settings().version_store().install(file, parse_date(effective) if effective else None)
        )
    print_findings(out, report.findings)
    out.print(report.message)
    if report.status == "refused":
        raise typer.Exit(2)
    if report.diff is not None:
        out.print(report.diff.summary())
    stale = stale_rows(_current())
    if stale:
        out.print(f"知识库中有 {len(stale)} 行指向已停用或不存在的编码:")
    for row in stale[:20]:
        successors = "、".join(f"{s.code} {s.name}" for s in row.successors[:3]) or "无建议"
        out.print(f"  {row.table}.csv 第 {row.line} 行 {row.term} {row.code} → {successors}")


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="旧版本,见 kb versions")],
    new: Annotated[str, typer.Argument(help="新版本")],
    limit: Annotated[int, typer.Option(help="每类最多列出条数")] = 20,
) -> None:
    """比较两个已安装的版本:编码的新增、停用、改名、简称、税率、关键字,以及词表的修改。"""
    with _table_errors():
        store = Settings().version_store()
        print_diff(out, store.diff(old, new), limit)
        print_edits(out, store.word_diff(old, new), limit)


@app.command()
def versions() -> None:
    """列出编码表与词表的各版本,* 为当前使用的版本。"""
    with _table_errors():
        for info in Settings().version_store().versions():
            mark = "*" if info.is_current else " "
            out.print(f"{mark} {info.id}  启用 {info.effective}  {info.title}")
    if told := Settings().outdated():
        err.print(told, style="yellow")


@app.command()
def rebase(limit: Annotated[int, typer.Option(help="最多列出条数")] = 20) -> None:
    """程序更新后,把已有的导入与修改放到新随附的表上;未能沿用的逐条列出。"""
    with _table_errors():
        store = Settings().version_store()
        info = store.rebase(rules_of_today)
    if info is None:
        out.print("现用版本已以程序随附的表为基础,没有改动")
        return
    out.print(f"当前版本 {info.id}:{info.title}")
    print_edits(out, store.left_out(info.id), limit)


@app.command()
def rollback(
    to: Annotated[str | None, typer.Argument(help="版本;省略为上一个版本")] = None,
) -> None:
    """切换回以前的版本。"""
    with _table_errors():
        info = Settings().version_store().rollback(to)
    out.print(f"当前版本 {info.id},启用 {info.effective}")
