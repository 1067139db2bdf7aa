"""Several supplies in one name are told apart; ingredients, pieces and sets stay whole."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base import KnowledgeBase
from models.mixed import split_supply
from models.tokenizer import available_engine
from models.words import Words, name_key


@cache
def known_names() -> frozenset[str]:
    kb = KnowledgeBase.load()
    return frozenset(Words.of(kb).names) | frozenset(map(name_key, kb.lexicon.ambiguous))


def split(name: str) -> tuple[str, ...]:
    return split_supply(name, known_names().__contains__)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("打印机及安装", ("打印机", "安装")),
        ("空调销售及安装", ("空调", "安装")),
        ("电脑+打印机", ("电脑", "打印机")),
        ("水电费", ("水费", "电费")),
        ("公司水电费", ("水费", "电费")),
        ("水电气费", ("水费", "电费", "燃气费")),
        ("水电燃气费", ("水费", "电费", "燃气费")),
        ("房租及物业费", ("房租", "物业费")),
        ("房租物业费", ("房租", "物业费")),
        ("房租水电费", ("房租", "水费", "电费")),
        ("物业费与水电费", ("物业费", "水费", "电费")),
        ("水费电费", ("水费", "电费")),
        ("水费、电费", ("水费", "电费")),
        ("物业费、停车费", ("物业费", "停车费")),
        ("会议费和餐费", ("会议费", "餐费")),
        ("会议费/餐费", ("会议费", "餐费")),
        ("住宿费及餐费", ("住宿费", "餐费")),
        ("住宿费、会议费", ("住宿费", "会议费")),
        ("运输费及保险费", ("运输费", "保险费")),
        ("货物运输及装卸费", ("货物运输", "装卸费")),
        ("设备租赁及操作服务", ("设备租赁", "操作服务")),
        ("设计及施工", ("设计", "施工")),
        ("维修及保养", ("维修", "保养")),
        ("软件及培训", ("软件", "培训")),
        ("软件销售及实施", ("软件", "实施")),
        ("电梯及安装", ("电梯", "安装")),
        ("监控设备采购及安装", ("监控设备", "安装")),
        ("监控摄像头及安装费", ("监控摄像头", "安装费")),
        ("空调（含安装）", ("空调", "安装")),
        ("空调含安装费", ("空调", "安装费")),
        ("橱柜含安装", ("橱柜", "安装")),
        ("门窗制作安装", ("门窗", "安装")),
        ("铝合金门窗及安装", ("铝合金门窗", "安装")),
        ("家具及运输", ("家具", "运输")),
        ("设备及运费", ("设备", "运费")),
        ("仪器及检测服务", ("仪器", "检测服务")),
        ("投影仪及安装调试服务", ("投影仪", "安装调试服务")),
        ("电视机及安装", ("电视机", "安装")),
        ("太阳能热水器及安装", ("太阳能热水器", "安装")),
        ("LED显示屏及安装", ("led显示屏", "安装")),
        ("办公桌及安装", ("办公桌", "安装")),
        ("防水材料及施工", ("防水材料", "施工")),
        ("电缆及敷设", ("电缆", "敷设")),
        ("手机+充电器", ("手机", "充电器")),
        ("打印机+墨盒", ("打印机", "墨盒")),
        ("电脑、打印机", ("电脑", "打印机")),
        ("路由器、交换机", ("路由器", "交换机")),
        ("冰箱,洗衣机", ("冰箱", "洗衣机")),
        ("*电子计算机*电脑2台+打印机1台", ("电脑", "打印机")),
    ],
)
def test_several_supplies_are_named(name, parts):
    assert split(name) == parts


@pytest.mark.parametrize(
    "name",
    [
        "锅碗瓢盆", "油盐", "螺丝螺母", "牛油果和芒果奶昔", "茶杯&茶碟", "咸肉和蘑菇的意面酱",
        "A4+B5纸", "红枣+枸杞茶", "草莓+蓝莓酸奶", "玉米+排骨水饺", "猪肉和白菜饺子",
        "奶油和巧克力蛋糕", "蛋黄&莲蓉月饼", "面包和牛奶", "羊肉与羊排", "猫和狗零食", "打印机",
        "桌椅", "苹果手机", "鱼香肉丝", "电脑及配件", "办公用品及耗材", "五金及工具",
        "塑料及橡胶制品", "铜及铜合金管件", "不锈钢螺丝及螺母", "汽车和摩托车轮胎",
        "男士和女士手表", "婴儿和儿童洗发水", "桌子和椅子脚垫", "衣服及裤子挂架", "手机/平板支架",
        "USB/HDMI转换线", "螺栓/螺母", "可乐/雪碧", "洗发水+护发素套装", "洗面奶加保湿霜套装",
        "钢笔和墨水礼盒", "维生素C+E胶囊", "钙+维生素D片", "安装及调试", "安装调试费",
        "维护保养服务", "空调安装", "水电安装", "水电材料", "水电费充值卡", "电费",
        "水电费（电费部分）", "暖气费",
        "煤气费", "上网电费", "光伏上网电费", "设备租赁", "机械设备租赁服务", "运输服务",
        "服装加工", "家具定制", "纸箱印刷加工费", "软件定制开发", "面料成分及甲醛含量检测费",
        "土壤和地下水自行监测费", "茶叶礼盒包装设计费", "空调维修加氟费", "含糖饮料", "沙发含抱枕",
        "无糖口香糖含薄荷", "空调不含安装", "带盖水杯", "包装盒", "和田玉", "和面机", "和服",
        "加湿器", "加厚垃圾袋", "与众不同笔记本", "三明治和汉堡纸", "停车场道闸", "乐高积木", "",
    ],
)  # fmt: skip
def test_single_supply_stays_whole(name):
    assert split(name) == ()


def test_a_reading_is_split_without_its_sizes():
    reader = Words.of(KnowledgeBase.load()).reader(available_engine())
    reading = reader.read("*打印设备*激光打印机A4 3台及安装")
    assert split_supply(reading, known_names().__contains__) == ("激光打印机", "安装")


def test_everyday_names_are_single_supplies():
    """Of all known names, were they not known as wholes, almost none would be split."""
    names = known_names()
    wrong = []
    for code, term in KnowledgeBase.load().lexicon.everyday_names():
        key = name_key(term)
        parts = split_supply(key, lambda text, key=key: text != key and text in names)
        if parts and code[0] == "1":
            wrong.append(term)
    assert len(wrong) <= 10, wrong


@given(st.text(alphabet="水电费房租及和与+、/含包安装打印机 ()", max_size=14))
def test_any_name_is_answered(name):
    parts = split(name)
    assert len(parts) != 1
    assert all(len(part) > 1 for part in parts)
