"""How many lines were answered, by tenant, day and tier, and by month, kind of goods and seller's
industry: counted at once, written now and then."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from invoicer.line import InvoiceLine, today
from invoicer.store import Store
from invoicer.suggestion import Suggestion
from knowledge_base.industries import industries_of

_ADD = """
insert into answered (tenant, day, tier, lines)
select :tenant, :day, :tier, :lines from tenants where tenant = :tenant and erased_at is null
on conflict (tenant, day, tier) do update set lines = lines + excluded.lines
"""
_ADD_CUT = """
insert into answered_by (tenant, month, chapter, industry, tier, lines)
select :tenant, :month, :chapter, :industry, :tier, :lines
from tenants where tenant = :tenant and erased_at is null
on conflict (tenant, month, chapter, industry, tier) do update set lines = lines + excluded.lines
"""
CUT = ("tenant", "month", "chapter", "industry", "tier", "lines")
CHAPTER_DIGITS = 3  # 101: 农、林、牧、渔业类产品


@lru_cache(maxsize=10_000)
def section_of(seller: str) -> str:
    """Letter of the seller's industry in GB/T 4754, "" where it is not known."""
    return industries_of(seller).section if seller else ""


class Tally:
    """Counts of one process. Answering never waits for the database: `flush` writes.

    What belongs to a tenant that was erased meanwhile is dropped.
    """

    def __init__(self, store: Store):
        self._store = store
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._cuts: Counter[tuple[str, ...]] = Counter()
        self._lock = threading.Lock()

    def add(self, tenant: str, tiers: Mapping[str, int]) -> None:
        """Count answered lines, by tier."""
        day = today().isoformat()
        with self._lock:
            for tier, lines in tiers.items():
                self._counts[tenant, day, tier] += lines

    def add_answers(self, tenant: str, given: Iterable[tuple[InvoiceLine, Suggestion]]) -> None:
        """Count answers by what was answered and who sells."""
        cuts = Counter(
            (s.candidates[0].code[:CHAPTER_DIGITS], section_of(line.seller_industry), s.tier.value)
            for line, s in given
        )
        self.add_cuts(tenant, cuts)

    def add_cuts(self, tenant: str, cuts: Mapping[tuple[str, str, str], int]) -> None:
        """Count answers that are summed up already. cuts: (chapter, section, tier) → lines."""
        month = f"{today():%Y-%m}"
        with self._lock:
            self._cuts.update({(tenant, month, *cut): lines for cut, lines in cuts.items()})

    def flush(self) -> None:
        """Write what was counted since; what cannot be written is kept for the next time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            cuts, self._cuts = self._cuts, Counter()
        if not counts and not cuts:
            return
        try:
            with self._store.transaction() as db:
                db.conn.executemany(
                    _ADD,
                    [
                        {"tenant": tenant, "day": day, "tier": tier, "lines": lines}
                        for (tenant, day, tier), lines in counts.items()
                    ],
                )
                db.conn.executemany(
                    _ADD_CUT,
                    [dict(zip(CUT, (*key, lines), strict=True)) for key, lines in cuts.items()],
                )
        except BaseException:
            with self._lock:
                self._counts.update(counts)
                self._cuts.update(cuts)
            raise
