"""Delivered e-invoices: XML, and the data document in an OFD file."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from invoicer.errors import InputError
from invoicer.recode.einvoice import COLUMNS, read_einvoice

XML = """<?xml version="1.0" encoding="UTF-8"?>
<EInvoice><Header><EIid>24442000000012345678</EIid></Header><EInvoiceData>
<SellerInformation><SellerIdNum>91440300MA5EXAMPL1</SellerIdNum><SellerName>四海商贸有限公司</SellerName></SellerInformation>
<BuyerInformation><BuyerIdNum>91440300MA5EXAMPL9</BuyerIdNum><BuyerName>远航科技有限公司</BuyerName></BuyerInformation>
<BasicInformation><TotalAmWithoutTax>300.00</TotalAmWithoutTax><RequestTime>2024-05-06 10:11:12</RequestTime></BasicInformation>
<IssuItemInformation><ItemName>*水产加工品*柚子味鱼排</ItemName><SpecMod>200g</SpecMod><MeaUnits>袋</MeaUnits><Quantity>10</Quantity><UnPrice>20</UnPrice><Amount>200.00</Amount><TaxRate>0.13</TaxRate><ComTaxAm>26.00</ComTaxAm><TotaltaxIncludedAmount>226.00</TotaltaxIncludedAmount><TaxClassificationCode>1030109050000000000</TaxClassificationCode></IssuItemInformation>
<IssuItemInformation><ItemName>*水产加工品*柚子味鱼排</ItemName><Amount>-20.00</Amount><TaxRate>0.13</TaxRate><ComTaxAm>-2.60</ComTaxAm></IssuItemInformation>
</EInvoiceData><TaxSupervisionInfo><InvoiceNumber>24442000000012345678</InvoiceNumber><IssueTime>2024-05-06</IssueTime></TaxSupervisionInfo></EInvoice>
"""  # noqa: E501
ORIGINAL = """<?xml version="1.0" encoding="UTF-8"?>
<eInvoice xmlns="http://www.edrm.org.cn/schema/e-invoice/2019" xmlns:fp="http://www.edrm.org.cn/schema/e-invoice/2019">
<fp:InvoiceCode>144032109110</fp:InvoiceCode><fp:InvoiceNo>12345678</fp:InvoiceNo><fp:IssueDate>2021年06月01日</fp:IssueDate>
<fp:Buyer><fp:BuyerName>远航科技有限公司</fp:BuyerName></fp:Buyer>
<fp:Seller><fp:SellerName>四海商贸有限公司</fp:SellerName><fp:SellerTaxID>91440300MA5EXAMPL1</fp:SellerTaxID></fp:Seller>
<fp:GoodsInfos><fp:GoodsInfo><fp:Item>*乳制品*纯牛奶</fp:Item><fp:Specification>250ml*24</fp:Specification><fp:MeasurementDimension>箱</fp:MeasurementDimension><fp:Price>52</fp:Price><fp:Quantity>2</fp:Quantity><fp:Amount>104.00</fp:Amount><fp:TaxScheme>9%</fp:TaxScheme><fp:TaxAmount>9.36</fp:TaxAmount></fp:GoodsInfo></fp:GoodsInfos>
</eInvoice>
"""


def ofd(path: Path, **entries: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("OFD.xml", "<ofd/>")
        for name, text in entries.items():
            archive.writestr(name.replace("__", "/") + ".xml", text)
    return path


def lines(path: Path) -> list[dict[str, str]]:
    found = read_einvoice(path)
    return [dict(zip(COLUMNS, row, strict=True)) for row in found.rows]


def test_the_lines_of_an_xml_invoice_carry_its_head(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(XML, encoding="utf-8")
    first, second = lines(path)
    assert first["name"] == "*水产加工品*柚子味鱼排"
    assert (first["amount"], first["tax"], first["declared_rate"]) == ("200.00", "26.00", "0.13")
    assert first["declared_code"] == "1030109050000000000"
    assert (second["amount"], second["quantity"]) == ("-20.00", "")
    for line in (first, second):
        assert line["invoice_number"] == "24442000000012345678"
        assert line["seller_industry"] == "四海商贸有限公司"
        assert line["date"].startswith("2024-05-06")


def test_a_gbk_document_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(XML.replace("UTF-8", "GBK").encode("gbk"))
    assert lines(path)[0]["name"] == "*水产加工品*柚子味鱼排"


def test_an_ofd_file_is_read_by_its_data_document(tmp_path: Path) -> None:
    (line,) = lines(ofd(tmp_path / "a.ofd", Doc_0__Attachs__original_invoice=ORIGINAL))
    assert (line["name"], line["unit"], line["declared_rate"]) == ("*乳制品*纯牛奶", "箱", "9%")
    assert (line["invoice_number"], line["date"]) == ("12345678", "2021年06月01日")
    assert line["seller_tax_number"] == "91440300MA5EXAMPL1"


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_einvoice(path)
    return caught.value.message


def test_an_ofd_without_data_says_what_to_do(tmp_path: Path) -> None:
    assert "original_invoice.xml" in refused(ofd(tmp_path / "a.ofd"))


def test_an_entity_bomb_is_not_expanded(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'
    (tmp_path / "a.xml").write_text(bomb, encoding="utf-8")
    assert "DOCTYPE" in refused(tmp_path / "a.xml")
    assert "DOCTYPE" in refused(ofd(tmp_path / "b.ofd", original_invoice=bomb))


@pytest.mark.parametrize("text", ["<EInvoice><ItemName>x", "no xml", "<a/>", ""])
def test_what_is_no_invoice_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    assert "a.xml" in refused(tmp_path / "a.xml")


def test_a_deeply_nested_document_does_not_exhaust_the_stack(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<a>" * 5_000 + "</a>" * 5_000, encoding="utf-8")
    assert "没有发票明细行" in refused(tmp_path / "a.xml")
