"""A written name with its stretches marked: nothing is lost, the core product stands out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoicer.review.marks import marks
from models.reading import Reader


@pytest.mark.parametrize(
    ("name", "core", "roles"),
    [
        ("柚子味鱼排 200g", "鱼排", {"柚子味": "flavour", "200g": "size"}),
        ("【特价】蓝月亮薰衣草香洗衣液3kg*2瓶装", "洗衣液",
         {"特价": "promotion", "蓝月亮": "brand", "薰衣草香": "scent", "3kg*2瓶装": "size"}),
        ("*乳制品*蒙牛 纯牛奶 250ml*24", "纯牛奶",
         {"*乳制品*": "declared", "蒙牛": "brand", "250ml*24": "size"}),
        ("買一送一 ＡＢＣ衛生巾", "衛生巾", {"買一送一": "promotion", "ＡＢＣ": "brand"}),
    ],
)  # fmt: skip
def test_stretches_of_the_written_name_carry_their_role(
    reader: Reader, name: str, core: str, roles: dict[str, str]
) -> None:
    found = marks(name, reader.read(name))
    assert "".join(m.text for m in found if m.core) == core
    assert {m.text: m.role for m in found if m.role and not m.core} == roles


def test_a_material_that_names_the_kind_of_goods_belongs_to_the_core(reader: Reader) -> None:
    found = marks("不锈钢保温杯500ml", reader.read("不锈钢保温杯500ml"))
    assert "".join(m.text for m in found if m.core) == "不锈钢保温杯"


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_the_stretches_are_the_name_again(reader: Reader, name: str) -> None:
    assert "".join(m.text for m in marks(name, reader.read(name))) == name
