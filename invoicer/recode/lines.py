"""A row of history as a line: its fields, and what keeps it from being one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from invoicer.batch import Defaults
from invoicer.columns import fields_of
from invoicer.errors import LineError
from invoicer.line import InvoiceLine
from invoicer.recode.billing import bill_of, implied_rate
from invoicer.table import BrokenRow
from knowledge_base.rate_advice import format_rate
from knowledge_base.taxonomy import is_code
from models.normalise import normalise

# Rows of an export that sum others up or point to a list: no goods.
_NO_GOODS = re.compile(
    r"[(（]?(?:(?:价\s*税|本页|本月|本期|本年|本单)?\s*(?:合\s*计|小\s*计|总\s*计|累\s*计)(?:金额)?"
    r"(?:[(（][大小]写[)）])?|详?见.{0,4}清单|详?见附件|以下空白)\s*[:：]?[)）]?"
)
HEAD_MARKS = ("date", "invoice_number", "digital_invoice_number")
HEAD_FIELDS = (
    *HEAD_MARKS, "seller_industry", "seller_tax_number", "buyer", "taxpayer", "invoice_status",
)  # fmt: skip
# What keeps an export's codes text, around them: '108…, ="108…", 108…<tab>.
_WRAPPING = "'=\" \t"


@dataclass(frozen=True, slots=True)
class Row:
    """fields: as given, gaps filled by the defaults; line: None where it cannot be one, and then
    field and reason."""

    fields: Mapping[str, str]
    line: InvoiceLine | None
    field: str = ""
    reason: str = ""


class Heads:
    """The head of an invoice, which exports write on its first line only: rows with neither number
    nor date belong to the invoice above.

    places: field → column; head: what was carried so far.
    """

    def __init__(self, places: Mapping[str, int], head: Mapping[str, str] | None = None):
        self.head = head or {}
        self._places = {field: places[field] for field in HEAD_FIELDS if field in places}
        self._marks = [field for field in HEAD_MARKS if field in places]
        self._carries = "date" in self._marks and len(self._marks) > 1

    def complete(self, fields: dict[str, str]) -> None:
        """Fill the head of a row from the invoice above."""
        if not self._carries:
            return
        for field in self._marks:
            if fields[field]:
                self.head = fields
                return
        for field in self._places:
            fields[field] = fields[field] or self.head.get(field, "")

    def skip(self, rows: Sequence[list[str]]) -> None:
        """Carry the head over rows that others complete."""
        for cells in reversed(rows if self._carries else ()):
            if isinstance(cells, BrokenRow):
                continue
            fields = fields_of(cells, self._places)
            if any(fields[field] for field in self._marks):
                self.head = fields
                return


def row_of(
    cells: list[str], places: Mapping[str, int], defaults: Defaults, heads: Heads | None = None
) -> Row:
    """The row's line, or why it is none. heads: of the rows before."""
    try:
        fields = fields_of(cells, places)
    except LineError as error:
        return Row(dict.fromkeys(places, ""), None, "row", error.message)
    if heads is not None:
        heads.complete(fields)
    if _NO_GOODS.fullmatch(fields["name"].strip()):
        return Row(fields, None, "name", f"“{fields['name'].strip()}”不是商品行,没有判断")
    if _is_void(fields.get("invoice_status", "")):
        return Row(fields, None, "invoice_status", "发票已作废,没有判断")
    code = fields.get("declared_code", "")
    if code and not is_code(code):
        fields["declared_code"] = _plain_code(code)
    if fields.get("tax") and not fields.get("declared_rate", "").strip():
        bill, _ = bill_of(fields, None)
        rate = implied_rate(bill) if bill else None
        fields["declared_rate"] = "" if rate is None else f"{format_rate(rate * 100)}%"
    try:
        line = defaults.complete(InvoiceLine.from_fields(fields))
    except LineError as error:
        return Row(fields, None, str(error.context.get("field", "")), error.message)
    fields["seller_industry"] = line.seller_industry
    fields["answer"] = line.answer
    return Row(fields, line)


def _is_void(status: str) -> bool:
    """Whether 发票状态 or 作废标志 says that the invoice was cancelled."""
    status = status.strip()
    return status == "是" or ("作废" in status and not status.startswith(("未", "非")))


def _plain_code(code: str) -> str:
    """A declared code without what an export wraps it in to keep it text."""
    return unicodedata.normalize("NFKC", code).strip().strip(_WRAPPING).replace(" ", "")


@lru_cache(20_000)
def plain_name(name: str) -> str:
    """The name by which the same product is told."""
    return normalise(name).strip()


def invoice_of(fields: Mapping[str, str]) -> str:
    """The number of the invoice: exports of the tax platform have one column for those on paper
    and one for digital ones."""
    return (fields.get("invoice_number") or fields.get("digital_invoice_number", "")).strip()


def seller_of(fields: Mapping[str, str]) -> str:
    """Whoever sold: name, else tax number."""
    return fields.get("seller_industry", "").strip() or fields.get("seller_tax_number", "").strip()
