"""Several goods or services in one name: 打印机及安装, 水电费, 房租及物业费 → their parts.

Separate supplies are taxed separately (兼营) and a mixed one (混合销售) by its main business, so
the parts are named before anything is coded. Names that only list ingredients, materials or the
pieces of a set (牛油果和芒果奶昔, 茶杯&茶碟, 螺丝螺母) stay whole: in doubt, nothing is split.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from models.normalise import normalise
from models.reading import Reading

IsName = Callable[[str], bool]

# What is done to goods. Actions of one family are one service (安装及调试).
_FAMILIES = (
    ("安装", "调试", "施工", "搭建", "拆除", "组装", "铺设", "敷设", "铺装"),
    ("运输", "配送", "送货"),
    ("搬运", "装卸", "吊装"),
    ("维修", "修理"),
    ("维护", "保养", "维保", "运维"),
    ("培训", "指导"),
    ("设计", "策划"),
    ("制作", "加工", "定制", "印刷"),
    ("租赁", "出租"),
    ("检测", "检验"),
    ("开发", "实施", "集成", "建设"),
)
_ALONE = ("操作", "清洗", "住宿", "餐饮", "保险", "咨询")
_ACTIONS = {w: n for n, words in enumerate((*_FAMILIES, *((a,) for a in _ALONE))) for w in words}
_ACTION = "|".join(_ACTIONS)
_SALE = r"销售|采购|购销|供应|供货|购置"
_CHARGE = re.compile(r"(?:费|费用|服务|租金|房租|押金|佣金|工程|工时)$")
_BARE = re.compile(rf"(?:{_ACTION})+(?:服务费|服务|费用|费|工程)?")
# 及配件, 和其他: the rest of a kind, not a second thing.
_REST = re.compile(
    r"(?:相关|其他|其它|零部件|零配件|配件|附件|部件|零件|用品|耗材|辅料|辅材|制品|工具|周边|设备|材料|器材"
    r"|产品|食品|服饰|杂货|等)+$"
)
_SET = re.compile(r"(?:套装|套餐|套盒|礼盒|礼包|组合|组合装|[一二两三四五六七八九十\d]件套|全套)$")
# Without one of these no rule below finds a second part; most names end here.
_MAY_SPLIT = re.compile(rf"[+&,;/|及暨和与并含包费]|以及|租金|房租|押金|制作|定制|{_SALE}")
_BRACKET = re.compile(r"[(\[【{《<]([^)\]】}》>]*)[)\]】}》>]?")
_COUNT = re.compile(
    r"\d+(?:\.\d+)?\s*(?:台|个|套|只|件|把|张|条|项|次|批|部|块|支|人|天|米|盒|瓶|箱)"
)
_MODEL = re.compile(r"\d+年(?:度)?|\d+月份?|(?=[a-z\-.]*\d)[a-z0-9\-.]+")
_STRONG = re.compile(r"\s*(?:\+|以及|及|,|;|暨)\s*")
_WEAK = re.compile(r"\s*(?:&|/|和|与|并|\|)\s*")
_JOINT_END = re.compile(r"\s*(?:以及|[+&,;/及暨和与并])\s*$")
_INCLUDES = re.compile(r"^(.+?)\s*(?<!不)(?:包含|含|包)\s*(.+)$")
_SALE_AND = re.compile(
    rf"(.+?)(?:{_SALE}|制作|定制)(?:以?及|和|与|并|,|\+)?"
    r"((?:安装|调试|施工|搭建|铺设|敷设|铺装|运输|配送)+(?:服务费|服务|费用|费|工程)?)"
)
_METERED = {
    **{"暖气": "暖气费", "煤气": "煤气费", "燃气": "燃气费", "水": "水费", "电": "电费"},
    **{"气": "燃气费", "煤": "煤气费", "暖": "暖气费", "网": "网费"},
}
_METERS = re.compile(rf"(.*?)((?:{'|'.join(_METERED)})+)(?:费|费用)")
_METER = re.compile("|".join(_METERED))


def split_supply(name: Reading | str, is_name: IsName) -> tuple[str, ...]:
    """The parts of a name that supplies several things, in order; empty for a single supply.

    is_name: whether a text (normalised, without spaces) by itself names goods or a service.
    """
    normalised = name.normalised if isinstance(name, Reading) else normalise(name)
    if not _MAY_SPLIT.search(normalised):
        return ()
    text = _text(name)
    if len(text) < 3 or (is_name(text) and not _METERS.fullmatch(text)) or _SET.search(text):
        return ()
    for rule in (_metered, _listed, _included, _sold_and_done, _charges):
        if len(parts := rule(text, is_name)) > 1:
            return parts
    return ()


def _text(name: Reading | str) -> str:
    """The normalised name without declared short name, sizes, counts and plain brackets."""
    if isinstance(name, Reading):
        text = name.normalised
        for size in sorted(name.sizes, key=len, reverse=True):
            text = text if size.isdigit() else text.replace(size, "")
    else:
        text = re.sub(r"^\s*\*[^*]{1,20}\*", "", name)
        text = normalise(text)
    text = _MODEL.sub("", _COUNT.sub("", text))
    text = _BRACKET.sub(lambda m: m[1] if re.match(r"含|包|.*部分$", m[1]) else "", text)
    return text.strip(" +&,/;")


def _metered(text: str, is_name: IsName) -> tuple[str, ...]:
    """水电费, 房租水电费: meters that share one 费."""
    match = _METERS.fullmatch(text)
    if match is None:
        return ()
    meters = tuple(_METERED[m] for m in _METER.findall(match[2]))
    before = _JOINT_END.sub("", match[1])
    if len(set(meters)) < max(len(meters), 2) or len(before) == 1 or before.endswith("上"):
        return ()
    return (before, *meters) if _is_charge(before, is_name) else meters


def _listed(text: str, is_name: IsName) -> tuple[str, ...]:
    """Parts joined by a conjunction or sign."""
    for joint, strong in ((_STRONG, True), (_WEAK, False)):
        parts = [p.replace(" ", "") for p in joint.split(text)]
        if len(parts) < 2 or not all(parts):
            continue
        parts[:-1] = [re.sub(rf"(?<=.)(?:{_SALE})$", "", p) for p in parts[:-1]]
        if all(_is_part(p, is_name) for p in parts) and _differ(parts, strong, is_name):
            return tuple(parts)
    return ()


def _differ(parts: list[str], strong: bool, is_name: IsName) -> bool:
    """Whether the parts are different supplies and not ingredients, pieces or one work."""
    kinds = [_kind(p) for p in parts]
    if "" not in kinds:  # services only: different work, each a family or a charge of its own
        own = all(map(_CHARGE.search, parts)) or all(k.isdecimal() for k in kinds)
        return own and len(set(kinds)) > 1
    if any(kinds):  # goods with a service: no object that shares the work of the next part
        return all(not k or _is_service(p, is_name) for k, p in zip(kinds, parts, strict=True))
    if not strong or any(_REST.search(p) for p in parts[1:]):
        return False
    return not any(_shares_head(left, right, is_name) for left, right in pairwise(parts))


def _kind(part: str) -> str:
    """The family of a service, its own words for a charge; "" for goods."""
    bare = re.sub(r"(?<=..)(?:服务费|服务|工程|费用|费)$", "", part)
    for word, number in _ACTIONS.items():
        if bare.endswith(word):
            return str(number)
    return part if _CHARGE.search(part) else ""


def is_work(part: str) -> bool:
    """Whether a part is work or a charge; otherwise it is goods."""
    return bool(_kind(part))


def _shares_head(left: str, right: str, is_name: IsName) -> bool:
    """Whether the left word may belong to the head of the right one: 红枣+枸杞茶, 草莓+蓝莓酸奶."""
    if left[-1] == right[-1] or left[0] == right[0]:
        return True
    if (left[-1].isascii() and right[0].isascii()) or (right[0] in left and right[0] != "电"):
        return True
    for at in range(2, len(right)):
        if is_name(right[:at]):
            head = right[at:]
            if len(head) > 1 and is_name(head):
                return True
            if head not in "器机" and is_name(left + head):
                return True
    return False


def _is_service(part: str, is_name: IsName) -> bool:
    return bool(_BARE.fullmatch(part)) or is_name(part)


def _included(text: str, is_name: IsName) -> tuple[str, ...]:
    """空调(含安装): goods with a service that is included."""
    match = _INCLUDES.match(text)
    if match is None or not (_kind(match[2]) and _is_service(match[2], is_name)):
        return ()
    goods = match[1].replace(" ", "")
    return (goods, match[2]) if _is_part(goods, is_name) and not _kind(goods) else ()


def _sold_and_done(text: str, is_name: IsName) -> tuple[str, ...]:
    """空调销售安装, 门窗制作安装: goods sold, then work on them."""
    match = _SALE_AND.fullmatch(text.replace(" ", ""))
    if match is None:
        return ()
    goods = match[1]
    return (goods, match[2]) if _is_part(goods, is_name) and not _kind(goods) else ()


def _charges(text: str, is_name: IsName) -> tuple[str, ...]:
    """房租物业费, 水费电费: charges that follow each other without a sign."""
    text = text.replace(" ", "")
    for at in range(2, len(text) - 1):
        left, right = text[:at], text[at:]
        if is_name(left) and _is_charge(left, is_name) and _is_charge(right, is_name):
            more = _charges(right, is_name)
            return (left, *(more or (right,)))
    return ()


def _is_charge(part: str, is_name: IsName) -> bool:
    return len(part) > 1 and is_name(part) and bool(re.search(r"(?:费|租金|房租|押金)$", part))


def _is_part(part: str, is_name: IsName) -> bool:
    """A known name, a service, or something that ends in a known name, without 的 or 等."""
    if len(part) < 2 or part[0].isdigit() or "的" in part or "等" in part:
        return False
    if part in _ACTIONS or is_name(part) or _kind(part):
        return True
    return any(is_name(part[at:]) for at in range(1, len(part) - 1))
