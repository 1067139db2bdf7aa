"""Tables for people at a terminal, in Chinese."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from invoicer.suggestion import Suggestion, Tier
from knowledge_base.taxonomy import TaxCode, Taxonomy
from models.matcher import Match
from models.query import Query
from models.signals import NAMES

TIER_STYLE = {Tier.STRONG: "green", Tier.MEDIUM: "yellow", Tier.WEAK: "red"}
TREATMENTS = {"taxed": "应税", "zero": "零税率", "exempt": "免税", "not_taxed": "不征税"}
ROLES = {
    "core": "品名", "side": "其他", "brand": "品牌", "flavour": "风味", "scent": "香味",
    "colour": "颜色", "material": "材质", "process": "工艺", "audience": "适用", "grade": "等级",
    "size_word": "尺寸", "season_style": "款式", "origin": "产地", "packing": "包装",
    "promotion": "促销", "certification": "认证", "condition": "版本", "state": "状态",
}  # fmt: skip


def rate_text(suggestion: Suggestion) -> str:
    """13%, 免税, 不征税 …; empty where nothing is known."""
    if suggestion.rate is not None:
        return f"{suggestion.rate * 100:f}".rstrip("0").rstrip(".") + "%"
    return TREATMENTS.get(str(suggestion.treatment or ""), "")


def print_suggestion(console: Console, name: str, suggestion: Suggestion) -> None:
    """One name's answer: code, tier, candidates, reasons."""
    style = TIER_STYLE[suggestion.tier]
    printed = f"*{suggestion.short_name}*{name}" if suggestion.code else name
    console.print(Text(printed, style="bold"))
    if suggestion.code:
        console.print(f"  编码  {suggestion.code}  税率 {rate_text(suggestion)}")
    console.print(
        Text.assemble(
            "  把握  ", (suggestion.tier.label, style), f"  {suggestion.confidence:.1%}"
        )
    )
    for text in (suggestion.prompt, suggestion.question):
        if text and not (text == suggestion.question and text == suggestion.prompt):
            console.print(f"  提示  {text}", style="yellow")
    if suggestion.question:
        for answer, code in suggestion.options.items():
            console.print(f"        {answer} → {code}")
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
        ("规格", " ".join(reading.sizes)),
        ("型号", " ".join(reading.models)),
        ("品牌", "、".join((*query.brands, *reading.brands))),
        ("分词", " / ".join(f"{word}({ROLES.get(role, role)})" for word, role, _ in reading.tokens)),
        ("描述词", "、".join(f"{word}({ROLES.get(r, r)})" for word, r in reading.descriptors)),
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
    for title, value in (
        ("有效期", valid),
        ("关键字", "、".join(code.keywords)),
        ("包括", "、".join(code.includes)),
        ("不包括", excludes),
        ("官方税率", " ".join(f"{v.replace('_', '-')}:{'、'.join(r)}" for v, r in code.rates.items())),
        ("优惠", "、".join(code.special_treatments)),
        ("俗名", "、".join(names[:60]) + (f" 等 {len(names)} 个" if len(names) > 60 else "")),
    ):
        if value:
            console.print(f"  {title}  {value}")


