"""`invoicer kb …`: looking things up in the knowledge base."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from invoicer.line import parse_date, today
from invoicer.show import print_code, print_codes
from knowledge_base import KnowledgeBase
from knowledge_base.taxonomy import TaxCode

app = typer.Typer(no_args_is_help=True)
out = Console()
err = Console(stderr=True)


@app.command()
def search(
    word: Annotated[str, typer.Argument(help="名称、关键字、俗名或编码开头")],
    limit: Annotated[int, typer.Option(help="最多条数")] = 20,
    on: Annotated[str | None, typer.Option("--on", help="按此日期的编码表")] = None,
) -> None:
    """按名称、关键字、俗名或编码查找可开票的编码。"""
    kb = KnowledgeBase.load()
    day = (parse_date(on) if on else None) or today()
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
    kb = KnowledgeBase.load()
    row: TaxCode | None = kb.taxonomy.get(code)
    if row is None:
        near = [c for c in kb.taxonomy if c.code.startswith(code.rstrip("0") or code)][:5]
        hint = ";相近的编码:" + "、".join(f"{c.code} {c.name}" for c in near) if near else ""
        err.print(f"编码表中没有 {code}{hint}", markup=False)
        raise typer.Exit(2)
    names = [name for owner, name in kb.lexicon.everyday_names() if owner == code]
    print_code(out, row, kb.taxonomy, names)
