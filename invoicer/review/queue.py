"""The queue: who works on what. Two people never have the same item."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from invoicer.access.principals import Principal
from invoicer.errors import NotFoundError
from invoicer.review.rules import ReviewRules
from invoicer.review.states import ReviewConflictError, State, record
from invoicer.store import Store, utc_text

SKIPPED_HOURS = 1
PAGE = 50
_FREE = "(leased_by is null or leased_by = :me or leased_until <= :now)"
_WANTED = "id not in (select value from json_each(:without))"
# Not voted on by me, for a second vote is blind and by somebody else; not skipped by me lately.
_FOR_ME = """
not exists (select 1 from review_votes v where v.item = i.id and v.principal = :me)
and not exists (select 1 from review_events e where e.item = i.id and e.actor = :me
                and e.action = 'skip' and e.at > :skipped)
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items; empty fields do not restrict. text: part of the name; chapter: first digits of
    the suggested code."""

    tier: str = ""
    state: str = State.OPEN.value
    text: str = ""
    chapter: str = ""
    sampled: bool | None = None

    def where(self) -> tuple[str, dict[str, Any]]:
        """(SQL condition, its parameters)."""
        terms, values = ["state = :state"], {"state": self.state}
        if self.tier:
            terms.append("tier = :tier")
            values["tier"] = self.tier
        if self.text:
            terms.append("instr(line ->> 'name', :text) > 0")
            values["text"] = self.text
        if self.chapter:
            terms.append("instr(suggestion ->> '$.candidates[0].code', :chapter) = 1")
            values["chapter"] = self.chapter
        if self.sampled is not None:
            terms.append("sampled = :sampled")
            values["sampled"] = str(int(self.sampled))
        return " and ".join(terms), values


class Queue:
    """Leasing and finding the items of the principals' tenants."""

    def __init__(self, store: Store, rules: ReviewRules | None = None):
        self.store = store
        self.rules = rules or ReviewRules.load()

    def lease(
        self,
        me: Principal,
        count: int = 1,
        only: Filter = Filter(),
        without: Collection[str] = (),
    ) -> list[dict[str, Any]]:
        """The most urgent free items, now reserved for me; those I have already come first.

        without: ids I hold on screen and do not want again.
        """
        where, values = only.where()
        now = dt.datetime.now(dt.UTC)
        values |= {
            "me": me.id,
            "tenant": me.tenant,
            "now": utc_text(now),
            "skipped": utc_text(now - dt.timedelta(hours=SKIPPED_HOURS)),
            "count": count,
            "without": json.dumps(list(without)),
        }
        # A lease that a power cut undoes is no loss: the item is free again.
        with self.store.transaction(durable=False):
            # Two questions, so that each is answered from an index without sorting.
            rows = self.store.rows(
                f"""select * from review_items i indexed by review_items_leased
                    where leased_by = :me and leased_until > :now
                    and tenant = :tenant and {where} and {_WANTED}
                    order by priority desc, id limit :count""",
                values,
            )
            values["count"] = count - len(rows)
            rows += self.store.rows(
                f"""select * from review_items i where tenant = :tenant and {where}
                    and (leased_by is null or leased_until <= :now) and {_FOR_ME} and {_WANTED}
                    order by priority desc, id limit :count""",
                values,
            )
            self._reserve(me, [row["id"] for row in rows])
        return [item_of_row(row) for row in rows]

    def renew(self, me: Principal, ids: Collection[str]) -> None:
        """Keep items for me for another lease; raises ReviewConflictError for one I have lost."""
        with self.store.transaction():
            for ident in ids:
                self.mine(me, ident)
            self._reserve(me, ids)

    def release(self, me: Principal, ids: Collection[str], skip: bool = False) -> None:
        """Give items back; skip: and do not offer them to me again for a while."""
        with self.store.transaction() as db:
            for ident in ids:
                item = self.mine(me, ident)
                db.execute("update review_items set leased_by = null where id = ?", [ident])
                if skip:
                    record(self.store, item, me.id, "skip", item["state"])

    def _reserve(self, me: Principal, ids: Collection[str]) -> None:
        until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.rules.lease_seconds)
        self.store.db.conn.executemany(
            "update review_items set leased_by = ?, leased_until = ? where id = ?",
            [(me.id, utc_text(until), ident) for ident in ids],
        )

    def find(self, tenant: str, ident: str) -> dict[str, Any]:
        """An item of a tenant; raises NotFoundError where there is none."""
        row = self.store.row(
            "select * from review_items where id = ? and tenant = ?", [ident, tenant]
        )
        if row is None:
            raise NotFoundError("没有这个审核项", item=ident[:60])
        return item_of_row(row)

    def mine(self, me: Principal, ident: str) -> dict[str, Any]:
        """An open item that I hold or that nobody holds; raises ReviewConflictError otherwise."""
        item = self.find(me.tenant, ident)
        if item["state"] != State.OPEN:
            raise ReviewConflictError(f"该项{State(item['state']).label},不能再处理", item=ident)
        taken = item["leased_by"] not in (None, me.id) and item["leased_until"] > utc_text()
        if taken:
            raise ReviewConflictError("该项正由他人处理", item=ident)
        return item

    def search(self, tenant: str, only: Filter, page: int = 1) -> tuple[int, list[dict[str, Any]]]:
        """(how many there are, one page of them), most urgent first."""
        where, values = only.where()
        values |= {"tenant": tenant, "limit": PAGE, "offset": PAGE * (page - 1)}
        condition = f"tenant = :tenant and {where}"
        total = self.store.row(f"select count(*) as n from review_items where {condition}", values)
        rows = self.store.rows(
            f"select * from review_items where {condition} order by priority desc, id"
            " limit :limit offset :offset",
            values,
        )
        return (total or {"n": 0})["n"], [item_of_row(row) for row in rows]

    def counts(self, tenant: str) -> dict[str, int]:
        """How many items stand where."""
        rows = self.store.rows(
            "select state, count(*) as n from review_items where tenant = ? group by state",
            [tenant],
        )
        return dict.fromkeys(State, 0) | {row["state"]: row["n"] for row in rows}

    def groups(self, me: Principal, limit: int = 100) -> list[dict[str, Any]]:
        """Kinds of several alike open items: their most urgent one, how many, times and amount."""
        now = dt.datetime.now(dt.UTC)
        return self.store.rows(
            f"""select id, max(priority) as priority, suggestion ->> '$.core' as core,
                suggestion ->> '$.candidates[0].short_name' as short_name,
                suggestion ->> '$.candidates[0].name' as code_name,
                suggestion ->> '$.candidates[0].code' as code,
                min(confidence) as confidence, group_concat(distinct tier) as tiers,
                count(*) as items, sum(times) as times, sum(amount) as amount
                from review_items i
                where tenant = :tenant and state = 'open' and {_FREE} and {_FOR_ME}
                group by alike having count(*) > 1 order by sum(priority) desc limit :limit""",
            {
                "tenant": me.tenant, "me": me.id, "now": utc_text(now), "limit": limit,
                "skipped": utc_text(now - dt.timedelta(hours=SKIPPED_HOURS)),
            },
        )  # fmt: skip

    def similar(self, item: dict[str, Any], limit: int = 6) -> list[dict[str, Any]]:
        """Decided items of the same tenant with the same core product, the newest first."""
        rows = self.store.rows(
            """select * from review_items where tenant = ? and state = 'decided'
               and suggestion ->> '$.core' = ? and id <> ? order by decided_at desc limit ?""",
            [item["tenant"], item["suggestion"].get("core", ""), item["id"], limit],
        )
        return [item_of_row(row) for row in rows]

    def alike(self, me: Principal, ident: str, limit: int = 100) -> list[dict[str, Any]]:
        """Other open items with the same core product and first candidate that I may decide."""
        item = self.find(me.tenant, ident)
        now = dt.datetime.now(dt.UTC)
        rows = self.store.rows(
            f"""select * from review_items i where tenant = :tenant and state = 'open'
                and alike = :alike and id <> :id and {_FREE} and {_FOR_ME}
                order by priority desc, id limit :limit""",
            {
                "tenant": me.tenant, "alike": item["alike"], "id": ident, "me": me.id,
                "now": utc_text(now), "limit": limit,
                "skipped": utc_text(now - dt.timedelta(hours=SKIPPED_HOURS)),
            },
        )  # fmt: skip
        return [item_of_row(row) for row in rows]


def item_of_row(row: dict[str, Any]) -> dict[str, Any]:
    """A stored item with its line and suggestion as objects."""
    return {
        **row,
        "line": json.loads(row["line"]),
        "suggestion": json.loads(row["suggestion"]),
        "sampled": bool(row["sampled"]),
    }
