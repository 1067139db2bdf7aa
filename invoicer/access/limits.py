"""Rate limits: how many lines a principal may send, counted across all worker processes."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from pathlib import Path

from invoicer.errors import InvoicerError, UnavailableError

# Owed all the same: what was done can no longer be refused.
_OWE = """
insert into spent (principal, due) values (:principal, :now + :cost)
on conflict (principal) do update set due = max(due, :now) + :cost
"""
# One statement decides and counts, so that workers cannot both take the last place. `due` is the
# moment at which everything taken so far would be paid off at the permitted rate (the generic
# cell rate algorithm); it may lie at most the burst ahead of now.
_TAKE = """
insert into spent (principal, due) values (:principal, :now + :cost)
on conflict (principal) do update set due = max(due, :now) + :cost
where max(due, :now) + :cost <= :now + :burst
"""
# Some at a time with pauses, so that nobody who takes meanwhile waits long.
_FORGET = """
delete from spent where principal in (select principal from spent where due < ? limit 1000)
"""
PAUSE_SECONDS = 0.02


class TooManyError(InvoicerError):
    """Over the limit; context.retry_after: whole seconds to wait."""

    code = "too_many_requests"


class RateLimit:
    """A steady rate with a burst, one row a principal.

    Kept in a file of its own that needs no durability: losing it forgives what was spent.
    """

    def __init__(self, path: Path, lines_per_second: float, burst_seconds: float = 10.0):
        self.path = path
        self.lines_per_second = lines_per_second
        self.burst_seconds = burst_seconds
        self._local = threading.local()

    @property
    def _connection(self) -> sqlite3.Connection:
        if getattr(self._local, "pid", None) != os.getpid():
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            connection = sqlite3.connect(self.path, timeout=5, isolation_level=None)
            connection.execute("pragma journal_mode=wal")
            connection.execute("pragma synchronous=off")
            connection.execute(
                "create table if not exists spent (principal text primary key, due real not null)"
                " without rowid"
            )
            self._local.connection, self._local.pid = connection, os.getpid()
        found: sqlite3.Connection = self._local.connection
        return found

    def check(self) -> None:
        """Raises UnavailableError where the file is none of ours."""
        try:
            self._connection.execute("select count(*) from spent").fetchone()
        except (sqlite3.Error, OSError) as error:
            raise UnavailableError(
                f"限流文件 {self.path} 无法使用({error}),请删除后重启", file=str(self.path)
            ) from error
        self.close()  # each worker opens its own connection

    def close(self) -> None:
        """Close this thread's connection."""
        if getattr(self._local, "pid", None) == os.getpid():
            self._local.connection.close()
            self._local.pid = None

    def take(self, principal: str, lines: int = 1, lines_per_second: float | None = None) -> None:
        """Count lines of a principal; raises TooManyError where they are too many for now.

        A request larger than the whole burst is let through on a fresh account and paid off after.
        """
        rate = lines_per_second or self.lines_per_second
        now, cost = time.time(), lines / rate
        # The first line of a batch was counted when its request came in.
        counted = 1 / rate if lines > 1 else 0
        burst = max(self.burst_seconds, cost + counted)
        values = {"principal": principal, "now": now, "cost": cost, "burst": burst}
        if self._connection.execute(_TAKE, values).rowcount:
            return
        (due,) = self._connection.execute(
            "select due from spent where principal = ?", [principal]
        ).fetchone()
        wait = max(1, int(due + cost - burst - now) + 1)
        raise TooManyError(f"请求过于频繁,请在 {wait} 秒后重试", retry_after=wait)

    def owe(self, principal: str, lines: int, lines_per_second: float | None = None) -> None:
        """Count lines that are done already: the next ones are refused until they are paid off."""
        cost = lines / (lines_per_second or self.lines_per_second)
        values = {"principal": principal, "now": time.time(), "cost": cost}
        self._connection.execute(_OWE, values)

    def forget_paid(self) -> int:
        """Delete accounts that owe nothing any more, which says the same as no account; returns
        how many. Any address that tries to sign in opens one."""
        now, total = time.time(), 0
        while some := self._connection.execute(_FORGET, [now]).rowcount:
            total += some
            time.sleep(PAUSE_SECONDS)
        return total
