"""Figures for whoever answers for the taxes: how much runs by itself, how right it is, where it
errs and what has changed, as sheets that are shown and handed out alike."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from invoicer.labels import SECTIONS
from invoicer.line import today
from invoicer.review import figures
from invoicer.review.figures import Judgement
from invoicer.review.rules import ReviewRules
from invoicer.review.tally import CHAPTER_DIGITS, section_of
from invoicer.store import Store
from invoicer.suggestion import Tier
from knowledge_base.taxonomy import Taxonomy
from models.comparison import variation
from models.evaluation import Share

MONTHS = 6
UNKNOWN = "未知"
AGES = ((1, "1 天以内"), (7, "1–7 天"), (30, "7–30 天"), (10**6, "30 天以上"))
Cell = str | int | Decimal | Share | None
Answered = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of figures. note: what a reader has to know about it."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    note: str = ""

    def flat(self) -> tuple[list[str], list[list[object]]]:
        """(header, rows) of plain cells: a share becomes right, total, share and its interval."""
        wide = {n for n, _ in enumerate(self.columns)
                if any(isinstance(row[n], Share) for row in self.rows)}  # fmt: skip
        header: list[str] = []
        for n, column in enumerate(self.columns):
            parts = ("分子", "分母", "比率", "下限", "上限")
            header += [f"{column}{part}" for part in parts] if n in wide else [column]
        return header, [
            [cell for n, value in enumerate(row) for cell in _cells(value, n in wide)]
            for row in self.rows
        ]


def _cells(value: Cell, wide: bool) -> list[object]:
    if isinstance(value, Share):
        if not value.total:
            return [0, 0, "", "", ""]
        low, high = value.interval
        return [value.right, value.total, round(value.value, 4), round(low, 4), round(high, 4)]
    return [value, "", "", "", ""] if wide else [value]


def _yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


class Lead:
    """The figures of one tenant over the last months."""

    def __init__(self, store: Store, tenant: str, taxonomy: Taxonomy, rules: ReviewRules):
        self._store = store
        self._tenant = tenant
        self._taxonomy = taxonomy
        self._rules = rules
        self._names = {
            code.code[:CHAPTER_DIGITS]: code.name
            for code in taxonomy
            if not code.code[CHAPTER_DIGITS:].strip("0")
        }

    def sheets(self) -> list[Sheet]:
        """All of them, in the order they are read."""
        return [make() for make in self._makers().values()]

    def sheet(self, name: str) -> Sheet | None:
        """One of them by its name."""
        make = self._makers().get(name)
        return make() if make is not None else None

    def _makers(self) -> dict[str, Callable[[], Sheet]]:
        return {
            "chapters": lambda: self._cut("chapters", "按编码类别", "编码类别", self._chapters),
            "industries": lambda: self._cut("industries", "按销售方行业", "行业", self._industries),
            "months": lambda: self._cut("months", "按月", "月份", self._months),
            "drift": self._drift,
            "disputes": self._disputes,
            "rulings": self._rulings,
            "agreement": self._agreement,
            "confusions": self._confusions,
            "missing": self._missing,
        }

    # -- automation and accuracy ------------------------------------------------------------

    def _since(self) -> dt.date:
        first = today().replace(day=1)
        for _ in range(MONTHS - 1):
            first = (first - dt.timedelta(days=1)).replace(day=1)
        return first

    @cached_property
    def _by_chapter(self) -> list[Answered]:
        return self._answered("chapter")

    @cached_property
    def _by_industry(self) -> list[Answered]:
        return self._answered("industry")

    def _answered(self, cut: str) -> list[Answered]:
        """(month, chapter or industry, tier, lines) of answers."""
        found = self._store.db.conn.execute(
            f"select month, {cut}, tier, sum(lines) from answered_by"
            " where tenant = ? and month >= ? group by 1, 2, 3",
            [self._tenant, f"{self._since():%Y-%m}"],
        )
        return list(found)

    @cached_property
    def _in_slice(self) -> list[Judgement]:
        share = self._rules.random_slice
        return figures.judgements(self._store, self._tenant, self._since(), share)

    def _chapters(self, column: str, one: Judgement | None) -> str:
        prefix = column if one is None else one.suggested[:CHAPTER_DIGITS]
        return f"{prefix} {self._names[prefix]}" if prefix in self._names else UNKNOWN

    def _industries(self, column: str, one: Judgement | None) -> str:
        section = column if one is None else section_of(one.seller)
        return f"{section} {SECTIONS[section]}" if section in SECTIONS else UNKNOWN

    def _months(self, column: str, one: Judgement | None) -> str:
        return column if one is None else f"{one.day:%Y-%m}"

    def _cut(
        self, name: str, title: str, column: str, of: Callable[[str, Judgement | None], str]
    ) -> Sheet:
        """Automation and measured accuracy, cut one way."""
        lines: dict[str, Counter[str]] = defaultdict(Counter)
        for month, cut, tier, n in self._by_industry if name == "industries" else self._by_chapter:
            lines[of(month if name == "months" else cut, None)][tier] += n
        judged: dict[str, list[Judgement]] = defaultdict(list)
        for one in self._in_slice:
            judged[of("", one)].append(one)
        rows: list[tuple[Cell, ...]] = [
            (
                label,
                Share(lines[label]["strong"], lines[label].total()),
                figures.right_short_names(judged[label], self._taxonomy),
                figures.right_codes(judged[label]),
            )
            for label in sorted(lines.keys() | judged.keys())
        ]
        note = f"近 {MONTHS} 个月。准确率只按永久随机抽查中已定的项计算,区间为 95% Wilson。"
        return Sheet(name, title, (column, "自动化率", "简称准确率", "编码准确率"), rows, note)

    def _drift(self) -> Sheet:
        """This month's answers beside last month's."""
        now = f"{today():%Y-%m}"
        before = f"{today().replace(day=1) - dt.timedelta(days=1):%Y-%m}"
        counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for month, chapter, tier, lines in self._by_chapter:
            counts["档位", month][Tier(tier).label] += lines
            counts["编码类别", month][self._chapters(chapter, None)] += lines
        for month, industry, _, lines in self._by_industry:
            counts["行业", month][self._industries(industry, None)] += lines
        rows: list[tuple[Cell, ...]] = []
        for kind in ("档位", "编码类别", "行业"):
            old, new = counts[kind, before], counts[kind, now]
            rows.append((kind, "分布变化", "", "", f"{variation(old, new):.1%}"))
            for value in sorted(old.keys() | new.keys()):
                a, b = Share(old[value], old.total()), Share(new[value], new.total())
                moved = f"{b.value - a.value:+.1%}" if a.total and b.total else ""
                rows.append((kind, value, _percent(a), _percent(b), moved))
        note = "分布变化为两个月各项占比之差绝对值之和的一半:0% 相同,100% 完全不同。"
        return Sheet("drift", "与上月相比", ("分布", "项", before, now, "变化"), rows, note)

    # -- people -----------------------------------------------------------------------------

    def _disputes(self) -> Sheet:
        found = self._store.rows(
            """select i.amount, (select max(at) from review_events e
                 where e.item = i.id and e.to_state = 'disputed') as since
               from review_items i where i.tenant = ? and i.state = 'disputed'""",
            [self._tenant],
        )
        ages: Counter[str] = Counter()
        amounts: Counter[str] = Counter()
        now = dt.datetime.now(dt.UTC)
        for row in found:
            days = (now - dt.datetime.fromisoformat(row["since"])).days if row["since"] else 0
            label = next(label for limit, label in AGES if days < limit)
            ages[label] += 1
            amounts[label] += row["amount"]
        rows: list[tuple[Cell, ...]] = [
            (label, ages[label], _yuan(amounts[label])) for _, label in AGES
        ]
        return Sheet("disputes", "未决争议", ("已等待", "项数", "金额(元)"), rows)

    def _rulings(self) -> Sheet:
        rows: list[tuple[Cell, ...]] = [
            (row["month"], row["n"], row["superseding"])
            for row in rulings_by_month(self._store, self._tenant)
        ]
        columns = ("月份", "新裁定", "其中替代旧裁定")
        return Sheet("rulings", "裁定", columns, rows, "编审委员会发布、对本单位有效的裁定。")

    def _agreement(self) -> Sheet:
        """Each reviewer with whoever voted on the same item."""
        of_tenant = self._store.rows(
            "select principal, name from principals where tenant = ?", [self._tenant]
        )
        names = {row["principal"]: row["name"] for row in of_tenant}
        whole, each = figures.agreements(self._store, self._tenant, self._since())
        named = [(names.get(by, by), each[by]) for by in each]
        named.sort(key=lambda row: row[0])
        rows: list[tuple[Cell, ...]] = [
            (name, found.votes, found.kappa_text) for name, found in [("全体", whole), *named]
        ]
        note = "独立双审的项;每人与同一项另一票比较。存疑后复核的项不计。"
        return Sheet("agreement", "审核员一致率", ("审核员", "一致率", "Cohen's κ"), rows, note)

    # -- what goes wrong --------------------------------------------------------------------

    def _confusions(self) -> Sheet:
        rows: list[tuple[Cell, ...]] = [
            (one.suggested, self._named(one.suggested), one.code, self._named(one.code),
             one.items, one.times, _yuan(one.amount))
            for one in confusions(self._store, self._tenant)
        ]  # fmt: skip
        columns = ("首选编码", "首选名称", "已定编码", "已定名称", "项数", "行数", "金额(元)")
        return Sheet("confusions", "最常见的混淆", columns, rows)

    def _missing(self) -> Sheet:
        rows: list[tuple[Cell, ...]] = [
            (one.core, one.items, one.times, _yuan(one.amount),
             "、".join(self._named(code) for code in one.codes))
            for one in figures.missing_names(self._store, self._tenant, 50)
        ]  # fmt: skip
        columns = ("核心商品", "项数", "行数", "金额(元)", "已定为")
        return Sheet("missing", "最常缺失的名称", columns, rows)

    def _named(self, code: str) -> str:
        known = self._taxonomy.get(code)
        return known.name if known else code


@dataclass(frozen=True, slots=True)
class Confusion:
    """Items for which one code was suggested and another decided."""

    suggested: str
    code: str
    items: int
    times: int
    amount: int


def confusions(store: Store, tenant: str, code: str = "", limit: int = 30) -> list[Confusion]:
    """The most frequent ones of a tenant; with a code, those it is part of."""
    where = " and (code = :code or suggested = :code)" if code else ""
    rows = store.rows(
        f"""select suggested, code, count(*) as items, sum(times) as times,
              sum(amount) as amount from review_items indexed by review_items_confused
            where tenant = :tenant and state = 'decided' and code <> suggested{where}
            group by 1, 2 order by times desc, items desc, 1, 2 limit :limit""",
        {"tenant": tenant, "code": code, "limit": limit},
    )
    return [Confusion(**row) for row in rows]


def has_rulings(store: Store) -> bool:
    """Whether this installation keeps rulings of an expert panel."""
    found = store.row("select 1 from sqlite_master where type = 'table' and name = 'rulings'")
    return found is not None


def rulings_by_month(store: Store, tenant: str) -> Iterable[dict[str, str | int]]:
    """New rulings that hold for a tenant, newest month first."""
    if not has_rulings(store):
        return []
    return store.rows(
        """select substr(ruled_on, 1, 7) as month, count(*) as n,
             sum(supersedes is not null) as superseding from rulings
           where tenant is null or tenant = ? group by 1 order by 1 desc limit 24""",
        [tenant],
    )


def _percent(share: Share) -> str:
    return f"{share.value:.1%}" if share.total else ""
