"""Names by family: what each family of names is coded as, one cause of misreading a test."""

from __future__ import annotations

import datetime as dt

import pytest

from invoicer import Assistant, InvoiceLine, Tier

DAY = dt.date(2026, 7, 1)


@pytest.fixture(scope="module")
def coded(assistant: Assistant):
    """name → the short names of the code that comes first, of any date."""

    def of(name: str) -> frozenset[str]:
        best = assistant.suggest(InvoiceLine(name, date=DAY)).candidates[0]
        return assistant.kb.taxonomy.short_names(best.code)

    return of


@pytest.mark.parametrize(
    ("name", "short_name"),
    [
        ("方便面红烧牛肉", "方便食品"),
        ("米线香辣排骨", "方便食品"),
        ("水饺韭菜鸡蛋 500g", "方便食品"),
        ("汤圆黑芝麻", "方便食品"),
        ("月饼豆沙蛋黄", "焙烤食品"),
        ("面包红豆", "焙烤食品"),
        ("果冻草莓", "糖果类食品"),
        ("酸奶黄桃燕麦", "乳制品"),
        ("香皂柠檬", "洗涤剂"),
        ("水饺皮", "方便食品"),
    ],
)
def test_goods_whose_filling_is_told_behind_them(coded, name: str, short_name: str) -> None:
    assert short_name in coded(name)


@pytest.mark.parametrize(
    ("name", "short_name"),
    [
        ("地垫 入户门防滑", "工艺品"),
        ("挂钩 浴室免打孔", "金属制品"),
        ("收纳盒 衣柜抽屉", "塑料制品"),
        ("入户门 钢质", "金属制品"),
    ],
)
def test_the_place_of_use_behind_goods_is_not_sold(coded, name: str, short_name: str) -> None:
    assert short_name in coded(name)


@pytest.mark.parametrize(
    ("name", "short_name"),
    [
        ("奥利奥 草莓味", "焙烤食品"),
        ("蒙牛 原味", "乳制品"),
        ("乐事 黄瓜味", "焙烤食品"),
    ],
)
def test_of_brand_and_taste_alone_the_brand_decides(coded, name: str, short_name: str) -> None:
    assert short_name in coded(name)


@pytest.mark.parametrize(
    ("name", "short_name"),
    [
        ("打印复印一体机", "复印胶版印制设备"),
        ("洗烘一体机", "家用清洁电器具"),
        ("会议一体机", "计算机外部设备"),
        ("集成灶一体机", "非电力家用器具"),
        ("洗碗消毒一体机", "家用厨房电器具"),
        ("考勤门禁一体机", "钟表"),
        ("破碎筛分一体机", "矿山专用设备"),
    ],
)
def test_machines_that_do_several_things(coded, name: str, short_name: str) -> None:
    assert short_name in coded(name)


@pytest.mark.parametrize(
    ("name", "short_name"),
    [
        ("检修服务", "劳务"),
        ("电梯检修服务", "劳务"),
        ("设备检修服务费", "劳务"),
        ("电缆铺设", "建筑服务"),
        ("网线铺设", "建筑服务"),
        ("防水卷材铺设", "建筑服务"),
        ("草坪铺设", "建筑服务"),
        ("化妆服务费", "生活服务"),
        ("竞价排名", "广告服务"),
    ],
)
def test_work_on_goods_is_a_service(coded, name: str, short_name: str) -> None:
    assert short_name in coded(name)


@pytest.mark.parametrize(
    ("name", "short_name"),
    [
        ("排气管消声器", "交通运输设备"),
        ("汽车消声器", "交通运输设备"),
        ("摩托车消声器", "交通运输设备"),
        ("风管消声器", "污染防治设备"),
        ("消声器", "污染防治设备"),
    ],
)
def test_silencers_of_vehicles_are_parts_of_vehicles(coded, name: str, short_name: str) -> None:
    assert short_name in coded(name)


@pytest.mark.parametrize(
    ("name", "short_name"),
    [
        ("废钢", "黑色金属冶炼压延品"),
        ("废不锈钢", "黑色金属冶炼压延品"),
        ("废铝合金", "有色金属冶炼压延品"),
        ("废纸", "纸制品"),
        ("二手车", "机动车"),
        ("报废车辆", "机动车"),
        ("骨科钢板", "医疗仪器器械"),
        ("骨螺钉", "医疗仪器器械"),
        ("足球鞋", "鞋"),
        ("羽毛球鞋 男", "鞋"),
        ("水稻秧苗", "种子种苗"),
        ("展板制作费", "印刷品"),
        ("条幅制作费", "纺织产品"),
    ],
)
def test_families_that_had_no_names(coded, name: str, short_name: str) -> None:
    assert short_name in coded(name)


def test_oil_in_a_bottle_or_a_bottle_for_oil_is_asked(assistant: Assistant) -> None:
    found = assistant.suggest(InvoiceLine("麻油瓶 410ml", date=DAY))
    assert found.tier is not Tier.STRONG
    assert found.questions[0].text == "是瓶装的油，还是空瓶？"
