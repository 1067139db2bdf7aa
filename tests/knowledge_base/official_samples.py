"""Small official tables made on the spot, in each of the administration's formats."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

import xlsxwriter

from knowledge_base.official.table import OfficialRow

OFFICIAL = Path(__file__).parents[3] / "shared" / "data" / "official"
XML_V29 = OFFICIAL / "spbm_v29.xml"
XLSX_V32 = OFFICIAL / "code_table_v32_201904.xlsx"

TAGS = {
    "code": "SPBM",
    "name": "SPMC",
    "short_name": "SPBMJC",
    "parent": "PID",
    "note": "SM",
    "rates": "ZZSSL",
    "levy_rates": "ZSL",
    "keywords": "GJZ",
    "is_summary": "HZX",
    "usable": "KYZT",
    "special_treatments": "ZZSTSGL",
    "special_basis": "ZZSZCYJ",
    "consumption_tax": "XFSGL",
    "statistics_codes": "TJJBM",
    "tariff_headings": "HGJCKSPPM",
    "version": "BB",
    "valid_from": "QYSJ",
    "transition_until": "GDQJZSJ",
    "valid_to": "TYRQ",
}
JSON_KEYS = TAGS | {
    "code": "sphfwssflhbbm",
    "name": "sphfwmc",
    "short_name": "sphfwfljc",
    "parent": "fjbm",
    "is_summary": "sfhzx",
    "valid_from": "qyrq",
    "valid_to": "tyrq",
}


def row(code: str, name: str, short_name: str = "谷物", **values: object) -> OfficialRow:
    """A row with a short code written out to 19 digits."""
    defaults: dict[str, object] = {
        "version": "29.0",
        "valid_from": dt.date(2018, 5, 1),
        "rates": () if values.get("is_summary") else ("10%",),
    }
    return OfficialRow(code.ljust(19, "0"), name, short_name, **(defaults | values))  # type: ignore[arg-type]


def small_table() -> list[OfficialRow]:
    """Grain as in v29: a chapter, its levels and five leaves."""
    return [
        row("1", "货物", "货物", is_summary=True),
        row("101", "农、林、牧、渔业类产品", "农产品", is_summary=True),
        row("10101", "农业产品", "农业产品", is_summary=True),
        row("1010101", "谷物", is_summary=True, note="不包括种用谷物（详见101011901）。"),
        row(
            "101010101", "稻谷", keywords=("稻谷", "早籼稻", "粳稻"), note="包括早籼稻、其他稻谷。"
        ),
        row("101010102", "小麦", keywords=("小麦", "硬质小麦")),
        row("101010103", "玉米", keywords=("玉米", "白玉米", "糯玉米")),
        row("101010104", "谷子", keywords=("谷子",), rates=("10%", "16%")),
        row("101010199", "其他谷物", keywords=("糜子", "薏苡")),
    ]


def text_of(value: object) -> str:
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, tuple):
        return "、".join(value)
    if isinstance(value, dt.date):
        return f"{value:%Y%m%d}"
    return "" if value is None else str(value)


def as_xml(rows: Iterable[OfficialRow], header: str = "", encoding: str = "gb18030") -> bytes:
    body = "".join(
        "<BMXX>"
        + "".join(f"<{t}>{escape(text_of(getattr(r, f)))}</{t}>" for f, t in TAGS.items())
        + "</BMXX>"
        for r in rows
    )
    # The client declares gbk whatever it writes.
    declared = "gbk" if encoding == "gb18030" else encoding
    text = f'<?xml version="1.0" encoding="{declared}"?><business id="spbm"><body>{header}{body}'
    return (text + "</body></business>").encode(encoding)


def as_json(rows: Iterable[OfficialRow], **envelope: str) -> bytes:
    data = [{k.lower(): text_of(getattr(r, f)) for f, k in JSON_KEYS.items()} for r in rows]
    return json.dumps({**envelope, "Response": {"Data": {"rows": data}}}).encode()


def as_xlsx(rows: Iterable[OfficialRow], code_as_number: bool = False) -> bytes:
    cells = [[text_of(getattr(r, f)) for f in TAGS] for r in rows]
    return workbook([list(TAGS.values()), *cells], numbers_in=0 if code_as_number else None)


def workbook(lines: Iterable[list[str]], numbers_in: int | None = None) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Sheet1")
        for y, line in enumerate(lines):
            for x, cell in enumerate(line):
                if x == numbers_in and y:
                    sheet.write_number(y, x, float(cell))
                else:
                    sheet.write_string(y, x, cell)
    return target.getvalue()


def as_xls() -> bytes:
    """An Excel 97 workbook: 稻谷 and 小麦 with codes as text, 玉米 with its code as a number."""
    return zlib.decompress(base64.b85decode(_XLS))


_XLS = (
    "c-rk)O=uHA6n?XtfAia>LMxO|uxc%uAEAo0(FCm&5?Xt(mV%}>htiTt>ct{htvLu41y70yg(3)2_2LhD(3=O"
    "LMGt}?Bzp9spwL5`_08MaZB}z=K#R(L%e<NQX5M_WJ8x!ocWE(DoO{?*f}hX@GL#i3*eYxclT%atfc1*Pi(2"
    "l$q?q`p;B??b+N|)*^V-hmkk5AsBzRzXi4x!=rXe^D>4{u6w1G&_7&45Hp%W#8TWIk@BaNz#<SCN%B=1wp=O"
    "ho1<qFA8Y+Gc5uozFb?G;fxAhl4P7kIyq$>%*;BG3S@cod(%#?-b}IG7*JjQ^b#%@#Mz1I}A_HkZw3#)}Zd3"
    "7m)TN(kVawo+e&O#8;#8K8aHXt!6fUzaQZ)1aKB059O?y4#{oaApOr;;aMsFrlr#H<6+&m9(i^Pf`XrGB|+N"
    "zT^Ep7`=%^Jw|X?yL4dR`=>f)G3%He&0_?maiflgBm2U8!Vz?jMR$cOJfj9r-_V`gm|dQnJm=!uKW!I&!*=1"
    "JW#mRVg2UzI04*jz9tbOUzrINg_r_0<Wtxr%^&r{G?;RAlz&+5}OEq-+)N31g>?C=Sdfh_hCXzv10+_e<Hi*"
    "LE8ESKhYFm*fMtB?FR#D!L<-+H_C(VUV@f}!R=q^nK7v9C^paq}(2>SDD2HIIWyLp4-X<W;h*mORSZ2V;da!"
    "7tLc14_)K3D}86$2zyjXxcxYm#_YswSf*>zV~Mi>_HwvkD$og@+N3O|)mkW7jp#<IpwE<J2|I<I*+Gvq|tsR"
    "d^)gaf|lqY<qOAl1DP|NCqCsz$4S$uJOni4Knd8FMbKcocEI4M<y<>=s`Ac$vRh;R0ogvAn_Pjg9}WUFk!-k"
    "2@@tv=&#}uy?UxI-&XPZZ5RJ_Rxy>$-z5Jnj=}_9XYj-H5ack=!`YhRXERut))!l+kM_Ti;~28%VGM?89Ah="
    "dFMgD<%KKTjqyP6Up<4ONwT$x*^Zx*Axa;!"
)
