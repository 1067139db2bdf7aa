"""What a run keeps on disk: distinct questions, their answers, groups; and how far it has come.

One SQLite file in the work folder. Whatever is committed holds after a crash of the program.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = """
create table if not exists questions (hash blob primary key, text text not null) without rowid;
create table if not exists answers (hash blob primary key, answer blob not null) without rowid;
create table if not exists sellers (id integer primary key, name text not null unique);
create table if not exists groups (
  seller integer not null, name blob not null, period integer not null, code text not null,
  lines integer not null, primary key (seller, name, period, code)) without rowid;
create table if not exists reviews (
  id text primary key, question text not null, line text not null, times integer not null,
  amount integer not null) without rowid;
create table if not exists progress (stage text primary key, done integer not null) without rowid;
"""
ASKED_AT_ONCE = 10_000
PAGE = 512

# Of each seller: lines, names, names coded in several ways, lines of these. Plain SQL, for any
# engine that has the groups.
CONSISTENCY = """
select seller, sum(lines) as lines, count(*) as names,
sum(case when codes > 1 then 1 else 0 end) as mixed,
sum(case when codes > 1 then lines else 0 end) as mixed_lines
from (select seller, sum(lines) as lines, count(*) as codes from groups
group by seller, name, period) as named group by seller"""
SELLERS = 50

# seller, hash of the normalised name, number of the code table's period, declared code
GroupKey = tuple[str, bytes, int, str]
# item and question of `review.items.Identity`, the line as JSON, how often, net amount in fen
ReviewRow = tuple[str, str, str, int, int]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What collecting a part found: questions by hash, lines of each group."""

    questions: dict[bytes, str]
    groups: Mapping[GroupKey, int]


class Work:
    """The work database; the one that writes."""

    def __init__(self, path: Path):
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None)
        # What is lost when the machine itself fails is done again: parts are checked when read.
        self._db.executescript(
            f"pragma journal_mode = wal; pragma synchronous = normal;"
            f"pragma cache_size = -32768; {_SCHEMA}"
        )
        self._sellers: dict[str, int] = {}

    def close(self) -> None:
        self._db.close()

    def done(self, stage: str) -> int:
        """How much of a stage is done: parts, or lines."""
        row = self._db.execute("select done from progress where stage = ?", [stage]).fetchone()
        return int(row[0]) if row else 0

    def _mark(self, stage: str, done: int) -> None:
        self._db.execute("insert or replace into progress values (?, ?)", [stage, done])

    def gather(self, number: int, gathered: Gathered) -> None:
        """Keep what a part holds, once."""
        with self._transaction():
            self._db.executemany(
                "insert or ignore into questions values (?, ?)", sorted(gathered.questions.items())
            )
            self._db.executemany(
                """insert into groups values (?, ?, ?, ?, ?)
                   on conflict do update set lines = lines + excluded.lines""",
                [
                    (self._seller(seller), name, period, code, lines)
                    for (seller, name, period, code), lines in gathered.groups.items()
                ],
            )
            self._mark("collect", number + 1)

    def _seller(self, name: str) -> int:
        if name not in self._sellers:
            self._db.execute("insert or ignore into sellers (name) values (?)", [name])
            row = self._db.execute("select id from sellers where name = ?", [name]).fetchone()
            if len(self._sellers) > 100_000:
                self._sellers.clear()
            self._sellers[name] = int(row[0])
        return self._sellers[name]

    def finish_collecting(self, parts: int, lines: int) -> None:
        """Groups whose seller coded one name in several ways stand out from now on."""
        with self._transaction():
            self._db.execute("drop table if exists mixed")
            self._db.execute(
                """create table mixed as select s.name as seller, g.name, g.period,
                   json_group_object(g.code, g.lines) as codes
                   from groups g join sellers s on s.id = g.seller
                   group by g.seller, g.name, g.period having count(*) > 1"""
            )
            self._db.execute("create index mixed_key on mixed (name, seller, period)")
            self._mark("collected", parts)
            self._mark("lines", lines)

    def count(self, table: str) -> int:
        return int(self._db.execute(f"select count(*) from {table}").fetchone()[0])

    def open_questions(self) -> Iterator[list[tuple[bytes, str]]]:
        """Questions without an answer, page by page in the order of their hashes."""
        last = b""
        while page := self._db.execute(
            """select hash, text from questions q where hash > ? and not exists
               (select 1 from answers a where a.hash = q.hash) order by hash limit ?""",
            [last, PAGE],
        ).fetchall():
            yield page
            last = page[-1][0]

    def answer(self, answers: Sequence[tuple[bytes, bytes]]) -> None:
        with self._transaction():
            self._db.executemany("insert or replace into answers values (?, ?)", answers)

    def seller_consistency(self) -> list[tuple[str, int, int, int, int]]:
        """(seller, lines, names, names coded in several ways, lines of these), worst first."""
        return self._db.execute(
            f"""select s.name, c.lines, c.names, c.mixed, c.mixed_lines
               from ({CONSISTENCY}) c join sellers s on s.id = c.seller
               order by 5 desc, 2 desc, 1 limit {SELLERS}"""
        ).fetchall()

    def add_reviews(self, rows: Iterable[ReviewRow]) -> None:
        """Sum up the review items of all parts, once."""
        if self.done("reviews"):
            return
        with self._transaction():
            self._db.executemany(
                """insert into reviews values (?, ?, ?, ?, ?)
                   on conflict do update set times = times + excluded.times,
                   amount = amount + excluded.amount""",
                rows,
            )
            self._mark("reviews", 1)

    def review_pages(self) -> Iterator[list[ReviewRow]]:
        """All review items, page by page; the pages are the same every time."""
        last = ""
        while page := self._db.execute(
            "select * from reviews where id > ? order by id limit ?",
            [last, PAGE],
        ).fetchall():
            yield page
            last = page[-1][0]

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)


class _Transaction:
    def __init__(self, db: sqlite3.Connection):
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("begin immediate")

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("commit" if kind is None else "rollback")


class WorkReader:
    """The work database for a worker that judges: reads only."""

    def __init__(self, path: Path):
        self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        self._db.execute("pragma cache_size = -8192")

    def answers(self, hashes: Sequence[bytes]) -> dict[bytes, bytes]:
        return {
            row[0]: row[1]
            for some in _chunks(sorted(hashes))
            for row in self._db.execute(
                f"select hash, answer from answers where hash in ({','.join('?' * len(some))})",
                some,
            )
        }

    def mixed(self, names: Sequence[bytes]) -> dict[tuple[bytes, str, int], str]:
        """(name, seller, period) → JSON of lines by code, where there are several."""
        return {
            (name, seller, period): codes
            for some in _chunks(sorted(names))
            for name, seller, period, codes in self._db.execute(
                "select name, seller, period, codes from mixed"
                f" where name in ({','.join('?' * len(some))})",
                some,
            )
        }


def _chunks(values: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(values), ASKED_AT_ONCE):
        yield values[start : start + ASKED_AT_ONCE]
