"""What comes along with the goods is taken off before they are read."""

from __future__ import annotations

import pytest

from models.extras import Extras
from models.normalise import normalise

WORDS = {"赠": "gift", "附": "gift", "附赠": "gift", "送": "along", "含": "along", "带": "along",
         "配": "along", "尾款": "behind"}  # fmt: skip
NAMES = frozenset({"收纳袋", "挂钩", "电池", "充电器", "遥控器", "带鱼", "附子", "送风机",
                   "含乳饮料", "安装", "配送服务", "音箱"})  # fmt: skip


@pytest.fixture(scope="module")
def extras() -> Extras:
    return Extras(WORDS, NAMES, {"带皮"})


@pytest.mark.parametrize(
    ("text", "left", "found"),
    [
        ("颈枕 附收纳袋", "颈枕", ("附收纳袋",)),
        ("相框 送挂钩", "相框", ("送挂钩",)),
        ("相框（送2个挂钩）", "相框( )", ("送2个挂钩",)),
        ("电子秤,含两节电池", "电子秤,", ("含两节电池",)),
        ("手电筒 带充电器 赠说明书 黑色", "手电筒 黑色", ("带充电器", "赠说明书")),
        ("音箱 带三米充电器", "音箱", ("带三米充电器",)),
        ("面膜+附赠小样三包", "面膜+", ("附赠小样三包",)),
    ],
)
def test_extras_are_taken_off(
    extras: Extras, text: str, left: str, found: tuple[str, ...]
) -> None:
    assert extras.strip(normalise(text)) == (left, found)


@pytest.mark.parametrize(
    "text",
    [
        "冷冻 带鱼",  # names of their own
        "冷冻 带鱼段",
        "中药 附子",
        "通风 送风机",
        "饮料 含乳饮料",
        "快递 配送服务",
        "饮料 含糖",  # what follows is no known name
        "猪肉 带皮",
        "音箱 带皮充电器",
        "附收纳袋",  # nothing else is named
        "(附收纳袋)",
        "颈枕附收纳袋",
        "",
    ],
)
def test_what_may_be_the_goods_stays(extras: Extras, text: str) -> None:
    assert extras.strip(normalise(text)) == (normalise(text), ())
