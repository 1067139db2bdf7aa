"""What a line says of the bill is taken off before the goods are read."""

from __future__ import annotations

import pytest

from models.normalise import normalise
from models.remarks import Remarks

WORDS = {"尾款": "behind", "预付款": "behind", "一批": "behind", "等": "behind", "费用": "behind",
         "差价": "behind", "支付": "front", "详见清单": "note", "含税": "note", "款": "named",
         "采购": "front|named", "采购款": "named", "产品": "named",
         "材料费": "named"}  # fmt: skip
NAMES = frozenset({"物业费", "钢材", "工程", "建筑服务预收款", "装修预付款", "支付服务", "电梯",
                   "水产品", "工程款", "包装材料"})  # fmt: skip


@pytest.fixture(scope="module")
def remarks() -> Remarks:
    return Remarks(WORDS, NAMES)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("物业费尾款", "物业费"),
        ("电梯费用", "电梯"),
        ("物业费差价", "物业费"),
        ("钢材 一批", "钢材"),
        ("钢材等一批", "钢材"),
        ("物业费预付款尾款", "物业费"),
        ("支付物业费", "物业费"),
        ("钢材 规格型号:HX-200", "钢材 hx-200"),
        ("型号HX-200 钢材", "hx-200 钢材"),
        ("钢材采购", "钢材"),
        ("电梯材料费", "电梯"),
        ("采购钢材", "钢材"),
        ("钢材 Q235 采购款", "钢材 q235"),
        ("钢材产品采购", "钢材"),
        ("支付物业费尾款(含税)", "物业费"),
        ("物业费（详见清单）", "物业费"),
        ("物业费 详见清单", "物业费"),
        ("5月份物业费", "物业费"),
        ("2026年5月份的物业费", "物业费"),
        ("2026年度第二季度物业费", "物业费"),
        ("物业费(十二月份)", "物业费"),
        ("本月物业费", "物业费"),
        ("下半年物业费", "物业费"),
        ("物业费 合同编号:HT-2026/018", "物业费"),
        ("物业费(车牌号京A12345)", "物业费"),
        ("订单号20261127001 钢材", "钢材"),
        ("钢材订单20261127", "钢材"),
        ("钢材 合同2026-018", "钢材"),
        ("钢材第3批", "钢材"),
        ("第十二车 钢材", "钢材"),
        ("钢材 品牌:宝钢 产地:上海", "钢材 宝钢 上海"),
        ("钢材 单位:吨", "钢材"),
        ("华信科技有限公司物业费", "物业费"),
        ("华信科技(上海)有限责任公司 钢材", "钢材"),
    ],
)
def test_what_is_said_of_the_bill_is_taken_off(remarks: Remarks, text: str, left: str) -> None:
    rest, found = remarks.strip(normalise(text))
    assert rest.strip(" ()") == left
    assert found
    assert all(found)


def test_a_bracket_of_the_name_itself_stays(remarks: Remarks) -> None:
    text = normalise("船舶保险（内河）（详见清单）")
    assert remarks.strip(text) == ("船舶保险(内河)", ("详见清单",))


def test_very_many_remarks_are_no_harm(remarks: Remarks) -> None:
    assert remarks.strip("采购" * 5_000) == ("采购" * 5_000, ())


@pytest.mark.parametrize(
    "text",
    [
        "装修预付款",  # a known name as it stands
        "办公楼装修预付款",  # ends with one
        "支付服务",
        "支付系统",  # what would be left is no known name
        "绿植采购",
        "新款",
        "订单系统",
        "合同纸",
        "第三方检测",
        "第二人民医院",
        "包装材料费",
        "办公楼工程款",  # ends with a known name
        "冷冻水产品",
        "物业费用",  # known without its last character
        "尾款",
        "一批",
        "有限公司",
        "物业费",
        "含税",
        "",
    ],
)
def test_what_names_the_goods_stays(remarks: Remarks, text: str) -> None:
    assert remarks.strip(text) == (text, ())
