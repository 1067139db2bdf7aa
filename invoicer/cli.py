"""The command line: classify, explain, evaluate, train, bench, kb."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from invoicer import (
    cli_access,
    cli_appeals,
    cli_desk,
    cli_kb,
    cli_learn,
    cli_model,
    cli_panel,
    cli_recode,
    cli_review,
    cli_rulings,
)
from invoicer.assistant import Assistant
from invoicer.batch import Defaults, Memory, answer_rows
from invoicer.columns import recognise
from invoicer.console import DONE, SOME_FAILED, err, friendly_errors, out
from invoicer.errors import InputError
from invoicer.line import InvoiceLine, parse_date
from invoicer.readers import SUFFIXES, read_lines, read_table
from invoicer.settings import Settings
from invoicer.show import print_explanation, print_marks, print_rates, print_suggestion
from invoicer.suggestion import OUTPUT_COLUMNS, PREFERENCE, RATES_COLUMN
from invoicer.table import Table, whole_characters
from invoicer.writers import FORMATS, open_writer
from knowledge_base.preferences import TargetSystem, UnknownSystemError
from knowledge_base.rate_advice import TaxpayerType

app = typer.Typer(
    help="发票商品税收分类编码助手", no_args_is_help=True, pretty_exceptions_enable=False
)
cli_kb.app.add_typer(cli_desk.app)
app.add_typer(cli_kb.app, name="kb", help="知识库:查询、导入、版本、提案")
app.add_typer(cli_access.tenants_app, name="tenants", help="租户:新建、导出、清除")
app.add_typer(cli_access.keys_app, name="keys", help="API 密钥:新建、列出、吊销")
app.add_typer(cli_access.users_app, name="users", help="用户:新建、列出、改密码、停用")
app.add_typer(cli_access.webhooks_app, name="webhooks", help="回调:新建、列出、删除")
app.add_typer(cli_access.db_app, name="db", help="数据库:备份、恢复、检查、管理记录")
app.add_typer(cli_learn.models_app, name="models", help="模型版本:列出、切换、退回")
app.add_typer(cli_review.review_app, name="review", help="审核队列:加入、列出、存疑的决定")
app.add_typer(cli_rulings.app, name="rulings", help="裁定:列出、查找、影响的以往各行")
app.add_typer(cli_panel.app, name="panel", help="编审委员会:案件、表决、出具裁定")
app.add_typer(cli_appeals.app, name="appeals", help="异议申诉:列出、查看、答复")
MAX_LISTED = 20
TenantOption = Annotated[
    str, typer.Option("--tenant", help="按该租户的决定与裁定答复;省略时只用对全部适用的")
]


class Format(StrEnum):
    jsonl = "jsonl"
    csv = "csv"
    xlsx = "xlsx"


def load_assistant() -> Assistant:
    """The assistant; a first compilation shows its progress."""
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), console=err,
        transient=True, disable=not err.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task("加载模型", total=None)

        def show(stage: str, done: int, total: int) -> None:
            bar.update(task, description=f"首次使用,编译知识库({stage})", completed=done,
                       total=total)  # fmt: skip

        assistant = Assistant.load(progress=show)
    if told := Settings().outdated():
        err.print(told, style="yellow")
    return assistant


def memory_of(tenant: str) -> Memory | None:
    """What people have settled, as far as it holds for a tenant; None without a database."""
    database = Settings().database
    if not database.exists():
        if tenant:
            raise InputError(f"没有数据库 {database},租户“{tenant}”没有可用的决定")
        return None
    # Loaded where there is a database: without one the command starts faster.
    from invoicer.access import tenants
    from invoicer.review import memory
    from invoicer.store import Store

    if tenant:
        tenants.require(Store.open(database), tenant)
    return memory.Memory(database, tenant)


def _known(line: InvoiceLine, assistant: Assistant, memory: Memory | None) -> InvoiceLine:
    return line if memory is None else memory([line], assistant.rate_table)[0]


def _given_date(text: str | None) -> dt.date | None:
    return parse_date(text) if text else None


@app.command()
def classify(
    source: Annotated[
        str, typer.Argument(metavar="INPUT", help="商品名称、文件或 -(每行一个名称)")
    ],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="输出文件")] = None,
    form: Annotated[Format | None, typer.Option("--format", help="输出格式")] = None,
    on: Annotated[str | None, typer.Option("--on", help="没有日期的行按此日期判断")] = None,
    taxpayer: Annotated[TaxpayerType | None, typer.Option(help="纳税人类型")] = None,
    seller_industry: Annotated[str, typer.Option(help="销售方名称或行业")] = "",
    answer: Annotated[str, typer.Option(help="对提问的回答:选项文字或序号,多项用 ; 隔开")] = "",
    rates: Annotated[bool, typer.Option("--rates", help="列出所有可能适用的税率")] = False,
    marks: Annotated[str, typer.Option(metavar="SYSTEM", help="加上目标系统的优惠标识列")] = "",
    tenant: TenantOption = "",
) -> None:
    """给商品名称或表格的每一行赋码。"""
    with friendly_errors():
        defaults = Defaults(_given_date(on), taxpayer, seller_industry, answer)
        source = whole_characters(source)
        system = _target_system(marks) if marks else None
        table = _table_of(source)
        memory = memory_of(tenant)
        if table is None and output is None and form is None and out.is_terminal:
            line = defaults.complete(InvoiceLine.from_fields({"name": source}))
            assistant = load_assistant()
            suggestion = assistant.suggest(_known(line, assistant, memory))
            print_suggestion(out, source, suggestion)
            if rates:
                print_rates(out, suggestion.rates)
            if system is not None:
                print_marks(out, system.cells(suggestion.preference))
            return
        table = table or Table(["name"], iter([[source]]), 1, first_row=1)
        raise typer.Exit(_classify_table(table, output, form, defaults, rates, system, memory))


def _table_of(source: str) -> Table | None:
    """The table a source stands for; None where it is a product name."""
    if source == "-":
        return read_lines()
    if Path(source).suffix.lower() in SUFFIXES or os.path.exists(source):
        return read_table(Path(source))
    return None


def _target_system(name: str) -> TargetSystem:
    try:
        return TargetSystem.load(name)
    except UnknownSystemError as error:
        raise InputError(str(error)) from None


def _classify_table(
    table: Table,
    output: Path | None,
    form: Format | None,
    defaults: Defaults,
    rates: bool,
    system: TargetSystem | None,
    memory: Memory | None,
) -> int:
    columns: tuple[str, ...] = (*OUTPUT_COLUMNS, RATES_COLUMN) if rates else OUTPUT_COLUMNS
    columns += tuple(system.columns) if system is not None else ()
    places = recognise(table.header)
    for note in table.notes:
        err.print(note, highlight=False)
    kind = form.value if form else (output.suffix.lower().lstrip(".") if output else "jsonl")
    if kind not in FORMATS:
        endings = " ".join(f".{name}" for name in FORMATS)
        raise InputError(f"输出文件请以 {endings} 结尾,或用 --format 指定")
    assistant = load_assistant()
    failed = done = listed = 0
    with (
        _progress(table.size, output) as advance,
        open_writer(output, kind, table.header, columns) as write,
    ):
        for number, row in enumerate(
            answer_rows(assistant, table.rows, places, defaults, memory=memory), table.first_row
        ):
            cells = system.cells(row.answer[PREFERENCE]) if system is not None else {}
            write(row.cells, {**row.answer, **cells})
            done += 1
            advance()
            if row.error:
                failed += 1
            for message in (row.error, *row.warnings):
                listed += bool(message)
                if message and listed <= MAX_LISTED:
                    err.print(f"第 {number} 行 {message}", highlight=False)
    if listed > MAX_LISTED:
        err.print(f"另有 {listed - MAX_LISTED} 条提示未列出", highlight=False)
    sys.stdout.flush()
    if failed:
        err.print(f"{done} 行中有 {failed} 行未能赋码,已在 error 列注明")
    elif output:
        err.print(f"已完成 {done} 行 → {output}")
    return SOME_FAILED if failed else DONE


@contextmanager
def _progress(size: int | None, output: Path | None) -> Iterator[Callable[[], None]]:
    with Progress(
        SpinnerColumn(), TextColumn("赋码"), MofNCompleteColumn(), TextColumn("{task.speed} 行/秒"),
        console=err, transient=True, disable=output is None or not err.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task("", total=size)
        yield lambda: bar.advance(task)


@app.command()
def explain(
    name: Annotated[str, typer.Argument(help="商品名称")],
    spec: Annotated[str, typer.Option(help="规格型号")] = "",
    unit: Annotated[str, typer.Option(help="单位")] = "",
    brand: Annotated[str, typer.Option(help="品牌")] = "",
    manufacturer: Annotated[str, typer.Option(help="生产厂家")] = "",
    seller_industry: Annotated[str, typer.Option(help="销售方名称或行业")] = "",
    on: Annotated[str | None, typer.Option("--on", help="开票日期")] = None,
    tenant: TenantOption = "",
) -> None:
    """逐步说明一个名称是怎样读、怎样匹配、怎样定级的。"""
    with friendly_errors():
        memory = memory_of(tenant)
        assistant = load_assistant()
        line = InvoiceLine.from_fields(
            {
                "name": name,
                "spec": spec,
                "unit": unit,
                "brand": brand,
                "manufacturer": manufacturer,
                "seller_industry": seller_industry,
                "date": on or "",
            }
        )
        line = _known(line, assistant, memory)
        ((query, match),) = assistant.match([line])
        codes = assistant.matcher.compiled.index.codes
        print_explanation(out, query, match, assistant.kb.taxonomy, codes)
        out.print("结论", style="bold")
        print_suggestion(out, name, assistant.suggest(line))


app.command()(cli_recode.recode)
app.command()(cli_model.evaluate)
app.command()(cli_model.train)
app.command()(cli_learn.retrain)
app.command()(cli_model.bench)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
