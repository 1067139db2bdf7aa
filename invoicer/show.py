"""Tables for people at a terminal, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from invoicer.labels import ROLES
from invoicer.suggestion import Suggestion, Tier, rate_text
from knowledge_base.official.checks import Finding
from knowledge_base.official.table_diff import TableDiff
from knowledge_base.rate_advice import RateAdvice
from knowledge_base.taxonomy import TaxCode, Taxonomy
from knowledge_base.word_tables import Edit
from models.candidates import NAMES
from models.matcher import Match
from models.query import Query

TIER_STYLE = {Tier.STRONG: "green", Tier.MEDIUM: "yellow", Tier.WEAK: "red"}


def print_suggestion(console: Console, name: str, suggestion: Suggestion) -> None:
    """One name's answer: code, tier, candidates, reasons."""
    style = TIER_STYLE[suggestion.tier]
    printed = f"*{suggestion.short_name}*{name}" if suggestion.code else name
    console.print(Text(printed, style="bold"))
    if suggestion.code:
        rate = rate_text(suggestion.rates[0] if suggestion.rates else None)
        console.print(f"  编码  {suggestion.code}  税率 {rate}")
    console.print(
        Text.assemble("  把握  ", (suggestion.tier.label, style), f"  {suggestion.confidence:.1%}")
    )
    if suggestion.hint:
        console.print(f"  提示  {suggestion.hint.text}", style="yellow")
    for question in suggestion.questions:
        console.print(f"  待补  {question.text}", style="yellow")
        for option in question.options:
            console.print(
                f"        {option.number} {option.answer} → {option.code} {option.short_name}"
                f" {rate_text(option.rate)}"
            )
    table = RichTable("序", "编码", "简称", "名称", "把握", box=None, padding=(0, 1))
    for number, candidate in enumerate(suggestion.candidates, 1):
        table.add_row(
            str(number),
            candidate.code,
            candidate.short_name,
            candidate.name,
            f"{candidate.confidence:.1%}",
        )
    console.print(table)
    for reason in suggestion.evidence:
        console.print(f"  · {reason}", style="dim")
    for warning in suggestion.warnings:
        console.print(f"  ! {warning}", style="red")


def print_explanation(console: Console, query: Query, match: Match, taxonomy: Taxonomy,
                      codes: list[str]) -> None:  # fmt: skip
    """Every step of the reading and the signals of the best candidates."""
    reading = query.reading
    console.print("阅读", style="bold")
    steps = [
        ("原文", reading.text),
        ("规范化", reading.normalised),
        ("票面简称", reading.declared_short_name),
        ("附言", " ".join(reading.remarks)),
        ("附带", " ".join(reading.extras)),
        ("规格", " ".join(reading.sizes)),
        ("型号", " ".join(reading.models)),
        ("品牌", "、".join((*query.brands, *reading.brands))),
        ("分词", " / ".join(f"{word}({ROLES.get(r, r)})" for word, r, _ in reading.tokens)),
        ("描述词", "、".join(f"{word}({ROLES.get(r, r)})" for word, r in reading.descriptors)),
        ("各项供应", "、".join(query.supply.parts)),
        ("本行按", query.supply.part),
        ("核心商品", reading.core),
        ("中心词", reading.head),
        ("提示", reading.prompt),
    ]
    for title, value in steps:
        if value:
            console.print(f"  {title}  {value}")
    console.print("匹配信号", style="bold")
    table = RichTable("信号", *(taxonomy[codes[p]].name for p in match.places[:3]), box=None)
    for i, name in enumerate(NAMES):
        row = [float(match.signals[rank, i]) for rank in range(min(3, len(match.places)))]
        if any(row) and not name.endswith("_gap"):
            table.add_row(name, *(f"{value:.3f}" for value in row))
    console.print(table)


def print_codes(console: Console, codes: list[TaxCode]) -> None:
    table = RichTable("编码", "名称", "简称", "关键字", box=None, padding=(0, 1))
    for code in codes:
        table.add_row(code.code, code.name, code.short_name, "、".join(code.keywords[:6]))
    console.print(table)


def print_code(console: Console, code: TaxCode, taxonomy: Taxonomy, names: list[str]) -> None:
    """One code with its place in the tree and everything known of it."""
    console.print(f"{code.code}  {code.name}  简称 {code.short_name}", style="bold")
    console.print("  " + " > ".join(c.name for c in taxonomy.path(code.code)))
    if not code.is_leaf:
        console.print("  汇总项:不能开票,下级:")
        print_codes(console, taxonomy.children(code.code))
    valid = f"{code.valid_from} 起" + (f",{code.valid_to} 止" if code.valid_to else "")
    excludes = "、".join(f"{e.term}→{e.code}" for e in code.excludes)
    rates = (f"{v.replace('_', '-')}:{'、'.join(r)}" for v, r in code.rates.items())
    for title, value in (
        ("有效期", valid),
        ("关键字", "、".join(code.keywords)),
        ("包括", "、".join(code.includes)),
        ("不包括", excludes),
        ("官方税率", " ".join(rates)),
        ("优惠", "、".join(code.special_treatments)),
        ("俗名", "、".join(names[:60]) + (f" 等 {len(names)} 个" if len(names) > 60 else "")),
    ):
        if value:
            console.print(f"  {title}  {value}")


def print_findings(console: Console, findings: Sequence[Finding], limit: int = 30) -> None:
    """What is wrong or odd in an official table: row, field, message and cure."""
    for finding in findings[:limit]:
        style = "red" if finding.level == "error" else "yellow"
        place = f"第 {finding.row} 行 " if finding.row else ""
        text = f"{place}{finding.field}:{finding.message}"
        console.print(f"{text}{' ' if finding.cure else ''}{finding.cure}", style=style)
    if len(findings) > limit:
        console.print(f"另有 {len(findings) - limit} 条未列出")


def print_diff(console: Console, diff: TableDiff, limit: int) -> None:
    """The difference of two code tables, a few rows of each kind."""
    console.print(diff.summary(), style="bold")
    for title, rows in (("新增", diff.new), ("停用", diff.stopped)):
        for row in rows[:limit]:
            console.print(f"  {title} {row.code} {row.name} {row.short_name}")
    for title, changes in (
        ("改名", diff.renamed),
        ("简称", diff.short_names),
        ("税率", diff.rates),
        ("特殊管理", diff.special_treatments),
        ("汇总标志", diff.leaf_flags),
        ("上级", diff.parents),
    ):
        for change in changes[:limit]:
            console.print(f"  {title} {change.code} {change.name}:{change.old} → {change.new}")
    for moved in diff.moved_keywords[:limit]:
        console.print(f"  关键字移动 {moved.keyword}:{moved.old_code} → {moved.new_code}")


def print_edits(console: Console, edits: Sequence[Edit], limit: int) -> None:
    """Changes of the word tables."""
    if edits:
        console.print(f"词表修改 {len(edits)} 行", style="bold")
    for edit in edits[:limit]:
        cells = "  ".join(f"{column}={text}" for column, text in edit.row.items() if text)
        console.print(f"  {edit.table.label} {edit.action.label} {cells}")


def print_marks(console: Console, cells: Mapping[str, str]) -> None:
    """What a target system writes for the preference of the rate."""
    console.print("  标识  " + "  ".join(f"{column}={text}" for column, text in cells.items()))


def print_rates(console: Console, rates: Sequence[RateAdvice]) -> None:
    """Every rate that can apply, with its condition and legal basis."""
    table = RichTable("税率", "条件", "依据", box=None, padding=(0, 1))
    for advice in rates:
        mark = "(待核)" if advice.provisional else ""
        table.add_row(rate_text(advice), advice.condition + mark, advice.basis)
    console.print(table)
