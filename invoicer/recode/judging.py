"""Second pass over a part: every line judged, its money weighed, written as a part file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import orjson

from invoicer.batch import Defaults, Memory
from invoicer.declared_rate import rate_label
from invoicer.line import InvoiceLine, today
from invoicer.recode.billing import TOLERANCE, ZERO, Bill, Stake, bill_of, stake_of
from invoicer.recode.collecting import name_key
from invoicer.recode.findings import Finding, Found
from invoicer.recode.judge import Judge
from invoicer.recode.lines import Heads, Row, invoice_of, row_of, seller_of
from invoicer.recode.questions import question_of, unpack
from invoicer.recode.tally import Tally
from invoicer.recode.verdict import RECODE_COLUMNS, Verdict
from invoicer.review.items import identity
from invoicer.review.tally import section_of
from invoicer.suggestion import Tier
from knowledge_base.rate_advice import Treatment

NO_MONEY = dict.fromkeys(
    ("tax_declared", "tax_correct_low", "tax_correct_high", "stake_low", "stake_high"), ""
)
_AMOUNTS = ("amount", "gross_amount")
_CODES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that is no line: number as people count, field, reason."""

    row: int | str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One row of the output. answer: its columns; severity: 0 without a finding."""

    cells: list[str]
    answer: dict[str, Any]
    severity: int
    row: Row
    verdict: Verdict | None


@dataclass(slots=True)
class JudgedPart:
    """All rows of a part in order, what was rejected, what goes to review, and the sums.

    reviews: item id → [question (`Identity`), line, times, net amount in fen].
    """

    rows: list[Judged]
    rejects: list[Reject]
    reviews: dict[str, list[Any]]
    tally: Tally


class Known(Protocol):
    """What the first pass and the classification found."""

    def answers(self, hashes: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Packed answers of questions by their hashes."""

    def mixed(self, names: Sequence[bytes]) -> Mapping[tuple[bytes, str, int], str]:
        """(name, seller, period) → JSON of lines by code, where there are several."""


class PartJudge:
    """Judges parts. tenant: whose review queue uncertain lines belong to, "" for none; memory:
    what people have settled."""

    def __init__(
        self,
        judge: Judge,
        reader: Known,
        defaults: Defaults,
        tenant: str = "",
        memory: Memory | None = None,
    ):
        self._judge = judge
        self._reader = reader
        self._defaults = defaults
        self._tenant = tenant
        self._memory = memory
        assistant = judge.assistant
        self._versions = {
            "model_version": assistant.model_version,
            "kb_version": assistant.kb_version,
        }

    def judge(
        self,
        rows: Sequence[list[str]],
        places: Mapping[str, int],
        numbers: Sequence[int | str],
        source: str,
        heads: Heads,
    ) -> JudgedPart:
        """All of a part. numbers: of its rows, as people count; heads: of the rows before."""
        part = JudgedPart([], [], {}, Tally())
        read = self._recalled([row_of(cells, places, self._defaults, heads) for cells in rows])
        asked = [
            question_of(row.fields, self._judge.period(row.line.date)) if row.line else None
            for row in read
        ]
        hashes = [question.hash if question else b"" for question in asked]
        kept = self._reader.answers(list({h for h in hashes if h}))
        names = [name_key(question.name) if question else b"" for question in asked]
        mixed = self._reader.mixed(list({n for n in names if n}))
        answers = {key: unpack(text) for key, text in kept.items()}
        verdicts: dict[tuple[Any, ...], tuple[Verdict, dict[str, Any]]] = {}
        for i, (cells, row, question) in enumerate(zip(rows, read, asked, strict=True)):
            if question is None or row.line is None:
                part.rejects.append(Reject(numbers[i], row.field, row.reason))
                part.tally.add_error()
                part.rows.append(Judged(cells, self._rejected(row.reason), 0, row, None))
                continue
            line, fields = row.line, row.fields
            key = (hashes[i], fields.get("declared_code"), question.printed,
                   line.declared_short_name, line.declared_rate, line.taxpayer,
                   self._judge.bucket(line.date), line.confirmed_code)  # fmt: skip
            known = verdicts.get(key)
            if known is None:
                if line.confirmed_code:
                    verdict = self._judge.settle(line, fields, line.confirmed_code)
                else:
                    verdict = self._judge.judge(question, answers[hashes[i]], line, fields)
                known = verdicts[key] = (
                    verdict,
                    {**NO_MONEY, **verdict.to_row(), **self._versions},
                )
            verdict, answer = known
            codes = mixed.get((names[i], seller_of(fields), question.period), "")
            place = f"{source}:{numbers[i]}"
            part.rows.append(self._line(part, cells, row, line, verdict, answer, codes, place))
        return part

    def _recalled(self, rows: list[Row]) -> list[Row]:
        """The rows with the code that people have settled on, where they have and it may be used
        on the day."""
        if self._memory is None:
            return rows
        assistant = self._judge.assistant
        lines = [row.line for row in rows if row.line is not None]
        known = iter(self._memory(lines, assistant.rate_table))
        recalled = []
        for row in rows:
            line = next(known) if row.line is not None else None
            if line is not None and line.confirmed_code:
                day = line.date or today()
                if assistant.is_usable(line.confirmed_code, day.isoformat()):
                    row = replace(row, line=line)
            recalled.append(row)
        return recalled

    def _line(
        self,
        part: JudgedPart,
        cells: list[str],
        row: Row,
        line: InvoiceLine,
        verdict: Verdict,
        answer: Mapping[str, Any],
        codes: str,
        place: str,
    ) -> Judged:
        bill, warning = bill_of(row.fields, verdict.declared_rate)
        stake = stake_of(bill, verdict.declared_rate, verdict.right) if bill else None
        more = _mismatch(bill, verdict)
        if codes and (found := self._inconsistent(codes, row.fields, verdict)):
            more.append(found)
        whole = verdict.with_findings(more)
        answer = {**answer, **(whole.to_row() if more else {}), **_money(stake)}
        if warning or (bill is None and not row.fields.keys().isdisjoint(_AMOUNTS)):
            answer["error"] = warning or "没有金额,没有计算税款"
        if self._tenant and whole.tier is not Tier.STRONG:
            answer["review_id"] = self._review(part, line, bill, whole)
        part.tally.add_line(
            whole,
            bill,
            stake,
            line.date.isoformat()[:7] if line.date else "",
            self._judge.name_of(row.fields.get("declared_code", "").strip()),
            section_of(line.seller_industry),
            lambda: _facts(row.fields, line, bill, verdict, place),
        )
        return Judged(cells, answer, whole.severity, row, whole)

    def _review(
        self, part: JudgedPart, line: InvoiceLine, bill: Bill | None, verdict: Verdict
    ) -> str:
        who = identity(self._tenant, line, self._judge.assistant.rate_table)
        kept = part.reviews.setdefault(who.item, [who.question, line.to_fields(), 0, 0])
        kept[2] += 1
        kept[3] += int(bill.net(verdict.declared_rate or ZERO) * 100) if bill else 0
        return who.item

    def _inconsistent(
        self, codes: str, fields: Mapping[str, str], verdict: Verdict
    ) -> Found | None:
        """Several codes for one name; said on the lines that do not surely have the right one."""
        lines = orjson.loads(codes)
        declared = fields.get("declared_code", "").strip()
        if declared not in lines:
            return None
        if verdict.code == declared and verdict.tier is Tier.STRONG:
            return None
        ordered = sorted(lines.items(), key=lambda item: (-item[1], item[0]))[:_CODES_SHOWN]
        said = "、".join(f"{code}{self._judge.name_of(code)} {n} 行" for code, n in ordered)
        return Found.of(Finding.INCONSISTENT, f"同一销售方同名商品用了不同编码:{said}")

    def _rejected(self, reason: str) -> dict[str, Any]:
        row: dict[str, Any] = dict.fromkeys(RECODE_COLUMNS, "")
        row.update(candidates="[]", confidence="", error=reason, **self._versions)
        return row


def _facts(
    fields: Mapping[str, str], line: InvoiceLine, bill: Bill | None, verdict: Verdict, place: str
) -> dict[str, str]:
    """What the report shows of a line besides what was found."""
    return {
        "place": place,
        "name": line.name[:120],
        "date": str(line.date or ""),
        "declared_code": fields.get("declared_code", "")[:30],
        "declared_rate": line.declared_rate[:12],
        "amount": f"{bill.net(verdict.declared_rate or ZERO):,.2f}" if bill else "",
        "invoice": invoice_of(fields)[:40],
    }


def _mismatch(bill: Bill | None, verdict: Verdict) -> list[Found]:
    """A printed tax that is not amount × declared rate."""
    rate = verdict.declared_rate
    if bill is None or bill.tax is None or rate is None:
        return []
    right = bill.tax_at(rate)
    if abs(right - bill.tax) <= TOLERANCE:
        return []
    label = rate_label(Treatment.TAXED, rate)
    said = f"票面税额 {bill.tax},按金额与 {label} 应为 {right}"
    return [Found.of(Finding.TAX_MISMATCH, said)]


def money_of(fields: Mapping[str, str], verdict: Verdict) -> tuple[Stake | None, dict[str, str]]:
    """What is at stake on a line, and its output columns."""
    bill, _ = bill_of(fields, verdict.declared_rate)
    stake = stake_of(bill, verdict.declared_rate, verdict.right) if bill else None
    return stake, _money(stake)


def _money(stake: Stake | None) -> dict[str, str]:
    if stake is None:
        return {}
    return {
        "tax_declared": str(stake.tax_declared),
        "tax_correct_low": str(stake.tax_low),
        "tax_correct_high": str(stake.tax_high),
        "stake_low": str(stake.low),
        "stake_high": str(stake.high),
    }
