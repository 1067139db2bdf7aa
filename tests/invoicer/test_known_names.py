"""A name that is known as it stands is answered with its own code, whatever the ranker learned."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from invoicer import Assistant, InvoiceLine, Suggestion, Tier
from knowledge_base.word_tables import WordTable, read_rows

DAY = dt.date(2026, 11, 27)


def first(found: Suggestion) -> str:
    return found.candidates[0].name


@pytest.mark.parametrize(
    ("name", "code_name"),
    [
        ("高铁票", "国内铁路旅客运输服务"),  # not 港澳台, whose rate is another
        ("铁路运费", "国内铁路货物运输服务"),
        ("国际货代费", "国际货物运输代理服务"),
        ("利息", "其他贷款服务"),
        ("电梯费", "物业管理服务"),
    ],
)
def test_a_whole_name_that_one_code_alone_bears_comes_first(
    assistant: Assistant, name: str, code_name: str
) -> None:
    assert first(assistant.suggest(name)) == code_name


def test_the_name_of_every_code_is_answered_with_it(assistant: Assistant) -> None:
    leaves = assistant.kb.taxonomy.leaves(DAY)
    bearers: dict[str, set[str]] = {}
    for leaf in leaves:
        bearers.setdefault(leaf.name, set()).add(leaf.code)
    found = assistant.suggest([InvoiceLine(leaf.name, date=DAY) for leaf in leaves])
    other = [
        leaf.name
        for leaf, one in zip(leaves, found, strict=True)
        if one.candidates[0].code not in bearers[leaf.name]
    ]
    assert other == []


def test_everyday_names_are_answered_with_their_own_codes(assistant: Assistant) -> None:
    names = random.Random(7).sample(sorted(assistant.kb.lexicon.everyday_names()), 1_000)
    found = assistant.suggest([name for _, name in names])
    own = sum(one.candidates[0].code == code for one, (code, _) in zip(found, names, strict=True))
    assert own >= 980  # the others are names of several codes


def test_a_known_name_against_all_signals_is_not_strong(assistant: Assistant) -> None:
    found = assistant.suggest("立普妥")
    assert (first(found), found.tier) == ("片剂", Tier.MEDIUM)


@pytest.mark.parametrize(
    ("name", "code_name"),
    [
        ("专利代理", "其他经纪代理服务"),  # known as 专利代理费
        ("数据采集", "信息系统增值服务"),  # 数据采集服务
        ("机床租金", "其他有形动产经营租赁服务"),  # 机床租赁
        ("车辆租金", "其他有形动产经营租赁服务"),
    ],
)
def test_a_service_is_known_with_another_ending_too(
    assistant: Assistant, name: str, code_name: str
) -> None:
    assert first(assistant.suggest(name)) == code_name


def test_goods_are_not_known_by_the_fee_for_them(assistant: Assistant) -> None:
    assert assistant.suggest("叉车").candidates[0].name != first(assistant.suggest("叉车费"))


def test_the_first_code_of_an_ambiguous_name_is_one_of_those_it_asks_about(
    assistant: Assistant,
) -> None:
    rows = read_rows(assistant.kb.root, WordTable.AMBIGUOUS)
    for row, found in zip(rows, assistant.suggest([r["term"] for r in rows]), strict=True):
        codes = {option.rsplit("=", 1)[-1] for option in row["options"].split("|")}
        codes |= {option.code for question in found.questions for option in question.options}
        assert found.candidates[0].code in codes, row["term"]


# A name and what may stand around it without a word of what is supplied.
AROUND = (
    "{} 500g", "{}(大号)", "大号{}", "红色{}", "{} 黑色", "【促销】{}", "{}/个", "加厚{}", "{}系列",
    "海润牌{}", "5月份{}", "第二季度{}", "{}（合同号HT2026-018）", "{} 订单号 20261127001",
    "{}尾款", "{}首付款", "支付{}", "{}（详见清单）", "{}等", "{}一批", "“{}”", "{} 3栋502室",
    "{}-张伟", "{} 附收纳袋", "{}(赠手提袋)", "{} 含2节电池", "{} 配充电器", "{} 带遥控器",
    "{} 可拆洗", "可折叠{}", "{} 蓝牙", "{} 成人", "{}采购", "{}采购款", "{}款", "{}组合",
    "{}等物资", "{}及配件", "{}项目款", "{}发票", "{}两年", "{} 木纹", "{}A4",
    "日用品-{}", "【办公用品】{}", "{} 三件套", "{} 空运", "{}(袋)", "{} 把装", "{}第3批",
    "{}订单20261127", "{} 品牌:海润 颜色:白色", "{} 当季",
)  # fmt: skip


@pytest.mark.parametrize("around", AROUND)
def test_a_known_name_is_answered_alike_whatever_stands_around_it(
    assistant: Assistant, around: str
) -> None:
    names = random.Random(11).sample(sorted(assistant.kb.lexicon.everyday_names()), 500)
    plain = assistant.suggest([name for _, name in names])
    asked = [one.candidates[0].code for one in plain]
    found = assistant.suggest([around.format(name) for _, name in names])
    other = sum(one.candidates[0].code != code for one, code in zip(found, asked, strict=True))
    assert other <= 15, [n for (_, n), one, c in zip(names, found, asked, strict=True)
                         if one.candidates[0].code != c]  # fmt: skip


@pytest.mark.parametrize("work", ["运费", "安装", "维修费", "检测服务", "租赁费", "加工"])
@pytest.mark.parametrize("apart", ["{} {}", "{}-{}", "{}({})", "{} 2台 {}"])
def test_work_beside_goods_is_what_is_sold(assistant: Assistant, work: str, apart: str) -> None:
    goods = [name for code, name in assistant.kb.lexicon.everyday_names() if code[0] == "1"]
    names = random.Random(13).sample(sorted(goods), 150)
    joined = assistant.suggest([f"{name}{work}" for name in names])
    found = assistant.suggest([apart.format(name, work) for name in names])
    pairs = list(zip(names, joined, found, strict=True))
    other = [n for n, a, b in pairs if a.candidates[0].short_name != b.candidates[0].short_name]
    assert len(other) <= 20, other
    wrong = [n for n, _, b in pairs if b.tier is Tier.STRONG and b.candidates[0].code[0] == "1"]
    assert len(wrong) <= 2, wrong
