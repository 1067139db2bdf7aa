"""A row of history as a line: its fields, and what keeps it from being one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from invoicer.batch import Defaults
from invoicer.columns import fields_of
from invoicer.errors import LineError
from invoicer.line import InvoiceLine
from models.normalise import normalise

# Rows of an export that sum others up or point to a list: no goods.
_NO_GOODS = re.compile(r"[(（]?(合计|小计|总计|价税合计|本页小计|详见.{0,4}清单|详见附件)[)）]?")


@dataclass(frozen=True, slots=True)
class Row:
    """fields: as given, gaps filled by the defaults; line: None where it cannot be one, and then
    field and reason."""

    fields: Mapping[str, str]
    line: InvoiceLine | None
    field: str = ""
    reason: str = ""


def row_of(cells: list[str], places: Mapping[str, int], defaults: Defaults) -> Row:
    """The row's line, or why it is none."""
    fields = fields_of(cells, places)
    if _NO_GOODS.fullmatch(fields["name"].strip()):
        return Row(fields, None, "name", f"“{fields['name'].strip()}”不是商品行,没有判断")
    try:
        line = defaults.complete(InvoiceLine.from_fields(fields))
    except LineError as error:
        return Row(fields, None, str(error.context.get("field", "")), error.message)
    fields["seller_industry"] = line.seller_industry
    fields["answer"] = line.answer
    return Row(fields, line)


@lru_cache(20_000)
def plain_name(name: str) -> str:
    """The name by which the same product is told."""
    return normalise(name).strip()


def seller_of(fields: Mapping[str, str]) -> str:
    """Whoever sold: name, else tax number."""
    return fields.get("seller_industry", "").strip() or fields.get("seller_tax_number", "").strip()
