"""How many lines were answered, by tenant, day and tier: counted at once, written now and then."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

from invoicer.line import today
from invoicer.store import Store

_ADD = """
insert into answered (tenant, day, tier, lines) values (?, ?, ?, ?)
on conflict (tenant, day, tier) do update set lines = lines + excluded.lines
"""


class Tally:
    """Counts of one process. Answering never waits for the database: `flush` writes."""

    def __init__(self, store: Store):
        self._store = store
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()

    def add(self, tenant: str, tiers: Mapping[str, int]) -> None:
        """Count answered lines, by tier."""
        day = today().isoformat()
        with self._lock:
            for tier, lines in tiers.items():
                self._counts[tenant, day, tier] += lines

    def flush(self) -> None:
        """Write what was counted since; what cannot be written is kept for the next time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            with self._store.transaction() as db:
                db.conn.executemany(_ADD, [(*key, lines) for key, lines in counts.items()])
        except BaseException:
            with self._lock:
                self._counts.update(counts)
            raise
