"""The inputs of a run: files, folders and globs, each a table, all under one header."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path, PurePath

from invoicer.columns import recognise
from invoicer.errors import InputError
from invoicer.readers import SUFFIXES, read_table
from invoicer.recode.einvoice import EINVOICE_SUFFIXES, read_einvoice
from invoicer.recode.lines import Heads
from invoicer.table import Table

PART_ROWS, PART_CELLS = 2_000, 40_000
SOURCE_COLUMN = "来源文件"
READABLE = (*SUFFIXES, *EINVOICE_SUFFIXES)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one input that are done and kept together.

    number: from 0 over all inputs; source: number of the input; numbers: of its rows, as people
    count; head: of the invoice that its first row may belong to (`Heads`).
    """

    number: int
    source: int
    numbers: Sequence[int | str]
    rows: list[list[str]]
    head: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """One input. name: by which it is told; places: field → its column; order: for each title of
    the common header the input's column, −1 where it has none."""

    path: Path
    name: str
    header: list[str]
    places: dict[str, int]
    order: list[int]
    size: int | None


def expand(inputs: Sequence[str]) -> list[Path]:
    """The files that are meant, in a fixed order; raises InputError where there are none."""
    paths: list[Path] = []
    for text in inputs:
        path = Path(text)
        if path.is_dir():
            found = [p for p in path.rglob("*") if p.is_file() and _is_readable(p)]
        elif path.exists():
            found = [path]
        else:
            found = [Path(p) for p in glob.glob(text, recursive=True) if _is_readable(Path(p))]
        if not found:
            raise InputError(f"没有找到可读取的文件:{text}", file=text)
        paths += sorted(found)
    return list(dict.fromkeys(paths))


def _is_readable(path: Path) -> bool:
    return path.suffix.lower() in READABLE and not path.name.startswith((".", "~$"))


def names_of(paths: Sequence[PurePath]) -> list[str]:
    """By what each input is told: its name, and with the folders that set it apart where several
    have the same."""
    times = Counter(path.name for path in paths)
    levels = zip(*(path.parent.parts for path in paths), strict=False)
    depth = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, levels))
    return [
        path.name if times[path.name] == 1 else "/".join(path.parts[depth:]) for path in paths
    ]


def open_table(path: Path, raw: bool = False) -> Table:
    """The lines of any input; raw: see `read_table`."""
    if path.suffix.lower() in EINVOICE_SUFFIXES:
        return read_einvoice(path)
    return read_table(path, raw)


def places_of(header: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
    """Field → column of one input; a mapped title that it does not have is another input's."""
    return recognise(header, {t: f for t, f in mapping.items() if t in header})


def common_header(
    headers: Sequence[Sequence[str]], mapping: Mapping[str, str]
) -> tuple[list[str], list[list[int]]]:
    """The header over all inputs, and for each of them where its titles stand in the input.

    Raises InputError where a mapped title is nobody's.
    """
    titles: dict[tuple[str, int], int] = {}
    keys = [_keys(header) for header in headers]
    for group in keys:
        for key in group:
            titles.setdefault(key, len(titles))
    common = [title for title, _ in titles] + ([SOURCE_COLUMN] if len(headers) > 1 else [])
    for title in mapping:
        if not any(title in header for header in headers):
            raise InputError(f"没有名为“{title}”的列", columns=common[:50])
    orders = [[group.index(key) if key in group else -1 for key in titles] for group in keys]
    return common, orders


def in_order(row: Sequence[str], order: Sequence[int]) -> list[str]:
    """A row's cells under the common header."""
    width = len(row)
    return [row[i] if 0 <= i < width else "" for i in order]


def part_size(header: Sequence[str]) -> int:
    """How many rows are done and kept together."""
    return max(1, min(PART_ROWS, PART_CELLS // len(header)))


class Sources:
    """All inputs under one header: every title of theirs, in order of first appearance.

    unreadable: what was wrong with the inputs that had to be left out. raw: see `read_table`.
    """

    def __init__(self, paths: Sequence[Path], mapping: Mapping[str, str], raw: bool = False):
        self.unreadable: list[InputError] = []
        self._raw = raw
        paths, tables = self._open(paths, mapping)
        self.notes = [note for table in tables for note in table.notes]
        headers = [table.header for table in tables]
        self.header, orders = common_header(headers, mapping)
        self._several = len(paths) > 1
        self.sources = [
            Source(path, name, table.header, places_of(table.header, mapping), order, table.size)
            for path, name, table, order in zip(
                paths, names_of(paths), tables, orders, strict=True
            )
        ]

    def _open(
        self, paths: Sequence[Path], mapping: Mapping[str, str]
    ) -> tuple[list[Path], list[Table]]:
        """The inputs that can be read, with their tables; one that cannot stops only itself."""
        found: list[Path] = []
        tables: list[Table] = []
        for path, name in zip(paths, names_of(paths), strict=True):
            try:
                table = open_table(path, self._raw)
                places_of(table.header, mapping)
            except InputError as error:
                error.context["file"] = name
                self.unreadable.append(error)
                continue
            found.append(path)
            tables.append(table)
        if not found:
            raise self.unreadable[0]
        return found, tables

    def cells(self, source: Source, row: list[str]) -> list[str]:
        """A row's cells under the common header."""
        cells = in_order(row, source.order)
        return [*cells, source.name] if self._several else cells

    def parts(self) -> Iterator[Part]:
        """The rows in parts of a fixed size; a part never crosses from one input to the next."""
        number = 0
        for i, source in enumerate(self.sources):
            table = open_table(source.path, self._raw)
            heads = Heads(source.places)
            size = part_size(table.header)
            at = 0
            while rows := list(islice(table.rows, size)):
                yield Part(number, i, table.numbers(at, at + len(rows)), rows, heads.head)
                heads.skip(rows)
                number, at = number + 1, at + len(rows)


def _keys(header: Sequence[str]) -> list[tuple[str, int]]:
    """(title, how often it stood before): the same title twice is two columns."""
    seen: dict[str, int] = {}
    keys = []
    for title in header:
        keys.append((title, seen.get(title, 0)))
        seen[title] = seen.get(title, 0) + 1
    return keys
