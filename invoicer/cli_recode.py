"""`invoicer recode`: re-coding a history of invoices."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from invoicer.assistant import Assistant
from invoicer.batch import Defaults
from invoicer.columns import given_columns
from invoicer.console import DONE, SOME_FAILED, err, friendly_errors, out
from invoicer.errors import InputError
from invoicer.line import parse_date
from invoicer.recode.findings import Finding
from invoicer.recode.options import DEFAULT_TENANT, Options
from invoicer.recode.pipeline import Outcome, Run
from invoicer.recode.progress import Progress, Stage
from invoicer.recode.tally import LINES, OVER_HIGH, UNDER_HIGH
from knowledge_base.rate_advice import TaxpayerType


class Engine(StrEnum):
    LOCAL = "local"
    SPARK = "spark"


def recode(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="文件、文件夹或通配符")],
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="PATH", help="输出:.csv .jsonl .xlsx .parquet"),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="另写一份 HTML 报告")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="继续上次中断的任务")] = False,
    template: Annotated[
        Path | None, typer.Option(help="填写官方批量开票模板(用自己下载的最新文件)")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option("--map", help="指定列:列名=字段,可多次给出")
    ] = None,
    on: Annotated[str | None, typer.Option("--on", help="没有日期的行按此日期判断")] = None,
    taxpayer: Annotated[TaxpayerType | None, typer.Option(help="销售方纳税人类型")] = None,
    seller_industry: Annotated[str, typer.Option(help="销售方名称或行业")] = "",
    review: Annotated[str, typer.Option(help="auto:中、弱的行送人工审核;或 none")] = "none",
    tenant: Annotated[
        str, typer.Option(help="已审定的名称按此租户采用;送审时默认 default")
    ] = "",
    apply_reviews: Annotated[
        bool, typer.Option("--apply-reviews", help="把已审核的结果写回一个已完成的输出文件")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="CSV 中像公式的文字不加 '")] = False,
    workers: Annotated[int, typer.Option(help="进程数,默认按处理器数")] = 0,
    engine: Annotated[Engine, typer.Option(help="本机,或 Spark 集群")] = Engine.LOCAL,
) -> None:
    """批量复核历史发票:每行应有的编码和税率、错在哪里、涉及多少税款。"""
    from invoicer.cli import load_assistant, memory_of

    with friendly_errors():
        if review not in {"auto", "none"}:
            raise InputError("--review 只能是 auto 或 none")
        mapping = given_columns(column or [])
        defaults = Defaults(parse_date(on) if on else None, taxpayer, seller_industry)
        if apply_reviews:
            raise typer.Exit(_apply(inputs, tenant or DEFAULT_TENANT, raw, mapping, defaults))
        if output is None:
            raise InputError("请用 -o 指定输出文件")
        if engine is Engine.SPARK:
            not_there = {
                "--resume": resume, "--template": template, "--review": review == "auto",
                "--workers": workers,
            }  # fmt: skip
            for option in (name for name, given in not_there.items() if given):
                raise InputError(f"Spark 引擎不支持 {option},请去掉它或改用 --engine local")
            raise typer.Exit(_on_spark(inputs, output, mapping, defaults, raw, report))
        options = Options(
            inputs=tuple(inputs),
            output=Path(output),
            mapping=mapping,
            defaults=defaults,
            raw=raw,
            template=template,
            report=report,
            review=review == "auto",
            tenant=tenant or DEFAULT_TENANT,
            workers=workers,
            memory=memory_of(tenant),
        )
        start = time.monotonic()
        with _bar() as progress:
            outcome = _run(load_assistant(), options, progress, resume)
        _summary(outcome, str(options.output), time.monotonic() - start)
        if options.report:
            out.print(f"报告 → {options.report}", highlight=False)
        if options.review:
            out.print(f"已送审 {outcome.queued:,} 项(租户 {options.tenant})", highlight=False)
        if outcome.rejected:
            err.print(f"{outcome.rejected:,} 行不能判断或不能填入模板,见 {options.rejects}")
    raise typer.Exit(SOME_FAILED if outcome.rejected else DONE)


def _run(assistant: Assistant, options: Options, progress: Progress, resume: bool) -> Outcome:
    _check_report(options.report)
    run = Run(assistant, options, progress)
    outcome = run.run(resume)
    _write_report(options.report, assistant, outcome, [s.path for s in run.sources.sources])
    return outcome


def _on_spark(
    inputs: list[str],
    output: str,
    mapping: dict[str, str],
    defaults: Defaults,
    raw: bool,
    report: Path | None,
) -> int:
    from invoicer.cli import load_assistant
    from invoicer.recode.spark.engine import SparkOptions, SparkRun
    from invoicer.recode.spark.session import require

    require()
    _check_report(report)
    options = SparkOptions(tuple(inputs), output, mapping, defaults, raw)
    assistant, start = load_assistant(), time.monotonic()
    with _bar() as progress:
        run = SparkRun(assistant, options, progress)
        outcome = run.run()
    _write_report(report, assistant, outcome, [Path(file.name) for file in run.inputs.files])
    _summary(outcome, output, time.monotonic() - start)
    if report:
        out.print(f"报告 → {report}", highlight=False)
    if outcome.rejected:
        err.print(f"{outcome.rejected:,} 行不能判断,见 {options.rejects}")
    return SOME_FAILED if outcome.rejected else DONE


def _check_report(report: Path | None) -> None:
    if report and not report.parent.is_dir():
        raise InputError(f"报告文件夹不存在:{report.parent}")


def _write_report(
    report: Path | None, assistant: Assistant, outcome: Outcome, inputs: list[Path]
) -> None:
    if report:
        from invoicer.recode.report import write_report

        write_report(report, outcome, assistant, inputs)


def _apply(
    inputs: list[str], tenant: str, raw: bool, mapping: dict[str, str], defaults: Defaults
) -> int:
    from invoicer.cli import load_assistant
    from invoicer.recode.apply import apply_reviews

    assistant = load_assistant()
    for path in inputs:
        applied, waiting = apply_reviews(
            assistant, Path(path), tenant, raw, mapping, defaults
        )
        err.print(f"{path}:已写回 {applied} 行,仍有 {waiting} 行待审核", highlight=False)
    return DONE


@contextmanager
def _bar() -> Iterator[Progress]:
    """Stage, lines, rate and time left on a terminal; silent elsewhere."""
    with Bar(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=err, transient=True,
        disable=not err.is_terminal,
    ) as bar:  # fmt: skip
        task, now, start, first = bar.add_task("准备", total=None, rate=""), "", 0.0, 0

        def show(stage: Stage, done: int, total: int | None) -> None:
            nonlocal now, start, first
            if stage != now:
                now, start, first = stage, time.monotonic(), done
                bar.reset(task, total=total, description=stage.label)
            spent = time.monotonic() - start
            rate = f"{(done - first) / spent:,.0f} 行/秒" if spent > 0.5 else ""
            bar.update(task, completed=done, total=total, rate=rate)

        yield show


def _summary(outcome: Outcome, output: str, seconds: float) -> None:
    tally = outcome.tally
    faulty = tally.total.get("faulty", [0] * 6)
    under, over = faulty[UNDER_HIGH], faulty[OVER_HIGH]
    rate = outcome.lines / max(seconds, 1e-9)
    out.print(
        f"{outcome.lines:,} 行,{outcome.questions:,} 个不同的名称,"
        f"{seconds:.0f} 秒({rate:,.0f} 行/秒) → {output}",
        highlight=False,
    )
    out.print(
        f"有问题 {faulty[LINES]:,} 行;"
        f"最多可能少缴 {under / 100:,.2f} 元、多缴 {over / 100:,.2f} 元",
        highlight=False,
    )
    ordered = sorted(tally.findings.items(), key=lambda item: -item[1][LINES])
    for kind, sums in ordered:
        out.print(f"  {Finding(kind).label} {sums[LINES]:,} 行", highlight=False)
    for note in outcome.notes:
        out.print(note, highlight=False)
