"""Charges and work apart from their object are joined with it."""

from __future__ import annotations

import pytest

from models.normalise import normalise
from models.works import Works

NAMES = frozenset({"空调", "钢材", "电梯", "维修", "安装费", "维修费", "储存费", "运费"})
ENDINGS = ("费", "服务", "维修", "安装", "设计", "检测", "维护", "保养")


@pytest.fixture(scope="module")
def works() -> Works:
    return Works(NAMES, ENDINGS)


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("空调 维修", "空调维修"),
        ("空调-维修", "空调维修"),
        ("空调（维修）", "空调维修"),
        ("格力空调 维修费 3月", "格力空调维修费 3月"),
        ("钢材   铁路货物运费", "钢材铁路货物运费"),
        ("电梯 维护保养服务", "电梯维护保养服务"),  # nothing but work
        ("(旧) 电梯 检测", "(旧) 电梯检测"),
        ("空调 维修 电梯 安装费", "空调维修 电梯安装费"),
    ],
)
def test_work_behind_goods_is_joined_with_them(works: Works, text: str, joined: str) -> None:
    assert works.join(normalise(text)) == joined


@pytest.mark.parametrize(
    "text",
    [
        "空调 免费",
        "空调 免费安装",  # comes with them
        "空调 加厚款",
        "空调、维修",  # two things
        "空调/维修",
        "储存费 维修费",
        "北京 维修",  # no goods
        "维修 空调",
        "空调维修",
        "(维修)",
        ") 维修",
        "",
    ],
)
def test_the_rest_stays_apart(works: Works, text: str) -> None:
    assert works.join(normalise(text)) == normalise(text)


def test_a_very_long_name_is_no_harm(works: Works) -> None:
    assert works.join("空调 维修 " * 2000).startswith("空调维修 空调维修")
