"""Text files read in blocks, wherever they are cut: where rows begin and end, and their numbers.

A block is a run of whole physical lines. Whether it begins inside a quoted cell only the blocks
before it tell, so each one is walked through for both cases; a plan over all blocks of a file then
says of each how many lines end the row before, and what of the next one ends its own last row.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from invoicer.errors import InputError
from invoicer.guard import freed
from invoicer.headers import SEARCHED
from invoicer.json_lines import Fault, json_header, json_lines, json_row
from invoicer.readers import MAX_CELL, delimited_table, is_guarded
from invoicer.table import BrokenRow

DELIMITERS = {".csv": ",", ".tsv": "\t"}
# What one quoted cell may have behind the border of two blocks.
MAX_LEAD = 64 << 10
_BOM = b"\xef\xbb\xbf"
_EXTRA = "x\n"


@dataclass(frozen=True, slots=True)
class Walk:
    """A block of CSV as read from one of both states. lead: lines that end the row before; rows:
    those that begin here; is_open: the last of them goes on in the next block; head: lines of the
    first rows; fault: (line, why) where it cannot be read."""

    lead: int = 0
    rows: int = 0
    is_open: bool = False
    head: int = 0
    fault: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """What a block tells by itself. lines: physical ones; encodings: those it can be read with;
    closed, opened: as walked through from outside and from inside a quoted cell; lead: what ends
    that row, None where it is too long; head: where a header may stand; keys: of JSON objects;
    fault: the first line that is none."""

    lines: int
    encodings: tuple[str, ...]
    rows: int = 0
    closed: Walk = field(default_factory=Walk)
    opened: Walk = field(default_factory=Walk)
    lead: bytes | None = b""
    head: bytes = b""
    keys: tuple[str, ...] = ()
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """How to read a block. lead: lines to pass over; before: rows of the file before it; tail:
    what ends its last row."""

    lead: int = 0
    before: int = 0
    tail: bytes = b""


@dataclass(frozen=True, slots=True)
class TextTable:
    """A file of text as a table. first_row: as people count; skipped: rows above it; keys: of the
    objects of a JSONL file; blocks: by where they start."""

    header: list[str]
    encoding: str
    skipped: int
    blocks: dict[int, Block]
    delimiter: str = ""
    keys: tuple[str, ...] = ()
    guarded: bool = False

    def rows(self, start: int, data: bytes) -> Iterator[tuple[int, list[str]]]:
        """(number as people count, cells) of the rows that begin in a block."""
        block = self.blocks[start]
        text = _text(_whole(start, data), block, self.encoding)
        if not self.delimiter:
            values = json_lines(io.StringIO(text))
            for number, (_, value) in enumerate(values, block.before + 1):
                yield number, json_row(value, self.keys)
            return
        csv.field_size_limit(MAX_CELL)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)
        for number, row in enumerate((row for row in reader if row), block.before + 1):
            if number > self.skipped:
                yield number, [freed(cell) for cell in row] if self.guarded else row


def plain_uri(uri: str) -> str:
    """A URI as it is compared: local files come with one slash or with three."""
    return re.sub(r"^file:/+", "file:/", uri)


def _whole(start: int, data: bytes) -> bytes:
    return data.removeprefix(_BOM) if start == 0 else data


def _text(data: bytes, block: Block, encoding: str) -> str:
    if block.lead:
        data = b"".join(data.splitlines(keepends=True)[block.lead :])
    return (data + block.tail).decode(encoding) if data else ""


def scan(start: int, data: bytes, suffix: str) -> Scan:
    """What a block of a file tells by itself."""
    lines = _whole(start, data).splitlines(keepends=True)
    texts: list[str] = []
    encodings = []
    for encoding in ("gb18030", "utf-8"):
        try:
            texts = [line.decode(encoding) for line in lines]
        except UnicodeDecodeError:
            continue
        encodings.append(encoding)
    found = Scan(len(lines), tuple(encodings))
    if not encodings:
        return found
    if suffix in DELIMITERS:
        return _scan_rows(found, start, lines, texts, DELIMITERS[suffix])
    return _scan_objects(found, texts)


def _scan_rows(
    found: Scan, start: int, lines: list[bytes], texts: list[str], delimiter: str
) -> Scan:
    closed, opened = walk(texts, delimiter, False), walk(texts, delimiter, True)
    lead = b"".join(lines[: opened.lead])
    return replace(
        found,
        closed=closed,
        opened=opened,
        lead=lead if opened.lead and len(lead) <= MAX_LEAD else None,
        head=b"".join(lines[: closed.head]) if start == 0 else b"",
    )


def walk(lines: Sequence[str], delimiter: str, inside: bool) -> Walk:
    """Read a block by the rules of CSV, as if it began inside a quoted cell or outside of it."""
    csv.field_size_limit(MAX_CELL)
    given = ['"' + lines[0], *lines[1:]] if inside else list(lines)
    # A line more: it stands by itself only where no quote is open at the end.
    reader = csv.reader([*given, _EXTRA], delimiter=delimiter)
    lead = rows = last = head = 0
    try:
        for row in reader:
            here = min(reader.line_num, len(lines))
            ends = reader.line_num > len(lines)
            if ends and last == len(lines):
                break
            if inside and last == 0:
                lead = here
            else:
                rows += bool(row)
            if rows <= SEARCHED:
                head = here
            if ends:
                return Walk(lead, rows, True, head)
            last = here
    except csv.Error as error:
        return Walk(lead, rows, False, head, (reader.line_num, str(error)))
    return Walk(lead, rows, False, head)


def _scan_objects(found: Scan, lines: Sequence[str]) -> Scan:
    keys: dict[str, None] = {}
    rows = 0
    fault: Fault | None = None
    for number, value in json_lines(lines):
        if isinstance(value, BrokenRow):
            fault = fault or (number, value.why)
        else:
            keys.update(dict.fromkeys(value))
        rows += 1
    return replace(found, rows=rows, keys=tuple(keys), fault=fault)


def table_of(
    scans: Sequence[tuple[int, Scan]], suffix: str, name: str, raw: bool = False
) -> TextTable:
    """The table of a file from the scans of its blocks, in order; raises InputError where it
    cannot be read. name: of the file, for messages; raw: see `read_table`."""
    able = set.intersection(*(set(one.encodings) for _, one in scans)) if scans else set()
    if not scans:
        raise InputError(f"文件是空的:{name}", file=name)
    if not able:
        raise InputError(
            f"{name} 既不是 UTF-8 也不是 GB18030 编码,请另存为 UTF-8 的 CSV", file=name
        )
    encoding = "utf-8" if "utf-8" in able else "gb18030"
    if suffix in DELIMITERS:
        return _delimited(scans, encoding, DELIMITERS[suffix], name, raw)
    return _objects(scans, encoding, name)


def _delimited(
    scans: Sequence[tuple[int, Scan]], encoding: str, delimiter: str, name: str, raw: bool
) -> TextTable:
    head = scans[0][1].head.decode(encoding)
    if "\0" in head[:4096]:
        raise InputError(f"{name} 不是文本文件", file=name)
    reader: Any = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    table = delimited_table(reader, name)
    return TextTable(
        header=table.header,
        encoding=encoding,
        skipped=table.first_row - 1,
        blocks=_plan(scans, name),
        delimiter=delimiter,
        guarded=not raw and is_guarded(table.header),
    )


def _plan(scans: Sequence[tuple[int, Scan]], name: str) -> dict[int, Block]:
    blocks: dict[int, Block] = {}
    before = lines = 0
    opener: int | None = None  # the block whose last row is not at its end
    for start, one in scans:
        walked = one.closed if opener is None else one.opened
        if walked.fault is not None:
            line, why = walked.fault
            raise InputError(
                f"{name} 第 {lines + line} 行无法解析:{why};请检查引号是否成对", file=name
            )
        if opener is not None:
            owner = blocks[opener]
            if one.lead is None or len(owner.tail) + len(one.lead) > MAX_LEAD:
                raise InputError(
                    f"{name} 第 {lines} 行的引号内超过 {MAX_LEAD >> 10} KB 仍未结束;"
                    "请检查引号是否成对",
                    file=name,
                )
            blocks[opener] = replace(owner, tail=owner.tail + one.lead)
        blocks[start] = Block(walked.lead if opener is not None else 0, before)
        if not walked.is_open:
            opener = None
        elif walked.rows:
            opener = start
        before, lines = before + walked.rows, lines + one.lines
    return blocks


def _objects(scans: Sequence[tuple[int, Scan]], encoding: str, name: str) -> TextTable:
    blocks: dict[int, Block] = {}
    keys: dict[str, None] = {}
    fault: Fault | None = None
    before = lines = 0
    for start, one in scans:
        if one.fault is not None and fault is None:
            fault = (lines + one.fault[0], one.fault[1])
        blocks[start] = Block(0, before)
        keys.update(dict.fromkeys(one.keys))
        before, lines = before + one.rows, lines + one.lines
    header = json_header(keys, fault, name)
    return TextTable(header, encoding, 0, blocks, keys=tuple(keys))
