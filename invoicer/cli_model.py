"""`invoicer evaluate | train | bench`: measuring and refitting the model."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as RichTable

from invoicer.assistant import Assistant
from invoicer.console import err, out
from invoicer.errors import InputError, InvoicerError
from invoicer.evaluate import judge, read_labelled
from invoicer.line import parse_date
from models.evaluation import Judged, Report, Share, measure


def evaluate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="带标注的文件")],
    on: Annotated[str | None, typer.Option("--on", help="没有日期的行按此日期判断")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="另存 HTML 报告")] = None,
) -> None:
    """在带标注的文件上测量准确率、分级精度与校准误差。"""
    try:
        if html and not html.parent.is_dir():
            raise InputError(f"输出文件夹不存在:{html.parent}", file=str(html))
        assistant = Assistant.load()
        day = parse_date(on) if on else None
        judged = {path.stem: judge(assistant, read_labelled(path), day) for path in files}
    except InvoicerError as error:
        err.print(f"错误:{error.message}", style="red", markup=False)
        raise typer.Exit(2) from None
    reports = reports_of(judged)
    if html:
        from invoicer.html_report import write_report

        write_report(html, reports, judged, assistant.model_version, assistant.kb_version)
    if as_json:
        versions = {"model_version": assistant.model_version, "kb_version": assistant.kb_version}
        data = {**versions, "sets": {name: r.to_json() for name, r in reports.items()}}
        print(json.dumps(data, ensure_ascii=False, indent=1))
        return
    _print_reports(reports)


def reports_of(judged: dict[str, list[Judged]]) -> dict[str, Report]:
    """One report a set, and one for all of them pooled."""
    reports = {name: measure(lines) for name, lines in judged.items()}
    if len(judged) > 1:
        reports["pooled"] = measure([line for lines in judged.values() for line in lines])
    return reports


def _print_reports(reports: dict[str, Report]) -> None:
    table = RichTable(
        "集合", "行数", "简称@1", "简称@5", "编码@1", "编码@5", "强档占比", "强档精度", "ECE",
        "税率",
    )  # fmt: skip
    for name, r in reports.items():
        table.add_row(
            name,
            str(r.lines),
            *(_share(s) for s in (r.short_name_1, r.short_name_5, r.code_1, r.code_5)),
            _share(r.strong_share),
            _share(r.strong),
            f"{r.ece:.3f}",
            _share(r.rate),
        )
    out.print(table)


def _share(share: Share) -> str:
    if not share.total:
        return "–"
    low, high = share.interval
    return f"{share.value:.1%} [{low:.1%}–{high:.1%}]"


def train(
    labelled: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="带标注的开发集(可省略)")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", help="写入的文件夹,默认替换随附模型")] = None,
    promise: Annotated[
        list[str] | None, typer.Option(help="强档精度承诺所依据的开发集文件名,默认全部")
    ] = None,
    seed: Annotated[int, typer.Option(help="随机种子")] = 0,
) -> None:
    """重新拟合学习部分(排序器与校准);同一种子结果相同。"""
    from invoicer.refit import refit  # scikit-learn and friends: not for other commands

    try:
        for path in labelled or []:
            read_labelled(path)  # an unusable file is refused before minutes of work
        card = refit(labelled or [], promise or [], output, seed, lambda text: err.print(text))
    except InvoicerError as error:
        err.print(f"错误:{error.message}", style="red")
        raise typer.Exit(2) from None
    print(json.dumps(card, ensure_ascii=False, indent=1))


def bench(
    seconds: Annotated[float, typer.Option(help="计时秒数")] = 5.0,
) -> None:
    """测量单条延迟与批量吞吐(本机数字,不作断言)。"""
    from invoicer.bench import run

    print(json.dumps(run(seconds, dt.datetime.now().isoformat(timespec="minutes")), indent=1))
