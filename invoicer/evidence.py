"""Reasons for a suggestion, in Chinese, for the person who has to trust it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from models.matcher import Match
from models.query import Query
from models.situation import DECIDED
from models.transformation import Transformations
from models.words import name_key

# Support of the quantities from which it is worth telling.
MEASURED_ALIKE = 0.5


def provisional(
    query: Query, match: Match, terms: Sequence[str], marked: Collection[str]
) -> str:
    """The provisional mapping that the first candidate rests on; empty where on none.

    marked: the names that stand under its code for want of a fitting one.
    """
    if not marked:
        return ""
    reading, nearest = query.reading, match.terms[0]
    named = {name_key(text) for text in (reading.clean, reading.core)}
    near = name_key(terms[nearest]) if nearest >= 0 else ""
    for name in marked:
        key = name_key(name)
        if key == near or any(text.endswith(key) for text in named):
            return f"“{name}”没有适合的编码,暂按此编码(暂定映射,编码表更新后复核)"
    return ""


def reasons(
    query: Query,
    match: Match,
    terms: Sequence[str],
    code_name: str,
    transformations: Transformations,
) -> tuple[str, ...]:
    """What speaks for the first candidate, strongest first."""
    found: list[str] = []
    reading, situation = query.reading, query.situation
    if situation.evidence and match.signal("situation") >= DECIDED:
        found.append(situation.evidence)
    if match.signal("exact") > 0:
        found.append(f"“{reading.clean}”是“{code_name}”的已知名称")
    elif match.signal("core_exact") > 0:
        found.append(f"核心商品“{reading.core}”是“{code_name}”的已知名称")
    elif match.signal("suffix") > 0:
        found.append(f"品名以“{code_name}”的已知名称结尾")
    nearest = match.terms[0]
    if nearest >= 0 and match.signal("exact") == 0:
        found.append(f"最相近的已知名称:{terms[nearest]}")
    if match.signal("moved") > 0:
        found.extend(
            f"“{word}”:{move.why}"
            for word, move in transformations.found(reading)
            if move.target == match.places[0]
        )
    if match.signal("declared") > 0:
        found.append("与票面简称或原编码一致")
    if match.signal("brand") > 0.2:
        brands = "、".join((*query.brands, *reading.brands)[:2])
        found.append(f"品牌“{brands}”主营此类商品")
    if match.signal("maker") > 0.1:
        found.append("生产厂家的行业与此类商品相符")
    if match.signal("specified") > 0:
        found.append(f"规格型号“{query.spec}”写有此类商品的名称")
    if match.signal("quantity") > MEASURED_ALIKE:
        found.append("规格和计量单位是此类商品常用的")
    if match.signal("unit_service") > 0:
        found.append(f"计量单位“{query.unit}”用于服务")
    if match.signal("excluded") > 0:
        found.append("官方注释将此类商品归入该编码")
    if match.signal("meaning_gap") >= 0 and match.signal("meaning") > 0.5:
        found.append("含义与该编码的商品最接近")
    if match.signal("catch_all") > 0:
        found.append("该编码为“其他”类兜底编码,请确认没有更具体的编码")
    return tuple(found) or ("没有直接命中的名称,按用词与各编码名称的总体相似程度推断",)
