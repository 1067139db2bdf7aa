"""The declared code by itself: usable on the day or not, and if not, what it stood for."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache

from invoicer.recode.findings import Finding, Found
from knowledge_base.official.successors import SuccessorFinder
from knowledge_base.taxonomy import CODE_LENGTH, TaxCode, Taxonomy, is_code, subtree_prefix

_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE]\+?\d+)?", re.ASCII)
# A spreadsheet keeps fifteen digits of a number.
KEPT_DIGITS = 15
LONGEST = 40  # characters of a number that may have been a code


@dataclass(frozen=True, slots=True)
class Declared:
    """row: the code meant, where the table has it; usable: may be printed on the day; fault: what
    is wrong with it; proposed: codes to put in its place, likeliest first."""

    row: TaxCode | None = None
    usable: bool = False
    fault: Found | None = None
    proposed: tuple[str, ...] = ()


NOT_DECLARED = Declared()


class DeclaredCodes:
    """Reads declared codes by the table of a day."""

    def __init__(self, taxonomy: Taxonomy):
        self._taxonomy = taxonomy
        # A whole column may be damaged alike: the same few thousand numbers, line after line.
        self._originals = lru_cache(10_000)(self._find_originals)
        self._successors = lru_cache(10_000)(self._find_successors)

    def read(self, text: str, day: dt.date, likely: Sequence[str]) -> Declared:
        """What a declared code is worth. likely: codes that the name alone suggests."""
        if not text:
            return NOT_DECLARED
        if not is_code(text):
            return self._damaged(text, day, likely)
        row = self._taxonomy.get(text)
        if row is None:
            near = self._near(text, likely)
            return Declared(
                None, False, Found.of(Finding.UNKNOWN_CODE, f"{text} 不在编码表中"), near
            )
        if not row.is_leaf:
            under = [c.code for c in self._taxonomy.under(row.code) if c.is_valid_on(day)]
            fits = tuple(code for code in likely if code in under)
            fault = Found.of(Finding.SUMMARY_CODE, f"{text} {row.name}是汇总项,不能开票")
            return Declared(row, False, fault, fits or (tuple(under) if len(under) == 1 else ()))
        if row.valid_to is not None and day > row.valid_to:
            fault = Found.of(Finding.STOPPED_CODE, f"{text} {row.name}于 {row.valid_to} 后停用")
            return Declared(row, False, fault, self._follow(row, day, likely))
        if self._first_day <= day < row.valid_from:
            fault = Found.of(Finding.EARLY_CODE, f"{text} {row.name}自 {row.valid_from} 起启用")
            return Declared(row, True, fault)
        return Declared(row, True)

    @cached_property
    def _first_day(self) -> dt.date:
        """The oldest table: lines before it are judged by it."""
        return min(code.valid_from for code in self._taxonomy)

    def _damaged(self, text: str, day: dt.date, likely: Sequence[str]) -> Declared:
        if not _NUMBER.fullmatch(text):
            fault = Found.of(Finding.DAMAGED_CODE, f"“{text[:40]}”不是 {CODE_LENGTH} 位数字")
            return Declared(None, False, fault)
        originals = self._originals(text, day)
        fits = [code for code in likely if code in originals] or originals
        said = f"“{text[:40]}”按数字保存,末位已丢失"
        if len(originals) == 1 or (len(fits) == 1 and len(originals) > 1):
            said += f",原编码应为 {fits[0]}"
        fault = Found.of(Finding.DAMAGED_CODE, said)
        return Declared(None, False, fault, tuple(fits[:5]))

    def _find_originals(self, text: str, day: dt.date) -> list[str]:
        """Leaves that a spreadsheet would show as this number, or that lost their zeros."""
        if len(text) > LONGEST:
            return []
        value = Decimal(text)
        if value.adjusted() >= CODE_LENGTH:
            return []
        whole = f"{value:f}".partition(".")[0]
        if len(whole) == CODE_LENGTH:
            shown = text.lower().partition("e")[0].replace(".", "").rstrip("0")
            digits = min(max(len(shown), 1), KEPT_DIGITS)
            return [
                leaf.code
                for leaf in self._taxonomy.leaves(day)
                if whole.startswith(leaf.code[:KEPT_DIGITS]) or _rounded(leaf.code, digits) == value
            ]
        if len(whole) < CODE_LENGTH and "e" not in text.lower():
            full = whole.ljust(CODE_LENGTH, "0")
            row = self._taxonomy.get(full)
            return [full] if row is not None and row.is_leaf and row.is_valid_on(day) else []
        return []

    def _near(self, text: str, likely: Sequence[str]) -> tuple[str, ...]:
        """Likely codes that begin as the unknown one does, the longer the better."""
        for end in range(CODE_LENGTH - 2, 6, -2):
            if fits := tuple(code for code in likely if code.startswith(text[:end])):
                return fits
        return ()

    def _follow(self, row: TaxCode, day: dt.date, likely: Sequence[str]) -> tuple[str, ...]:
        found = self._successors(row.code, day)
        siblings = subtree_prefix(row.parent) if row.parent else row.code[:3]
        return tuple(
            dict.fromkeys([code for code in likely if code in found or code.startswith(siblings)])
        ) or tuple(found)

    def _find_successors(self, code: str, day: dt.date) -> tuple[str, ...]:
        finder = SuccessorFinder(self._taxonomy, day)
        return tuple(s.code for s in finder.successors(code, self._taxonomy[code].name))


def _rounded(code: str, digits: int) -> Decimal:
    """The code as a number of so many digits."""
    return Decimal(f"{Decimal(code):.{digits - 1}e}")
