"""What the official notes say in words, taken apart: included and excluded goods, tariff names."""

from __future__ import annotations

import re

from knowledge_base.official.row import OfficialRow
from knowledge_base.taxonomy import CODE_LENGTH

_INCLUDES = re.compile(r"(?<!不)包括([^。；;]*)")
_EXCLUDES = re.compile(r"不(?:包括|含)([^。；;]*)")
_EXCLUDED = re.compile(r"([^（()）]+)[（(](?:详见|见)(\d{3,19})[^）)]*[）)]")
_HEADING = re.compile(r"(\d{4,10})【税则品名】(.*?)(?=[、|]*\d{4,10}【税则品名】|$)", re.S)
_PHRASE = re.compile(r"详见|不论|以及|类似|无论")
_AS_FLOAT = re.compile(r"\d+(\.\d+)?[eE]\+?\d+")


def includes(row: OfficialRow) -> tuple[str, ...]:
    """`包括甜荞麦、其他荞麦。` → 甜荞麦, 荞麦."""
    terms: list[str] = []
    for match in _INCLUDES.finditer(row.note):
        text = match.group(1).split("不包括")[0]
        for term in re.split(r"[、，,]", text):
            term = re.sub(r"等$", "", term.strip(" \u3000：:"))
            term = re.sub(r"^(其他|各类|各种|以|对)", "", term)
            if 1 < len(term) <= 16 and not _PHRASE.search(term):
                terms.append(term)
    return tuple(dict.fromkeys(terms))


def excludes(row: OfficialRow) -> tuple[str, ...]:
    """`不包括种用谷物（详见101011901）。` → 种用谷物>1010119010000000000."""
    found: list[str] = []
    for match in _EXCLUDES.finditer(row.note):
        for term, code in _EXCLUDED.findall(match.group(1)):
            term = re.sub(r"^(以及|[、，,和及])+", "", term.strip()).rstrip("，,、 ")
            if term:
                found.append(f"{term}>{code.ljust(CODE_LENGTH, '0')}")
    return tuple(dict.fromkeys(found))


def tariff_headings(row: OfficialRow) -> tuple[str, ...]:
    """`07061000【税则品名】鲜或冷的胡萝卜、…` → 07061000:鲜或冷的胡萝卜; names may hold 、."""
    return tuple(
        dict.fromkeys(
            f"{number}:{name.strip('、| ')}"
            for number, name in _HEADING.findall(row.tariff_headings)
            if name.strip("、| ")
        )
    )


def statistics_codes(row: OfficialRow) -> tuple[str, ...]:
    """Codes of the statistics office; those that the official file itself holds as floats go."""
    codes = re.split(r"[、,，|]", row.statistics_codes)
    return tuple(dict.fromkeys(c for c in codes if c and not _AS_FLOAT.fullmatch(c)))
