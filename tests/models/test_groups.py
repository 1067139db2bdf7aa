"""The group that a line names in front is taken off where goods or a service follow."""

from __future__ import annotations

import pytest

from models.groups import MAX_GROUPS, Groups
from models.normalise import normalise

WORDS = {"日用品": "group", "饮料": "group", "食品": "group", "文具": "group", "蔬菜": "raw",
         "水果": "raw", "现代服务": "services", "经纪代理服务": "services",
         "尾款": "behind"}  # fmt: skip
NAMES = frozenset({"毛巾", "菠菜", "蔬菜种子", "种子", "文具胶带", "胶带", "审计费", "钢材",
                   "柠檬", "饮料", "日用品", "果汁", "经纪代理服务"})  # fmt: skip
TASTES = {"柠檬": "flavour", "菠菜": "flavour", "黑色": "colour"}
WORKS = ("费", "服务")


@pytest.fixture(scope="module")
def groups() -> Groups:
    return Groups(WORDS, NAMES, TASTES, WORKS)


@pytest.mark.parametrize(
    ("text", "left", "found"),
    [
        ("日用品-毛巾", "毛巾", ("日用品",)),
        ("日用品 毛巾 34*74", "毛巾 34*74", ("日用品",)),
        ("日用品：洁丽雅毛巾", "洁丽雅毛巾", ("日用品",)),
        ("【日用品】毛巾", "毛巾", ("日用品",)),
        ("（日用品） 毛巾", "毛巾", ("日用品",)),
        ("日用品——毛巾", "毛巾", ("日用品",)),
        ("食品/饮料/果汁", "果汁", ("食品", "饮料")),
        ("蔬菜-菠菜", "菠菜", ("蔬菜",)),  # a taste elsewhere
        ("水果-梨", "梨", ("水果",)),
        ("现代服务-审计费", "审计费", ("现代服务",)),
        ("蔬菜 种子", "蔬菜种子", ()),  # one known name
        ("文具-胶带 透明", "文具胶带 透明", ()),
    ],
)
def test_groups_are_taken_off(
    groups: Groups, text: str, left: str, found: tuple[str, ...]
) -> None:
    assert groups.strip(normalise(text)) == (left, found)


@pytest.mark.parametrize(
    "text",
    [
        "日用品",
        "日用品毛巾",  # not parted
        "日用品-雅格丽洁",  # nothing known follows
        "日用品 黑色",
        "饮料-柠檬",  # a taste
        "毛巾-日用品",
        "日用品、毛巾",  # a list of two
        "日用品+毛巾",
        "现代服务-钢材",  # no service
        "现代服务-经纪代理服务",
        "尾款-毛巾",
        "日用品-",
        "",
    ],
)
def test_what_may_be_all_that_is_named_stays(groups: Groups, text: str) -> None:
    assert groups.strip(normalise(text)) == (normalise(text), ())


def test_very_many_groups_are_no_harm(groups: Groups) -> None:
    left, found = groups.strip("日用品-" * 3000 + "毛巾")
    assert found == ("日用品",) * MAX_GROUPS
    assert left == "日用品-" * (3000 - MAX_GROUPS) + "毛巾"
