"""`invoicer kb propose | preview | accept | …`: the words of the tables and who changes them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from invoicer.access import tenants
from invoicer.cli_options import Login, Password, signed_in
from invoicer.console import err, friendly_errors, out
from invoicer.desk import effect
from invoicer.desk.export import export
from invoicer.desk.proposals import Proposal, Proposals, ProposalState
from invoicer.desk.words import WordIndex, edit_of
from invoicer.errors import InputError
from invoicer.settings import Settings
from invoicer.show import print_edits
from invoicer.store import Store
from knowledge_base.word_tables import Action, Edit, WordTable

app = typer.Typer()
NICENESS = 15
MAX_LISTED = 20
Ident = Annotated[str, typer.Argument(metavar="PROPOSAL", help="提案编号,见 kb proposals")]


def _words(settings: Settings) -> WordIndex:
    return WordIndex(settings.knowledge_base())


@app.command()
def propose(
    login: Login,
    password: Password,
    why: Annotated[str, typer.Option(help="理由")],
    table: Annotated[WordTable | None, typer.Argument(help="词表")] = None,
    action: Annotated[Action | None, typer.Argument(help="add 新增,remove 删除")] = None,
    cells: Annotated[
        list[str] | None, typer.Argument(metavar="COLUMN=VALUE…", help="该行各列")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="多行修改:JSONL,每行 {table, action, row}")
    ] = None,
    provisional: Annotated[
        bool, typer.Option("--provisional", help="没有合适编码时的暂定映射")
    ] = False,
    item: Annotated[str, typer.Option(help="来自哪个审核项")] = "",
    ruling: Annotated[str, typer.Option(help="依据的裁定编号")] = "",
) -> None:
    """提议修改词表;先核对格式与编码,由另一位专家预览后采纳。"""
    with friendly_errors():
        if file is not None:
            edits = _read_edits(file)
        elif table is not None and action is not None:
            edits = [edit_of({"table": table, "action": action, "row": _row(cells or [])})]
        else:
            raise InputError("请写明词表、动作和各列,或用 --file 给出多行修改")
        settings = Settings()
        store = Store.open(settings.database)
        with signed_in(store, login, password) as me:
            made = Proposals(store, settings).propose(
                me, _words(settings), edits, why, provisional=provisional, item=item, ruling=ruling
            )
    out.print(f"提案 {made.id}:{len(made.edits)} 行,等待另一位专家采纳")


@app.command()
def proposals(
    tenant: Annotated[str, typer.Option("--tenant", help="租户")],
    state: Annotated[ProposalState, typer.Option(help="状态")] = ProposalState.OPEN,
    page: Annotated[int, typer.Option(min=1, help="第几页")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """列出提案,新的在前。"""
    with friendly_errors():
        settings = Settings()
        store = Store.open(settings.database)
        tenants.require(store, tenant)
        desk = Proposals(store, settings)
        total, found = desk.page(tenant, state, page)
        if as_json:
            for one in found:
                print(json.dumps(one.to_json(), ensure_ascii=False))
            return
        for one in found:
            _print(one, desk.effect(one) if one.state is ProposalState.OPEN else None)
    out.print(f"共 {total} 项({state.label})")


@app.command()
def preview(
    ident: Ident,
    background: Annotated[bool, typer.Option("--background", help="以低优先级运行")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """编译修改后的知识库并与现用的比较:哪些答复会变,变好还是变差,能否通过检验。"""
    from invoicer.desk.preview import preview as measure

    if background and hasattr(os, "nice"):
        os.nice(NICENESS)
    with friendly_errors():
        settings = Settings()
        store = Store.open(settings.database)
        desk = Proposals(store, settings)
        tenant, proposal = desk.anywhere(ident)
        # The service has noted a preview that it runs in the background.
        if effect.ask(store, settings, proposal.edits) or background:
            measure(settings, store, proposal.edits, err.print)
        found = desk.effect(proposal)
        if found is None:
            raise InputError("预览期间换了版本,请重新预览")
        shown = found.to_json(tenant)
    if as_json:
        print(json.dumps(shown, ensure_ascii=False))
        return
    out.print(f"{'可以采纳' if found.accepted else '不能采纳'}:{found.verdict or '正在预览'}")
    for one in shown.get("added", ()):
        out.print(f"  {one['name']}:{one['before']} → {one['after']}")
    for name, counts in shown.get("counts", {}).items():
        out.print(f"  {name}:变好 {counts['better']},变差 {counts['worse']},其他 {counts['other']}")
    for one in shown["changes"][:MAX_LISTED]:
        out.print(f"    [{one['set']}] {one['name']}:{one['before']} → {one['after']}")


@app.command()
def accept(
    ident: Ident,
    login: Login,
    password: Password,
    why: Annotated[str, typer.Option(help="意见")] = "",
) -> None:
    """采纳提案:成为知识库的新版本并立即启用;须先预览,且不能是自己的提案。"""
    with friendly_errors():
        settings = Settings()
        store = Store.open(settings.database)
        with signed_in(store, login, password) as me:
            made = Proposals(store, settings).accept(me, _words(settings), ident, why)
    out.print(f"已采纳,当前版本 {made.version}")


@app.command()
def reject(
    ident: Ident,
    login: Login,
    password: Password,
    why: Annotated[str, typer.Option(help="理由")],
) -> None:
    """不采纳提案。"""
    with friendly_errors():
        settings = Settings()
        store = Store.open(settings.database)
        with signed_in(store, login, password) as me:
            Proposals(store, settings).reject(me, ident, why)
    out.print("未采纳,现用版本不变")


@app.command("export")
def export_tables(
    output: Annotated[Path, typer.Option("-o", "--output", help="ZIP 文件")],
    version: Annotated[str, typer.Option(help="版本,见 kb versions;省略为当前版本")] = "",
) -> None:
    """导出词表:与随附的 CSV 同样的格式,附来源说明和历次修改。"""
    with friendly_errors():
        data = export(Settings().version_store(), version)
        output.write_bytes(data)
    out.print(f"已写入 {output}")


def _row(cells: list[str]) -> dict[str, str]:
    row = {}
    for cell in cells:
        column, mark, value = cell.partition("=")
        if not mark:
            raise InputError(f"“{cell[:40]}”应写成 列=值")
        row[column] = value
    return row


def _read_edits(path: Path) -> list[Edit]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        return [edit_of(json.loads(line)) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise InputError(f"{path} 无法读取:应为 UTF-8 的 JSONL") from error


def _print(one: Proposal, known: effect.Effect | None) -> None:
    marks = "暂定" if one.provisional else ""
    out.print(f"{one.id}  {one.proposed_at[:10]} {one.proposer} {marks} {one.why}")
    print_edits(out, one.edits, 3)
    if known is not None:
        out.print(f"  预览:{known.verdict or '进行中'}")
    if one.version or one.answer:
        out.print(f"  {one.state.label}:{one.answered_by} {one.answer} {one.version}")
