"""The administration's files opened safely: XML, XLS/XLSX and JSON as raw rows of text.

The format is found from the content. No document type, no entity and no external reference is
ever followed; sizes are bounded before anything is built.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml import ElementTree as SafeTree

from knowledge_base.official.raw import (
    MAX_ROWS,
    OfficialTableError,
    RawTable,
    cell_text,
    too_many_rows,
)
from knowledge_base.official.sheets import read_sheet

MAX_BYTES = 64 << 20

_DECLARED = re.compile(rb"""^<\?xml[^>]{0,200}?encoding=["']([A-Za-z0-9._-]{1,40})["']""")


def read_raw(content: bytes, is_header: frozenset[str]) -> RawTable:
    """Rows of a file. is_header: lower-case column names that mark the code column."""
    if not content.strip(b"\x00\r\n\t "):
        raise OfficialTableError("empty_file", "文件是空的。请重新下载编码表后再导入。")
    if len(content) > MAX_BYTES:
        raise OfficialTableError(
            "too_large", f"文件超过 {MAX_BYTES >> 20} MB，不像是编码表。请核对所选文件。"
        )
    if content.startswith(b"PK"):
        return read_sheet(content, "xlsx", is_header)
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return read_sheet(content, "xls", is_header)
    text = _decoded(content).lstrip("\ufeff \r\n\t")
    if text.startswith("<"):
        return _xml(text)
    if text.startswith(("{", "[")):
        return _json(text, is_header)
    raise OfficialTableError(
        "unknown_format",
        "认不出文件格式。请选用税务总局编码表的 XML、XLS/XLSX 或平台返回的 JSON 文件。",
    )


def _decoded(content: bytes) -> str:
    """Text of a file: by its byte order mark, its declaration, else UTF-8, else GB18030."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        declared = _DECLARED.match(content.lstrip())
        name = declared.group(1).decode().lower() if declared else ""
        # The client writes "gbk" over text that needs GB18030, its superset.
        chinese = name.startswith(("gb", "x-gb", "cp936"))
        encodings = ["gb18030", "utf-8"] if chinese else ["utf-8", "gb18030"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise OfficialTableError(
        "bad_encoding", "文件文字无法解码（既不是 UTF-8 也不是 GB18030）。请重新下载原文件。"
    )


class _RowCollector:
    """Parser target: keeps the texts of <BMXX> rows and of the header, and builds no tree."""

    def __init__(self) -> None:
        self.header: dict[str, str] = {}
        self.rows: list[tuple[int, Mapping[str, str]]] = []
        self._row: dict[str, str] | None = None
        self._text: list[str] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._text.clear()
        if tag.lower() == "bmxx":
            if len(self.rows) >= MAX_ROWS:
                raise too_many_rows()
            self._row = {}

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, tag: str) -> None:
        name, text = tag.lower(), "".join(self._text).strip()
        self._text.clear()
        if name == "bmxx" and self._row is not None:
            self.rows.append((len(self.rows) + 1, self._row))
            self._row = None
        elif self._row is not None:
            self._row[name] = text
        elif text:
            self.header.setdefault(name, text)

    def close(self) -> None:
        pass


def _xml(text: str) -> RawTable:
    target = _RowCollector()
    parser = SafeTree.XMLParser(target=target, forbid_dtd=True)
    try:
        parser.feed(text)
        parser.close()
    except DefusedXmlException as error:
        raise OfficialTableError(
            "forbidden_xml",
            "XML 中含有 DOCTYPE 或实体定义，出于安全不予读取。请使用开票软件导出的原文件。",
        ) from error
    except ParseError as error:
        line, column = error.position
        raise OfficialTableError(
            "broken_xml",
            f"XML 在第 {line} 行第 {column + 1} 列处不完整或有错。请重新下载原文件。",
        ) from error
    if not target.rows:
        raise OfficialTableError("no_rows", "XML 中没有编码行（BMXX）。请核对所选文件。")
    return RawTable("xml", target.header, target.rows)


def _json(text: str, is_header: frozenset[str]) -> RawTable:
    try:
        # Numbers stay text: a code written as a number must not pass through a float.
        root = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (json.JSONDecodeError, RecursionError) as error:
        raise OfficialTableError(
            "broken_json", "JSON 不完整或有错。请重新取得平台返回的原文。"
        ) from error
    header: dict[str, str] = {}
    found: list[Mapping[str, Any]] = []
    queue: list[Any] = [root]
    for item in queue:
        if isinstance(item, dict):
            if any(key.lower() in is_header for key in item):
                found.append(item)
                continue
            for key, value in item.items():
                if isinstance(value, (dict, list)):
                    queue.append(value)
                else:
                    header.setdefault(key.lower(), cell_text(value))
        elif isinstance(item, list):
            queue.extend(item)
    if not found:
        raise OfficialTableError(
            "wrong_columns", "JSON 中没有编码行（缺少字段 sphfwssflhbbm）。请核对所选文件。"
        )
    if len(found) > MAX_ROWS:
        raise too_many_rows()
    rows = [
        (n, {key.lower(): cell_text(value) for key, value in item.items()})
        for n, item in enumerate(found, 1)
    ]
    return RawTable("json", header, rows)
