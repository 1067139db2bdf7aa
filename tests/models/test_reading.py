"""Reading a name: what names the thing and what only describes it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.reading import Reader, Reading
from models.words import Words

PIECES = [
    "柚子味", "黄瓜味", "草莓", "鱼排", "薯片", "味精", "手机", "苹果", "不锈钢", "架", "乐事",
    "200g", "70g*12", "KFR-35GW", "【促销】", "(赠品)", "*水产加工品*", "/", " ", ",", "買一送一",
    "洗髮精", "牌", "18-8", "😀", "\x00", "１２", "ml", "味", "红色", "儿童", "个", "【", "*",
]  # fmt: skip
names = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES)).map("".join))


@pytest.fixture(scope="module")
def read(reader: Reader):
    return reader.read


# -- flavours ---------------------------------------------------------------------------------


def test_a_flavour_is_set_aside_and_asked_about(read) -> None:
    reading = read("柚子味鱼排")
    assert reading.core == "鱼排"
    assert reading.descriptors == (("柚子味", "flavour"),)
    assert reading.prompt == "检测到风味描述词,请确认实际商品是否为鱼排?"


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("草莓味酸奶", "酸奶"),
        ("牛奶味饼干", "饼干"),
        ("牛肉味方便面 5连包", "方便面"),
        ("儿童牙膏 草莓味 50g", "儿童牙膏"),
    ],
)
def test_the_core_is_what_the_flavour_belongs_to(read, name: str, core: str) -> None:
    reading = read(name)
    assert reading.core == core
    assert [kind for _, kind in reading.descriptors if kind == "flavour"] == ["flavour"]


@pytest.mark.parametrize("name", ["味精", "口味虾", "怪味豆", "海味", "味噌"])
def test_words_that_only_look_like_flavours_are_left_whole(read, name: str) -> None:
    reading = read(name)
    assert (reading.core, reading.descriptors, reading.prompt) == (name, (), "")


def test_a_scent_is_asked_about_as_a_scent(read) -> None:
    reading = read("薰衣草香型洗衣液")
    assert reading.core == "洗衣液"
    assert reading.prompt == "检测到香味描述词,请确认实际商品是否为洗衣液?"


@pytest.mark.parametrize("name", ["柚子味", "原味"])
def test_a_name_of_nothing_but_a_flavour_keeps_it_as_core(read, name: str) -> None:
    assert read(name).core == name


def test_a_name_without_flavour_raises_no_question(read) -> None:
    assert read("红色连衣裙").prompt == ""


# -- all the parts of a line ------------------------------------------------------------------


def test_every_part_of_a_shop_line_is_found(read) -> None:
    reading = read("乐事 原切马铃薯片 黄瓜味 70g*12")
    assert reading.brands == ("乐事",)
    assert reading.sizes == ("70g*12",)
    assert ("黄瓜味", "flavour") in reading.descriptors
    assert reading.core.endswith("马铃薯片")


@pytest.mark.parametrize(
    ("name", "declared", "core"),
    [
        ("*水产加工品*柚子味鱼排", "水产加工品", "鱼排"),
        (" *餐饮服务*餐费", "餐饮服务", "餐费"),
        ("＊水产加工品＊鱼排", "水产加工品", "鱼排"),
    ],
)
def test_a_printed_short_name_is_kept_as_a_hint_and_not_cut_into_words(
    read, name: str, declared: str, core: str
) -> None:
    reading = read(name)
    assert (reading.declared_short_name, reading.core) == (declared, core)


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("卡簧钳 四件套 7寸", "卡簧钳"),
        ("落地扇 遥控 五叶", "落地扇"),
        ("粉丝 龙口绿豆 煲汤用 500g*20袋", "粉丝"),
        ("牛百叶 冻 火锅食材", "牛百叶"),
        ("移动式篮球架 液压 钢化玻璃板", "移动式篮球架"),
        ("金龙鱼 调和油 5L", "调和油"),
        ("奇亚籽 进口 500g", "奇亚籽"),
    ],
)
def test_of_two_known_names_the_earlier_is_sold_unless_it_is_a_brand(read, name, core) -> None:
    assert read(name).core == core


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("地垫 入户门防滑", "地垫"),
        ("挂钩 浴室免打孔", "挂钩"),
        ("收纳盒 衣柜抽屉", "收纳盒"),
        ("宜家 衣柜", "衣柜"),
        ("入户门 钢质", "入户门"),
        ("鞋油 黑 铁盒", "鞋油"),
        ("铁盒 茶叶用", "铁盒"),
        ("洋槐蜜900g广口瓶", "洋槐蜜"),
        ("广口瓶", "广口瓶"),
    ],
)
def test_a_place_of_use_or_packing_behind_a_known_name_is_not_sold(read, name, core) -> None:
    assert read(name).core == core


@pytest.mark.parametrize(
    ("name", "core", "filling"),
    [
        ("水饺韭菜鸡蛋", "水饺", "韭菜鸡蛋"),
        ("过桥米线香辣排骨", "过桥米线", "香辣排骨"),
        ("三全汤圆黑芝麻 500g", "汤圆", "黑芝麻"),
        ("果冻草莓", "果冻", "草莓"),
        ("洗衣液薰衣草", "洗衣液", "薰衣草"),
    ],
)
def test_a_filling_follows_the_goods_that_take_one(read, name, core, filling) -> None:
    reading = read(name)
    assert reading.core == core
    assert (filling, "flavour") in reading.descriptors


@pytest.mark.parametrize("name", ["水饺皮", "饼干盒", "面包糠", "海苔曲奇", "奶酪布丁", "蛋黄酥"])
def test_what_is_no_filling_stays_in_the_core(read, name: str) -> None:
    assert read(name).core == name


def test_a_filling_after_a_space_is_not_sold(read) -> None:
    assert read("米线 香辣排骨").core == "米线"


@pytest.mark.parametrize("name", ["徐福记 草莓味", "徐福记草莓味"])
def test_of_a_brand_and_a_taste_alone_the_brand_is_the_core(read, name: str) -> None:
    assert read(name).core == "徐福记"


@pytest.mark.parametrize("name", ["*鱼排", "**鱼排", "鱼排*2"])
def test_single_stars_are_no_short_name(read, name: str) -> None:
    reading = read(name)
    assert (reading.declared_short_name, reading.core) == ("", "鱼排")


@pytest.mark.parametrize(
    ("name", "size", "core"),
    [
        ("柚子味鱼排 200g", "200g", "鱼排"),
        ("雪花啤酒500ml*12", "500ml*12", "啤酒"),
        ("矿泉水 550ml*24瓶/箱", "550ml*24瓶/箱", "矿泉水"),
        ("洗衣液 3kg", "3kg", "洗衣液"),
        ("洗衣液３ＫＧ", "3kg", "洗衣液"),
        ("白酒52度500ml", "500ml", "白酒"),
        ("鱼排×3盒", "x3盒", "鱼排"),
        ("酸奶/杯", "/杯", "酸奶"),
    ],
)
def test_sizes_are_taken_off(read, name: str, size: str, core: str) -> None:
    reading = read(name)
    assert size in reading.sizes
    assert reading.core == core


@pytest.mark.parametrize(
    ("name", "core"), [("No.5 方案设计费", "方案设计费"), ("2026年1月装修服务", "装修服务")]
)
def test_the_beginning_of_a_word_is_no_unit(read, name: str, core: str) -> None:
    assert read(name).core == core


@pytest.mark.parametrize(
    ("name", "core"),
    [("YJV4*35+1*16", "yjv"), ("RVVP2*1.0", "rvvp"), ("PPR90°弯头", "°弯头")],
)
def test_a_word_that_a_number_follows_is_kept(read, name: str, core: str) -> None:
    assert read(name).core == core


@pytest.mark.parametrize("name", ["G5NB-1A-E", "CD4051BM96"])
def test_letters_inside_a_number_stand_for_nothing(read, name: str) -> None:
    assert read(name).clean == name.lower()


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("花多多1号 20-20-20", "花多多"),
        ("92号汽油", "92号汽油"),
        ("KN95口罩", "口罩"),  # no 95 口
        ("焊丝ER308L", "焊丝"),  # no litres
        ("可乐330ml", "可乐"),
        ("打印纸A4 70g", "打印纸"),
        ("A4纸 70g", "a4纸"),
        ("0糖可乐", "零糖可乐"),
    ],
)
def test_a_number_takes_no_part_of_a_word_along(read, name: str, clean: str) -> None:
    assert read(name).clean == clean


def test_a_taste_that_is_the_goods_itself_is_not_asked_about(read) -> None:
    assert (read("西瓜 特价").core, read("西瓜 特价").prompt) == ("西瓜", "")
    assert read("西瓜味汽水").prompt == "检测到风味描述词,请确认实际商品是否为汽水?"


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("会议服务 金陵大酒店", "会议服务"),  # where it was
        ("住宿费 市第一人民医院", "住宿费"),
        ("仓储费 冻牛肉", "仓储费"),  # what it was for
        ("酒瓶 玻璃", "酒瓶"),  # what it is of
        ("徐福记 整箱", "徐福记"),
        ("南方黑芝麻糊 无糖", "南方黑芝麻糊"),
        ("松下CR2032", "cr2032"),
    ],
)
def test_what_stands_behind_the_supply_is_not_it(read, name: str, core: str) -> None:
    assert read(name).core == core


@pytest.mark.parametrize("name", ["可折叠床垫", "床垫 可拆洗", "床垫 带盖", "床垫 防水 静音"])
def test_a_feature_says_nothing_of_the_kind_of_goods(read, name: str) -> None:
    reading = read(name)
    assert reading.core == "床垫"
    assert reading.is_plain


def test_how_a_thing_works_may_make_another_thing_of_it(read) -> None:
    assert not read("牙刷 电动").is_plain  # 电动牙刷 is known
    assert read("床垫 蓝牙").is_plain


def test_what_comes_along_is_set_aside(read) -> None:
    reading = read("颈枕 附收纳袋")
    assert (reading.core, reading.clean, reading.extras) == ("颈枕", "颈枕", ("附收纳袋",))
    assert reading.is_plain


@pytest.mark.parametrize("lot", ["一批", " 一批", "等一批", "1批", "若干"])
def test_a_lot_is_a_quantity(read, lot: str) -> None:
    reading = read(f"钢材{lot}")
    assert (reading.core, reading.clean, reading.head) == ("钢材", "钢材", "钢材")
    assert reading.remarks == (lot.strip(),)


def test_a_lot_alone_stays_as_it_is(read) -> None:
    assert read("一批").clean == "一批"


@pytest.mark.parametrize(
    ("name", "model", "core"),
    [
        ("空调 KFR-35GW", "kfr-35gw", "空调"),
        ("ＫＦＲ－３５ＧＷ空调", "kfr-35gw", "空调"),
        ("轴承 6204-2RS", "6204-2rs", "轴承"),
    ],
)
def test_model_numbers_are_taken_off(read, name: str, model: str, core: str) -> None:
    reading = read(name)
    assert model in reading.models
    assert reading.core == core


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("【促销】洗衣液", "洗衣液"),
        ("洗衣液【买一送一】", "洗衣液"),
        ("电脑(赠品)", "电脑"),
        ("電腦（贈品）", "电脑"),
    ],
)
def test_promotions_are_set_aside(read, name: str, core: str) -> None:
    reading = read(name)
    assert reading.core == core
    assert [kind for _, kind in reading.descriptors] == ["promotion"]


@pytest.mark.parametrize("name", ["手机壳(透明", "手机壳)透明", "【手机壳", "((手机壳))"])
def test_unpaired_brackets_do_not_hide_the_product(read, name: str) -> None:
    assert read(name).core == "手机壳"


# -- brands that are words --------------------------------------------------------------------


def test_a_fruit_before_a_phone_is_not_a_fruit(read) -> None:
    reading = read("苹果手机 256G")
    assert reading.head == "手机"


def test_a_fruit_in_a_juice_is_no_brand(read) -> None:
    reading = read("苹果汁")
    assert (reading.core, reading.brands) == ("苹果汁", ())


def test_a_brand_in_front_is_not_part_of_the_product(read) -> None:
    reading = read("农夫山泉矿泉水")
    assert (reading.brands, reading.core) == (("农夫山泉",), "矿泉水")


def test_the_brand_of_the_lines_own_column_is_found_in_the_name(reader: Reader) -> None:
    reading = reader.read("某某某花生油5L", ("某某某",))
    assert (reading.brands, reading.core) == (("某某某",), "花生油")


@pytest.mark.parametrize(
    ("name", "core"),
    [("502胶 8g", "502胶"), ("84消毒液 500ml", "84消毒液"), ("台灯(3C认证)", "台灯")],
)
def test_a_number_within_a_known_word_is_no_measure(read, name: str, core: str) -> None:
    assert read(name).core == core


def test_a_known_name_that_is_the_brand_and_one_character_is_not_cut(reader: Reader) -> None:
    assert reader.read("三金片 72片 薄膜衣", ["三金"]).core == "三金片"


@pytest.mark.parametrize("name", ["木纹塑料餐盘", "大理石纹塑料餐盘", "塑料餐盘 竹纹"])
def test_what_goods_look_like_is_not_what_they_are_made_of(read, name: str) -> None:
    assert read(name).core == "塑料餐盘"


def test_a_make_that_is_a_whole_stretch_of_the_name_is_not_what_is_sold(reader: Reader) -> None:
    reading = reader.read("恒源祥_袜", ["恒源祥"])
    assert (reading.core, reading.brands) == ("袜", ("恒源祥",))


def test_a_brand_in_front_of_a_known_name_is_one_though_a_word_crosses_its_end(read) -> None:
    assert read("立白茶籽").core == "茶籽"


def test_a_known_name_that_ends_in_pai_is_no_make(read) -> None:
    assert read("标识标牌制作").core == "标识标牌制作"


def test_a_scent_that_cuts_a_known_word_is_none(read) -> None:
    assert read("古龙香水").core.endswith("香水")


def test_a_taste_before_a_flavour_belongs_to_it(read) -> None:
    assert read("麻辣牛肉味锅巴").descriptors == (("麻辣牛肉味", "flavour"),)


def test_whom_a_thing_is_for_may_follow_it(read) -> None:
    assert read("天然胶乳安全套白领专用").core == "天然胶乳安全套"


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("水磨糯米粉汤圆用500g", "水磨糯米粉"),
        ("吉利丁片 5g*10片装 慕斯布丁用", "吉利丁片"),
        ("会议室租用", "会议室租赁"),
        ("一次性使用", "一次性使用"),
    ],
)
def test_what_a_thing_is_for_may_follow_it(read, name: str, core: str) -> None:
    assert read(name).core == core


@pytest.mark.parametrize(
    ("name", "core"), [("单芯铜线红", "单芯铜线"), ("鸡蛋黄", "鸡蛋黄"), ("胭脂红", "胭脂红")]
)
def test_a_colour_behind_a_known_name_is_none_of_its_characters(read, name, core) -> None:
    assert read(name).core == core


def test_packing_behind_the_goods_says_nothing_of_them(read) -> None:
    reading = read("洋槐蜜 真空袋")
    assert reading.is_plain
    assert ("真空袋", "packing") in reading.descriptors


@pytest.mark.parametrize("behind", ["把装", "网装", "三件套", "空运", "(袋)", "[盒]", "JJ级"])
def test_how_goods_are_packed_counted_and_sent_says_nothing_of_them(read, behind: str) -> None:
    found = read(f"菠菜 {behind}")
    assert found.core == "菠菜"
    assert found.is_plain


def test_the_group_in_front_is_not_what_is_sold(read) -> None:
    for name in ("日用品-毛巾", "【日用品】毛巾", "日用百货 毛巾", "日用品:毛巾 34*74cm"):
        assert read(name).core == "毛巾", name
    assert read("日用品-毛巾").remarks == ("日用品",)
    assert read("海蜇(头)").sizes == ()  # no unit
    assert read("蔬菜-菠菜").core == "菠菜"
    assert read("玩具-手枪").core == "玩具"  # its kind decides


def test_a_promotion_is_not_the_brand_that_begins_like_it(read) -> None:
    reading = read("浮筒 可定制")
    assert (reading.core, reading.brands) == ("浮筒", ())


def test_words_for_snacks_in_general_do_not_hide_the_snack(read) -> None:
    assert read("五香牛肉干小吃零食").core == "五香牛肉干"


def test_the_end_of_a_latin_word_is_no_known_name(read) -> None:
    assert read("BENUCO#手提包").core == "手提包"


def test_an_english_brand_is_not_cut_out_of_the_middle_of_a_word(read) -> None:
    words = {word for word, _, _ in read("Carbon 碳纤维自行车").tokens}
    assert "carbon" in words


# -- material, script, typos ------------------------------------------------------------------


def test_material_in_front_stays_with_the_core(read) -> None:
    reading = read("18-8不锈钢架")
    assert (reading.core, reading.head) == ("不锈钢架", "架")


def test_traditional_script_is_read_like_simplified(read) -> None:
    assert read("無糖綠茶飲料").core == read("无糖绿茶饮料").core


@pytest.mark.parametrize(("typed", "meant"), [("滑鼠", "鼠标"), ("洗髮精", "洗发水")])
def test_regional_words_become_the_standard_word(read, typed: str, meant: str) -> None:
    assert read(typed).core == meant


def test_a_known_name_is_never_corrected(kb, reader: Reader) -> None:
    names = Words.of(kb).names
    sample = random.Random(3).sample(sorted(names), 400)
    replaced = (name for name in (*kb.lexicon.abbreviations, *kb.lexicon.variants) if name in names)
    plain = [name for name in (*sample, *replaced) if name.isalpha()]
    assert [name for name in plain if reader.read(name).clean != name] == []


def test_a_name_of_digits_alone_is_read_as_it_stands(read) -> None:
    assert read("12345").core == "12345"


@pytest.mark.parametrize("name", ["", "   ", "🎉", "***", "\x00"])
def test_a_name_without_words_has_no_core(read, name: str) -> None:
    reading = read(name)
    assert (reading.core, reading.head, reading.prompt) == ("", "", "")


# -- properties -------------------------------------------------------------------------------


@given(names)
def test_any_text_can_be_read(name: str) -> None:
    reading = shared_reader().read(name)
    assert isinstance(reading, Reading)
    assert reading.text == name


@given(names)
def test_the_core_is_made_of_the_cleaned_name_in_order(name: str) -> None:
    reading = shared_reader().read(name)
    rest = iter(reading.clean)
    assert all(char in rest for char in reading.core)


@given(names)
def test_the_head_ends_the_core(name: str) -> None:
    reading = shared_reader().read(name)
    assert reading.core.endswith(reading.head)
    assert bool(reading.head) == bool(reading.core)


@given(names)
def test_spans_are_in_order_within_the_cleaned_name(name: str) -> None:
    reading = shared_reader().read(name)
    place = 0
    for span in reading.spans:
        assert place <= span.start < span.end
        assert reading.clean[span.start : span.end] == span.text
        place = span.end


@given(names)
def test_reading_is_the_same_every_time(name: str) -> None:
    assert shared_reader().read(name) == shared_reader().read(name)


@given(st.text(alphabet="鱼排味柚子*（）【】/ ", min_size=1000, max_size=1000))
def test_a_very_long_name_can_be_read(name: str) -> None:
    assert shared_reader().read(name).text == name


_reader: list[Reader] = []


def shared_reader() -> Reader:
    """The session's reader, for tests whose arguments hypothesis gives."""
    return _reader[0]


@pytest.fixture(autouse=True, scope="module")
def _share(reader: Reader):
    _reader.append(reader)


@pytest.mark.parametrize("name", ["1" * 1000, "1*" * 500, "x1" * 500, "1g*" * 333, "(a" * 500])
def test_a_hostile_name_is_read_like_any_other(reader: Reader, name: str) -> None:
    assert reader.read(name).text == name
