"""Industries: company names and industry texts → GB/T 4754 section and scenario labels."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base import tables
from knowledge_base.industries import Industries, IndustryTable, industries_of

ROWS = list(tables.rows("industries"))


@pytest.mark.parametrize(
    ("text", "section", "label"),
    [
        ("某某物业服务有限公司", "K", "物业管理"),
        ("万科物业发展股份有限公司深圳分公司", "K", "物业管理"),
        ("某市智慧停车场管理有限公司", "G", "停车场管理公司"),
        ("北京某某律师事务所", "L", "律师事务所"),
        ("某某设备租赁有限公司", "L", "设备租赁"),
        ("深圳市某某软件科技有限公司", "I", "软件开发"),
        ("锦江国际酒店管理有限公司", "H", "酒店"),
        ("海底捞餐饮股份有限公司", "H", "餐饮"),
        ("某市供热有限责任公司", "D", "供热公司"),
        ("某某商场有限公司", "F", "商场"),
        ("某某物流有限公司", "G", "物流运输"),
        ("某某国际货运代理有限公司", "G", "货运代理"),
        ("中国建筑第八工程局有限公司", "E", "建筑施工"),
        ("某某劳务派遣有限公司", "L", "劳务派遣公司"),
        ("某市人民医院", "Q", "医疗机构"),
        ("某市第一中学", "P", "学历学校"),
        ("某某农村商业银行股份有限公司", "J", "银行"),
        ("中国人民财产保险股份有限公司", "J", "保险公司"),
        ("外卖平台", "I", "外卖平台"),
        ("中国电信股份有限公司", "I", "电信运营商"),
        ("国网江苏省电力有限公司", "D", "供电公司"),
        ("ＳａａＳ平台", "I", "SaaS平台"),
    ],
)
def test_company_name_gives_section_and_label(text, section, label):
    found = industries_of(text)
    assert found.section == section
    assert label in found.labels


@pytest.mark.parametrize(
    ("text", "section", "absent"),
    [
        ("某市建筑设计研究院有限公司", "M", "建筑施工"),
        ("上海某某建筑材料有限公司", "C", "建筑施工"),
        ("某某酒店用品有限公司", "F", "酒店"),
        ("某市保险柜厂", "C", "保险公司"),
        ("某某电力设备有限公司", "C", "供电公司"),
        ("某某餐饮设备有限公司", "C", "餐饮"),
        ("某某医疗器械有限公司", "C", "医疗机构"),
        ("某某宠物医院", "M", "医疗机构"),
        ("某某停车设备有限公司", "C", "停车场管理公司"),
    ],
)
def test_longer_word_hides_the_one_inside(text, section, absent):
    found = industries_of(text)
    assert found.section == section
    assert absent not in found.labels


def test_weak_word_yields_to_any_other():
    assert industries_of("某某科技有限公司").section == "I"
    assert industries_of("某某酒店科技有限公司").section == "H"


@pytest.mark.parametrize(
    ("text", "section", "division"),
    [("K", "K", ""), ("K70", "K", "70"), ("l7271", "L", "72"), ("房地产业", "K", "")],
)
def test_classification_codes_and_section_names(text, section, division):
    found = industries_of(text)
    assert (found.section, found.division) == (section, division)


def test_nothing_known():
    assert not industries_of("张三")
    assert industries_of("") == Industries()


@given(st.text(max_size=40))
def test_any_text_is_answered(text):
    assert len(industries_of(text).section) <= 1


def test_every_industry_of_the_scenarios_is_reached():
    used = {r["seller_industry"] for r in tables.rows("scenarios")} - {"*"}
    assert used <= IndustryTable.load().labels
    assert {r["seller_industry"] for r in tables.rows("scenarios")} >= {"物业管理", "酒店"}


def test_data_is_sound():
    words = [r["word"] for r in ROWS]
    assert len(words) == len(set(words))
    for row in ROWS:
        assert re.fullmatch("[A-T]?", row["section"]), row
        assert re.fullmatch(r"(\d\d)?", row["division"]), row
        assert row["weak"] in ("", "1"), row
        assert not row["division"] or row["section"], row
