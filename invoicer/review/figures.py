"""How review and the answers are doing: numbers from what people decided, by tenant."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from invoicer.access.principals import Principal
from invoicer.line import today
from invoicer.store import Store, utc_text
from invoicer.suggestion import Tier
from knowledge_base.taxonomy import Taxonomy
from models.evaluation import Share

# Moments are kept in UTC, days are China's.
_DAY = "date(at, '+8 hours')"
# Items with two votes from which kappa tells more than chance.
ENOUGH_PAIRS = 20
# An act was taken back where the next event of its item is an undo.
_ACTS = f"""
select {_DAY} as day, action, actor from review_events e
where tenant = :tenant and at >= :since
and action in ('decide', 'vote', 'settle', 'send_back', 'uncodable')
and (select n.action from review_events n where n.item = e.item and n.id > e.id
     order by n.id limit 1) is not 'undo'
"""
_CHINA = dt.timezone(dt.timedelta(hours=8))


class Judgement(NamedTuple):
    """What was suggested for an item, and what people decided. day: of the decision."""

    item: str
    day: dt.date
    tier: Tier
    suggested: str
    code: str
    seller: str = ""


class Vote(NamedTuple):
    principal: str
    code: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two blind votes on the same item agree. pairs: (first, second code) → items."""

    pairs: Counter[tuple[str, str]]

    @property
    def votes(self) -> Share:
        """Items on which both say the same code."""
        same = sum(n for (a, b), n in self.pairs.items() if a == b)
        return Share(same, self.pairs.total())

    @property
    def kappa(self) -> float | None:
        """Cohen's, None where it is undefined or the items are too few to tell."""
        return cohen_kappa(self.pairs) if self.pairs.total() >= ENOUGH_PAIRS else None

    @property
    def kappa_text(self) -> str:
        """Kappa for people, or why there is none."""
        if self.pairs.total() < ENOUGH_PAIRS:
            return f"—(不足 {ENOUGH_PAIRS} 项)"
        return "—" if self.kappa is None else f"{self.kappa:.2f}"


@dataclass(frozen=True, slots=True)
class MissingName:
    """A core product that the answers got wrong or did not know, and what it was decided to be."""

    core: str
    items: int
    times: int
    amount: int
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """One day. acts: of people, by kind; lines: answered, by tier."""

    day: dt.date
    acts: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)

    @property
    def strong(self) -> Share:
        """Lines answered without a person."""
        return Share(self.lines["strong"], self.lines.total())


def days(store: Store, tenant: str, count: int = 14) -> list[Day]:
    """The last days up to today, each with what was done and answered."""
    last = today()
    found = {
        day: Day(day) for day in (last - dt.timedelta(days=n) for n in range(count - 1, -1, -1))
    }
    first = min(found)
    values = {"tenant": tenant, "since": _midnight(first)}
    acts = store.rows(f"select day, action, count(*) as n from ({_ACTS}) group by 1, 2", values)
    for row in acts:
        if day := found.get(dt.date.fromisoformat(row["day"])):
            day.acts[row["action"]] += row["n"]
    lines = store.rows("select * from answered where tenant = :tenant and day >= :first",
                       {"tenant": tenant, "first": first.isoformat()})  # fmt: skip
    for row in lines:
        if day := found.get(dt.date.fromisoformat(row["day"])):
            day.lines[row["tier"]] += row["lines"]
    return list(found.values())


def done_today(store: Store, me: Principal) -> int:
    """How many items I dealt with today."""
    values = {"tenant": me.tenant, "since": _midnight(today()), "me": me.id}
    row = store.row(f"select count(*) as n from ({_ACTS}) where actor = :me", values)
    return int(row["n"]) if row else 0


def _midnight(day: dt.date) -> str:
    """When a day of China begins, as moments are kept."""
    return utc_text(dt.datetime.combine(day, dt.time(), _CHINA))


def automation(days: Iterable[Day]) -> Share:
    """Share of lines answered without a person over several days."""
    lines: Counter[str] = sum((day.lines for day in days), Counter())
    return Share(lines["strong"], lines.total())


def judgements(store: Store, tenant: str, since: dt.date, share: float = 1.0) -> list[Judgement]:
    """Decided items since a day, oldest first. share: of all lines, by the permanent draw: the
    random slice of the rules stands for all."""
    found = store.db.conn.execute(
        """select id, decided_on, tier, suggested, code, seller
           from review_items where tenant = ? and state = 'decided' and draw < ?
           and +decided_on >= ? order by decided_on""",
        [tenant, share, since.isoformat()],
    )
    day, tiers = lru_cache(dt.date.fromisoformat), {tier.value: tier for tier in Tier}
    return [
        Judgement(item, day(on), tiers[tier], suggested, code, seller)
        for item, on, tier, suggested, code, seller in found
    ]


def right_codes(judged: Sequence[Judgement]) -> Share:
    """How often the first candidate's code was what people decided."""
    return Share(sum(one.suggested == one.code for one in judged), len(judged))


def right_short_names(judged: Sequence[Judgement], taxonomy: Taxonomy) -> Share:
    """How often its 简称 was."""
    pairs = Counter((one.suggested, one.code) for one in judged)
    right = sum(n for pair, n in pairs.items() if _same_short_name(*pair, taxonomy))
    return Share(right, len(judged))


def _same_short_name(suggested: str, code: str, taxonomy: Taxonomy) -> bool:
    if suggested not in taxonomy or code not in taxonomy:
        return suggested == code
    return bool(taxonomy.short_names(suggested) & taxonomy.short_names(code))


def by_week(
    store: Store, tenant: str, since: dt.date, taxonomy: Taxonomy
) -> dict[dt.date, dict[Tier, Share]]:
    """简称 precision of each tier, week by week, by the Monday. Strong answers are there as far as
    sampled."""
    connection = store.db.conn
    same = lru_cache(maxsize=None)(partial(_same_short_name, taxonomy=taxonomy))
    connection.create_function("same_short_name", 2, same)
    found = connection.execute(
        """select decided_on, tier,
             sum(case when suggested = code then 1 else same_short_name(suggested, code) end),
             count(*)
           from review_items where tenant = ? and state = 'decided' and decided_on >= ?
           group by decided_on, tier order by decided_on""",
        [tenant, since.isoformat()],
    )
    right: dict[dt.date, Counter[Tier]] = defaultdict(Counter)
    total: dict[dt.date, Counter[Tier]] = defaultdict(Counter)
    for on, tier, n_right, n in found:
        day = dt.date.fromisoformat(on)
        week = day - dt.timedelta(days=day.weekday())
        right[week][Tier(tier)] += n_right
        total[week][Tier(tier)] += n
    return {
        week: {tier: Share(right[week][tier], n) for tier, n in sorted(tiers.items())}
        for week, tiers in total.items()
    }


def agreement(store: Store, tenant: str, since: dt.date) -> Agreement:
    """Agreement of first and second votes on the items that had two blind ones."""
    return agreements(store, tenant, since)[0]


def agreements(
    store: Store, tenant: str, since: dt.date
) -> tuple[Agreement, dict[str, Agreement]]:
    """The same of all, and of each reviewer's own votes with whoever else voted on the item, by
    principal."""
    whole = Agreement(Counter())
    each: dict[str, Agreement] = defaultdict(lambda: Agreement(Counter()))
    for (a, b), items in _blind_votes(store, tenant, since).items():
        whole.pairs[a.code, b.code] += items
        each[a.principal].pairs[a.code, b.code] += items
        each[b.principal].pairs[b.code, a.code] += items
    return whole, dict(each)


def _blind_votes(store: Store, tenant: str, since: dt.date) -> Counter[tuple[Vote, Vote]]:
    """How often two voted so on an item whose second vote came since a day. What the guard held is
    left out: it was looked at again because it seemed wrong, so it says nothing of votes at
    large."""
    held = {
        item for (item,) in store.db.conn.execute(
            "select item from review_events where tenant = ? and action = 'hold'", [tenant]
        )
    }  # fmt: skip
    cast = store.db.conn.execute(
        "select item, at, principal, code from review_votes where tenant = ?"
        " order by item, at, principal",
        [tenant],
    )
    start, found = _midnight(since), Counter[tuple[Vote, Vote]]()
    for item, votes in groupby(cast, itemgetter(0)):
        both = list(votes)
        if len(both) == 2 and both[1][1] >= start and item not in held:
            found[Vote(*both[0][2:]), Vote(*both[1][2:])] += 1
    return found


def cohen_kappa(pairs: Iterable[tuple[str, str]]) -> float | None:
    """Agreement beyond chance of two raters; None without pairs, or where all chose one code.

    pairs: both codes of each item, or a Counter of them.
    """
    counts = Counter(pairs)
    if not counts:
        return None
    n = counts.total()
    first, second = Counter[str](), Counter[str]()
    for (a, b), items in counts.items():
        first[a] += items
        second[b] += items
    by_chance = sum(first[code] * second[code] for code in first) / (n * n)
    if by_chance == 1.0:
        return None
    same = sum(items for (a, b), items in counts.items() if a == b)
    return (same / n - by_chance) / (1 - by_chance)


def missing_names(store: Store, tenant: str, limit: int = 20) -> list[MissingName]:
    """Core products answered weakly, or decided against the first candidate; most lines first."""
    rows = store.rows(
        """select core, sum(items) as items, sum(times) as times, sum(amount) as amount,
             group_concat(code) as codes
           from (select core, code, count(*) as items, sum(times) as times, sum(amount) as amount
             from review_items where tenant = :tenant and core <> '' and state <> 'uncodable'
             and (tier = 'weak' or (state = 'decided' and code is not suggested))
             group by core, code)
           group by core order by times desc, items desc, core limit :limit""",
        {"tenant": tenant, "limit": limit},
    )
    return [
        MissingName(r["core"], r["items"], r["times"], r["amount"],
                    tuple(sorted((r["codes"] or "").split(","))) if r["codes"] else ())
        for r in rows
    ]  # fmt: skip
