"""`invoicer retrain` and `invoicer models …`: learning from decisions, and going back."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer
from rich.table import Table

from invoicer.console import err, friendly_errors, out
from invoicer.learning.versions import ModelStore
from invoicer.review.decided import waiting
from invoicer.settings import Settings
from invoicer.store import Store

models_app = typer.Typer(no_args_is_help=True)
NICENESS = 15


def retrain(
    if_waiting: Annotated[int, typer.Option(help="新决定少于此数时不训练,0 为总是训练")] = 0,
    background: Annotated[bool, typer.Option("--background", help="以低优先级运行")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """从已接受的审核决定学习;新模型通过检验才会启用。"""
    from invoicer.learning.retrain import TrainingRunsError, alone
    from invoicer.learning.retrain import retrain as learn

    if background and hasattr(os, "nice"):
        os.nice(NICENESS)
    with friendly_errors():
        settings = Settings()
        store = Store.open(settings.database)
        try:
            with alone(settings):
                if waiting(store) < if_waiting:
                    err.print(f"新决定不足 {if_waiting} 项,未训练")
                    return
                outcome = learn(settings, store, err.print)
        except TrainingRunsError:
            if not background:  # there it is no mistake: whoever began first does the work
                raise
            return
    if as_json:
        print(json.dumps(outcome.to_json(), ensure_ascii=False))
        return
    if outcome.held:
        out.print(f"{outcome.held} 项决定存疑,已重新打开等待第二人确认(invoicer review held)")
    if not outcome.version:
        out.print(f"{outcome.verdict},现用模型不变")
    elif outcome.accepted:
        out.print(
            f"已启用模型 {outcome.version}(学习了 {outcome.decisions} 项决定):{outcome.verdict}"
        )
    else:
        out.print(f"模型 {outcome.version} 未启用,现用模型不变:{outcome.verdict}")


@models_app.command("list")
def list_models() -> None:
    """列出各模型版本;* 为现用。"""
    with friendly_errors():
        rows = _models().versions()
    table = Table("", "版本", "时间", "学习的决定", "检验", box=None, padding=(0, 1))
    for one in rows:
        count = str(one.card.get("learning", {}).get("learned", ""))
        verdict = one.verdict if one.accepted else f"未通过:{one.verdict}"
        table.add_row("*" if one.is_current else "", one.version, one.made_at, count, verdict)
    out.print(table)


@models_app.command("show")
def show_model(version: Annotated[str, typer.Argument(help="版本,见 models list")]) -> None:
    """显示一个版本的模型卡:来源、检验数字、分布变化。"""
    with friendly_errors():
        card = _models().load(version).card
    print(json.dumps(card, ensure_ascii=False, indent=1))


@models_app.command("switch")
def switch_model(
    version: Annotated[str, typer.Argument(help="版本,见 models list;shipped 为随附模型")],
    force: Annotated[bool, typer.Option("--force", help="未通过检验也启用")] = False,
) -> None:
    """启用一个版本;运行中的服务随即跟随,不中断请求。"""
    with friendly_errors():
        models = _models()
        models.load(version)
        models.switch(version, force)
    out.print(f"已启用 {version}")


@models_app.command("rollback")
def rollback_model() -> None:
    """退回到之前启用的版本。"""
    with friendly_errors():
        version = _models().rollback()
    out.print(f"已退回 {version}")


def _models() -> ModelStore:
    return ModelStore(Settings().models_dir)
