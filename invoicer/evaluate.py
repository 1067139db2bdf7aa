"""Answering a labelled file and judging the answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from invoicer.assistant import Assistant
from invoicer.columns import fields_of, recognise
from invoicer.errors import InputError
from invoicer.line import InvoiceLine
from invoicer.readers import read_table
from invoicer.suggestion import Suggestion
from knowledge_base.rate_advice import RateError, parse_rate
from models.evaluation import Judged
from models.labels import LabelledLine, parse_labels


def read_labelled(path: Path) -> list[tuple[InvoiceLine, LabelledLine]]:
    """Lines with their labels; the label columns are never given to the assistant."""
    table = read_table(path)
    places = recognise(table.header)
    if not {"code", "short_name"} & set(table.header):
        raise InputError(
            "带标注的文件需要 code 或 short_name 列(多个正确答案用 | 连接)", columns=table.header
        )
    hidden = {"declared_code", "declared_short_name", "declared_rate"}
    places = {field: i for field, i in places.items() if field not in hidden}
    lines = []
    for number, cells in enumerate(table.rows, table.first_row):
        row = dict(zip(table.header, cells, strict=False))
        try:
            fields = fields_of(cells, places)
            line = InvoiceLine.from_fields(fields)
        except InputError as error:
            raise InputError(f"第 {number} 行:{error.message}", row=number) from error
        lines.append((line, parse_labels({**row, "name": fields["name"]})))
    if not lines:
        raise InputError(f"{path.name} 没有数据行", file=str(path))
    return lines


def judge(
    assistant: Assistant,
    labelled: Sequence[tuple[InvoiceLine, LabelledLine]],
    on: dt.date | None = None,
) -> list[Judged]:
    """Each line answered and compared with its label."""
    lines = [replace(line, date=line.date or on) for line, _ in labelled]
    suggestions = assistant.suggest(lines)
    return [
        _judged(assistant, line, label, suggestion)
        for line, (_, label), suggestion in zip(lines, labelled, suggestions, strict=True)
    ]


def _judged(
    assistant: Assistant, line: InvoiceLine, label: LabelledLine, suggestion: Suggestion
) -> Judged:
    taxonomy = assistant.kb.taxonomy
    wanted = label.short_names or frozenset(
        name for code in label.codes if code in taxonomy for name in taxonomy.short_names(code)
    )
    hits = tuple(bool(taxonomy.short_names(c.code) & wanted) for c in suggestion.candidates)
    codes = tuple(c.code in label.codes for c in suggestion.candidates) if label.codes else None
    top = suggestion.candidates[0]
    return Judged(
        name=line.name,
        tier=suggestion.tier.value,
        confidence=suggestion.confidence,
        short_name_hits=hits,
        code_hits=codes,
        expected="|".join(sorted(wanted)),
        answered=f"{top.short_name} {top.name}",
        rate_right=_rate_right(line, label, suggestion),
    )


def _rate_right(line: InvoiceLine, label: LabelledLine, suggestion: Suggestion) -> bool | None:
    """Whether the first rate is among the labelled ones; None where the label cannot be judged
    (no rate, or no taxpayer type)."""
    text = label.row.get("rate", "")
    if not text or line.taxpayer is None or not suggestion.rates:
        return None
    wanted: set[Decimal | None] = set()
    try:
        for part in text.split("|"):
            wanted.add(parse_rate(part)[1])
    except RateError as error:
        raise InputError(f"“{line.name[:40]}”的 rate 列:{error}", field="rate") from error
    return suggestion.rates[0].rate in wanted
