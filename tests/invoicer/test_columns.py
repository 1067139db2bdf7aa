"""Columns are recognised by any of the names that callers use."""

from __future__ import annotations

import pytest

from invoicer.columns import fields_of, given_columns, recognise
from invoicer.errors import InputError
from invoicer.line import FIELDS
from invoicer.recode.billing import BILLING_FIELDS
from knowledge_base import tables

ALIASES = {
    "name": ["name", "spmc", "xmmc", "goodsName", "商品名称", "项目名称",
             "货物或应税劳务、服务名称"],
    "declared_code": ["declared_code", "spbm", "sphfwssflhbbm", "goodsCode", "税收分类编码",
                      "商品和服务税收编码"],
    "declared_short_name": ["spfwjc", "sphfwfljc"],
    "spec": ["spec", "ggxh", "规格型号"],
    "unit": ["unit", "dw", "单位"],
    "declared_rate": ["declared_rate", "sl", "slv", "sl1", "税率"],
    "barcode": ["barcode", "sptm"],
    "manufacturer": ["manufacturer", "supplier", "生产厂家", "厂家"],
    "brand": ["brand", "品牌", "商标"],
    "seller_industry": ["seller_industry"],
    "date": ["date", "开票日期"],
    "taxpayer": ["taxpayer"],
    "answer": ["answer"],
}  # fmt: skip
PAIRS = [(field, alias) for field, names in ALIASES.items() for alias in names]


@pytest.mark.parametrize(("field", "alias"), PAIRS, ids=[alias for _, alias in PAIRS])
def test_every_name_of_a_field_is_recognised(field: str, alias: str) -> None:
    header = [alias] if field == "name" else ["序号", "name", alias]
    assert recognise(header)[field] == len(header) - 1


@pytest.mark.parametrize(
    "title",
    ["*商品名称", "商品名称*", " 商品 名称 ", "商品名称(必填)", "商品名称（必填）", "SPMC",
     "Goods_Name", "goods name", "【商品名称】", "商品名称:"],
)  # fmt: skip
def test_marks_case_and_brackets_do_not_matter(title: str) -> None:
    assert recognise([title]) == {"name": 0}


def test_the_first_of_several_columns_wins() -> None:
    assert recognise(["商品名称", "name", "项目名称"]) == {"name": 0}


def test_unknown_columns_are_left_alone() -> None:
    assert recognise(["编号", "商品名称", "备注", ""]) == {"name": 1}


def test_the_label_columns_are_no_evidence() -> None:
    assert recognise(["name", "code", "short_name"]) == {"name": 0}


@pytest.mark.parametrize("header", [["单位", "金额"], [""], []])
def test_without_a_name_column_the_present_ones_are_listed(header: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        recognise(header)
    assert "没有找到商品名称列" in caught.value.message
    assert all(title in caught.value.message for title in header)
    assert caught.value.context == {"columns": header}


def test_a_short_row_has_empty_fields() -> None:
    places = recognise(["商品名称", "单位", "品牌"])
    assert fields_of(["鱼排", "袋"], places) == {"name": "鱼排", "unit": "袋", "brand": ""}


def test_every_field_of_the_table_is_a_field_of_a_line_or_of_its_bill() -> None:
    found = {row["field"] for row in tables.rows("field_names")}
    assert found == {*FIELDS, *BILLING_FIELDS}


def test_sl_beside_slv_is_the_quantity() -> None:
    assert recognise(["xmmc", "sl", "dj", "slv"]) == {
        "name": 0, "quantity": 1, "price": 2, "declared_rate": 3,
    }  # fmt: skip


def test_columns_are_given_as_title_and_field() -> None:
    assert given_columns(["货品=name", " 单=价 = price "]) == {"货品": "name", "单=价": "price"}


@pytest.mark.parametrize("pair", ["货品", "=name", "货品=", "货品=x"])
def test_what_is_no_title_and_field_is_refused(pair: str) -> None:
    with pytest.raises(InputError, match=r"列名=字段|不是可用的字段") as refused:
        given_columns([pair])
    assert refused.value.context["field"] == "map"


def test_a_column_may_be_given_for_a_field() -> None:
    assert recognise(["货品", "名称"], {"货品": "name"}) == {"name": 0}


@pytest.mark.parametrize(
    ("given", "said"),
    [({"没有": "name"}, "没有名为“没有”的列"), ({"名称": "x"}, "“x”不是可用的字段")],
)
def test_what_is_given_has_to_be_there(given: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        recognise(["名称"], given)


@pytest.mark.parametrize(
    ("title", "field"),
    [("金额（含税）", "gross_amount"), ("金额(不含税)", "amount"), ("金额（元）", "amount"),
     ("单价(含税)", "gross_price"), ("单价（不含税）", "price"),
     ("价税合计(含税)", "gross_amount")],
)  # fmt: skip
def test_brackets_tell_gross_from_net(title: str, field: str) -> None:
    assert recognise(["商品名称", title]) == {"name": 0, field: 1}


def test_the_titles_of_accounting_software() -> None:
    header = ["存货名称", "计量单位", "无税单价", "无税金额", "税率（%）", "税额", "价税合计"]
    assert recognise(header) == {
        "name": 0, "unit": 1, "price": 2, "amount": 3, "declared_rate": 4, "tax": 5,
        "gross_amount": 6,
    }  # fmt: skip
