"""The money of a line: what was billed, and the tax at any rate on the same bill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from invoicer.line import MAX_AMOUNT, parse_amount

BILLING_FIELDS = (
    "gross_amount", "tax", "quantity", "price", "gross_price", "discount", "seller_tax_number",
    "buyer", "invoice_number", "digital_invoice_number", "invoice_status", "line_number",
)  # fmt: skip
FEN = Decimal("0.01")
# Rates are multiples of it.
RATE_STEP = Decimal("0.005")
# What the tax platform lets a printed tax differ from amount × rate.
TOLERANCE = Decimal("0.06")
ZERO = Decimal(0)


def fen(amount: Decimal) -> Decimal:
    """Rounded half up to two places."""
    return amount.quantize(FEN, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Bill:
    """What was billed on a line.

    base: yuan, negative on a red-letter or discount line, a discount of the line taken off;
    inclusive: the base holds the tax; tax: as printed, None where no column says.
    """

    base: Decimal
    inclusive: bool
    tax: Decimal | None

    def tax_at(self, rate: Decimal) -> Decimal:
        """The tax of this bill at a rate: on top of a net base, out of an inclusive one."""
        return fen(self.base * rate / (1 + rate) if self.inclusive else self.base * rate)

    def net(self, rate: Decimal) -> Decimal:
        """The amount without tax."""
        if not self.inclusive:
            return fen(self.base)
        return fen(self.base) - (self.tax if self.tax is not None else self.tax_at(rate))


def bill_of(fields: Mapping[str, str], rate: Decimal | None) -> tuple[Bill | None, str]:
    """(the bill, warning): from the net amount, else the gross one, else quantity × price.

    rate: the declared one, to tell whether the printed tax already knows the discount.
    """
    numbers: dict[str, Decimal | None] = {}
    warnings = []
    for field in ("amount", "gross_amount", "tax", "quantity", "price", "gross_price", "discount"):
        text = fields.get(field, "")
        if not any(map(str.isdigit, text)):  # empty, or the *** of an exempt line
            numbers[field] = None
            continue
        numbers[field], warning = parse_amount(text)
        if warning:
            warnings.append(warning)
    base, inclusive = _base(numbers)
    if base is None:
        return None, ";".join(warnings)
    tax, discount = numbers["tax"], numbers["discount"]
    if discount:
        reduced = base - abs(discount).copy_sign(base)
        full = Bill(base, inclusive, tax)
        knows = tax is None or rate is None or abs(full.tax_at(rate) - tax) > TOLERANCE
        base = reduced if knows else base
    return Bill(base, inclusive, tax), ";".join(warnings)


def implied_rate(bill: Bill) -> Decimal | None:
    """The rate that the printed tax speaks for; None where it fits none, or several."""
    net = bill.base - (bill.tax or ZERO) if bill.inclusive else bill.base
    if bill.tax is None or abs(net) * RATE_STEP < 4 * FEN:
        return None
    steps = (bill.tax / net / RATE_STEP).quantize(Decimal(1), ROUND_HALF_UP)
    rate = steps * RATE_STEP
    return rate if 0 <= rate < 1 and abs(bill.tax_at(rate) - bill.tax) <= FEN else None


def _base(numbers: Mapping[str, Decimal | None]) -> tuple[Decimal | None, bool]:
    """(amount, whether it holds the tax)."""
    if (net := numbers["amount"]) is not None:
        return net, False
    if (gross := numbers["gross_amount"]) is not None:
        return gross, True
    for field, inclusive in (("price", False), ("gross_price", True)):
        quantity, price = numbers["quantity"], numbers[field]
        if quantity is not None and price is not None and abs(quantity * price) < MAX_AMOUNT:
            return fen(quantity * price), inclusive
    return None, False


@dataclass(frozen=True, slots=True)
class Stake:
    """tax_declared; tax_low to tax_high: what it should have been; their differences are at stake.

    low = high where no condition decides. Positive: too little tax was declared.
    """

    tax_declared: Decimal
    tax_low: Decimal
    tax_high: Decimal

    @property
    def low(self) -> Decimal:
        return self.tax_low - self.tax_declared

    @property
    def high(self) -> Decimal:
        return self.tax_high - self.tax_declared


def stake_of(bill: Bill, declared: Decimal | None, right: tuple[Decimal, ...]) -> Stake | None:
    """What is at stake on a line. declared: its rate; right: every rate that may be the right one.

    An inclusive bill keeps its total: the tax in it changes. A printed tax stands where the rate
    is not known, as on a bill of 差额征税. None where the declared tax is not known.
    """
    if bill.tax is not None:
        tax = fen(bill.tax)
    elif declared is not None:
        tax = bill.tax_at(declared)
    else:
        return None
    if declared is None:
        right = ()
    taxes = [bill.tax_at(rate) for rate in right]
    # A printed tax within the platform's tolerance is right as it stands.
    taxes = [tax if abs(t - tax) <= TOLERANCE and r == declared else t
             for t, r in zip(taxes, right, strict=True)]  # fmt: skip
    return Stake(tax, min(taxes, default=tax), max(taxes, default=tax))
