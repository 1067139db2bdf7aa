"""Delivered e-invoices, XML and OFD: one row a line of goods, with the head of its invoice.

An OFD file is a zip (GB/T 33190) that carries the data as `original_invoice.xml`. No document
type, entity or outside reference is followed.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from invoicer.columns import aliases
from invoicer.errors import InputError
from invoicer.safe_zip import read_entry, unpacked_size
from invoicer.table import Table
from knowledge_base import tables

EINVOICE_SUFFIXES = (".xml", ".ofd")
MAX_XML = 32 << 20
MAX_DEPTH = 60
COLUMNS = {
    "invoice_number": "发票号码", "date": "开票日期", "seller_industry": "销售方名称",
    "seller_tax_number": "销售方纳税人识别号", "buyer": "购买方名称", "name": "商品名称",
    "spec": "规格型号", "unit": "单位", "quantity": "数量", "price": "单价", "amount": "金额",
    "declared_rate": "税率", "tax": "税额", "declared_code": "税收分类编码",
}  # fmt: skip


@cache
def _fields() -> dict[str, str]:
    """Element name in lower case → field."""
    own = {row["element"].lower(): row["field"] for row in tables.rows("einvoice_fields")}
    return {**aliases(), **own}


def read_einvoice(path: Path) -> Table:
    """The lines of one e-invoice; raises InputError where it holds none."""
    if path.stat().st_size == 0:
        raise InputError(f"文件是空的:{path.name}", file=str(path))
    documents = _ofd(path) if path.suffix.lower() == ".ofd" else [_content(path)]
    rows = [row for content in documents for row in _lines(content, path)]
    if not rows:
        raise InputError(f"{path.name} 中没有发票明细行", file=str(path))
    return Table(list(COLUMNS.values()), iter(rows), len(rows), first_row=1)


def _content(path: Path) -> bytes:
    if path.stat().st_size > MAX_XML:
        raise InputError(f"{path.name} 超过 {MAX_XML >> 20} MB,不像是电子发票", file=str(path))
    return path.read_bytes()


def _ofd(path: Path) -> list[bytes]:
    """The data documents in an OFD file: `original_invoice.xml`, else the attached XML files."""
    unpacked_size(path)
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if n.lower().endswith(".xml")]
    found = [n for n in names if n.lower().rpartition("/")[2] == "original_invoice.xml"]
    found = found or [n for n in names if "/attach" in n.lower()]
    if not found:
        raise InputError(
            f"{path.name} 中没有 original_invoice.xml,可能是扫描件;请改用 XML 或表格",
            file=str(path),
        )
    return [read_entry(path, name, MAX_XML) for name in found[:20]]


def _lines(content: bytes, path: Path) -> Iterator[list[str]]:
    try:
        root = fromstring(_utf8(content), forbid_dtd=True)
    except DefusedXmlException as error:
        raise InputError(
            f"{path.name} 含有 DOCTYPE 或实体定义,出于安全不予读取", file=str(path)
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise InputError(f"{path.name} 不是完整的 XML:{error}", file=str(path)) from error
    head: dict[str, str] = {}
    lines: list[dict[str, str]] = []
    _walk(root, head, lines, 0)
    for line in lines:
        if line["name"]:
            yield [line.get(field) or head.get(field, "") for field in COLUMNS]


def _utf8(content: bytes) -> bytes | str:
    """GB18030 documents as text: the parser knows UTF-8 and UTF-16 only."""
    start = content[:200].lower()
    if b"encoding" in start and b"gb" in start.partition(b"encoding")[2][:14]:
        return content.decode("gb18030", "replace").partition("?>")[2]
    return content


def _walk(element: Element, head: dict[str, str], lines: list[dict[str, str]], depth: int) -> None:
    """Elements with a name among their children are lines; other leaves belong to the head."""
    if depth > MAX_DEPTH:
        return
    own: dict[str, str] = {}
    for child in element:
        field = _fields().get(_local(child.tag))
        if field is not None and len(child) == 0:
            own.setdefault(field, (child.text or "").strip())
    if "name" in own and len(own) > 1:
        lines.append(own)
        return
    for field, text in own.items():
        if text:
            head.setdefault(field, text)
    for child in element:
        if len(child):
            _walk(child, head, lines, depth + 1)


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2].lower()
