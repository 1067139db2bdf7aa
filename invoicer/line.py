"""One invoice line as it comes in: the name and whatever else is known of it."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo

from invoicer.errors import LineError
from knowledge_base.rate_advice import TaxpayerType
from knowledge_base.taxonomy import is_code

CHINA = ZoneInfo("Asia/Shanghai")
MAX_NAME = 1000
MAX_AMOUNT = 10**13  # yuan; more is a mistake of the column
FIRST_DAY = dt.date(2016, 5, 1)  # VAT replaced business tax everywhere; no rate is known before
FIELDS = (
    "name", "spec", "unit", "brand", "manufacturer", "barcode", "seller_industry", "date",
    "taxpayer", "declared_code", "declared_short_name", "declared_rate", "answer",
    "amount",
)  # fmt: skip

_DATE = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[ T].*)?")
# As interfaces give it, with the time of day, and as a number of a spreadsheet.
_STAMP = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{4}|\d{6})?(?:\.0+)?", re.ASCII)
# A date cell that lost its format: days since the end of 1899, here of 2009 to 2064.
_SERIAL = re.compile(r"[45]\d{4}(?:\.\d+)?", re.ASCII)
_SERIAL_ZERO = dt.date(1899, 12, 30)
_MONEY = re.compile(
    r"(?:(?P<minus>[-\u2212])?[\s¥]*|(?P<bracket>\()[\s¥]*)(?P<number>\d+(?:\.\d*)?|\.\d+)\s*元?"
    r"(?(bracket)\s*\))",
    re.ASCII,
)
_DAY_LENGTH = 32  # longer texts are not remembered
_TAXPAYERS = {
    "general": TaxpayerType.GENERAL,
    "一般纳税人": TaxpayerType.GENERAL,
    "一般": TaxpayerType.GENERAL,
    "small": TaxpayerType.SMALL,
    "小规模纳税人": TaxpayerType.SMALL,
    "小规模": TaxpayerType.SMALL,
}


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """Name and optional evidence.

    amount: net amount in yuan, negative on a red-letter line; confirmed_code, confirmed_by: what
    people have settled on for this very line, and who did, in Chinese; basis: the ruling that did,
    to be told with the answer; warnings: evidence that was dropped, and why (Chinese).
    """

    name: str
    spec: str = ""
    unit: str = ""
    brand: str = ""
    manufacturer: str = ""
    barcode: str = ""
    seller_industry: str = ""
    date: dt.date | None = None
    taxpayer: TaxpayerType | None = None
    declared_code: str = ""
    declared_short_name: str = ""
    declared_rate: str = ""
    answer: str = ""
    amount: Decimal | None = None
    confirmed_code: str = ""
    confirmed_by: str = ""
    basis: str = ""
    warnings: tuple[str, ...] = ()

    @classmethod
    def from_fields(cls, fields: Mapping[str, str]) -> InvoiceLine:
        """Line from text fields; raises LineError naming the field where one is unusable."""
        name = fields.get("name", "")
        if not name.strip():
            raise LineError("商品名称为空,请填写", field="name")
        if len(name) > MAX_NAME:
            raise LineError(
                f"商品名称有 {len(name)} 个字符,超过 {MAX_NAME},请缩短到实际商品名称", field="name"
            )
        code, code_warning = declared_code(fields.get("declared_code", ""))
        amount, amount_warning = parse_amount(fields.get("amount", ""))
        return cls(
            name=name,
            spec=fields.get("spec", ""),
            unit=fields.get("unit", ""),
            brand=fields.get("brand", ""),
            manufacturer=fields.get("manufacturer", ""),
            barcode=fields.get("barcode", ""),
            seller_industry=fields.get("seller_industry", ""),
            date=parse_date(fields.get("date", "")),
            taxpayer=parse_taxpayer(fields.get("taxpayer", "")),
            declared_code=code,
            declared_short_name=fields.get("declared_short_name", "").strip().strip("*"),
            declared_rate=fields.get("declared_rate", ""),
            answer=fields.get("answer", ""),
            amount=amount,
            warnings=tuple(text for text in (code_warning, amount_warning) if text),
        )

    def to_fields(self) -> dict[str, str]:
        """The fields that are filled, as text: what `from_fields` reads."""
        fields = {name: getattr(self, name) for name in FIELDS}
        return {name: str(value) for name, value in fields.items() if value not in ("", None)}


def today() -> dt.date:
    """Today in China."""
    return dt.datetime.now(CHINA).date()


def day_of(moment: str) -> dt.date:
    """The day in China of a moment as it is stored."""
    return dt.datetime.fromisoformat(moment).astimezone(CHINA).date()


def parse_date(text: str) -> dt.date | None:
    """2026-11-26, 2026/11/26, 20261126, 20261126101112, 2026年11月26日, a spreadsheet's day number
    (46352); None for an empty field."""
    if not text.strip():
        return None
    return (_day if len(text) <= _DAY_LENGTH else _day.__wrapped__)(text)


@lru_cache(4096)  # an invoice history has few days and many lines
def _day(text: str) -> dt.date:
    match = _DATE.fullmatch(text.strip()) or _STAMP.fullmatch(text.strip())
    day = None
    try:
        if _SERIAL.fullmatch(text.strip()):
            day = _SERIAL_ZERO + dt.timedelta(days=int(float(text)))
        elif match:
            day = dt.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        pass
    if day is not None and day < FIRST_DAY:
        raise LineError(f"日期 {day} 早于全面营改增的 {FIRST_DAY},无法判断", field="date")
    if day is not None:
        return day
    raise LineError(f"日期“{text[:40]}”无法识别,请写成 2026-11-26", field="date")


def parse_taxpayer(text: str) -> TaxpayerType | None:
    """general | small, or the Chinese words; None for an empty field."""
    if not text.strip():
        return None
    try:
        return _TAXPAYERS[text.strip().lower()]
    except KeyError:
        raise LineError(
            f"纳税人类型“{text[:40]}”无法识别,请写 general(一般纳税人)或 small(小规模纳税人)",
            field="taxpayer",
        ) from None


def parse_amount(text: str) -> tuple[Decimal | None, str]:
    """(amount in yuan, warning): written as spreadsheets show money, (1,000.00) for less than
    nothing; anything else that is no number is dropped with a warning."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    plain = plain.strip().lstrip("¥").replace(",", "")
    if not plain:
        return None, ""
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        amount = _money(plain)
    if not amount.is_finite() or abs(amount) >= MAX_AMOUNT:
        return None, f"金额“{text[:40]}”不是数字,已忽略"
    return amount, ""


def _money(text: str) -> Decimal:
    """-¥1000.00, − 1000.00, (1000.00), 1000.00元; NaN for what is no number."""
    match = _MONEY.fullmatch(text)
    if match is None:
        return Decimal("NaN")
    amount = Decimal(match["number"])
    return -amount if match["minus"] or match["bracket"] else amount


def declared_code(text: str) -> tuple[str, str]:
    """(code, warning): nineteen digits; anything else is dropped with a warning."""
    text = text.strip()
    if not text:
        return "", ""
    if is_code(text):
        return text, ""
    if re.fullmatch(r"[\d.]+[eE]\+?\d+|\d+\.\d+", text):
        why = "是按数字保存的,末位已丢失"
    else:
        why = "不是 19 位数字"
    return "", f"原税收分类编码“{text[:40]}”{why},已忽略;请按文本保存编码列"
