"""Versions of the code table: compared, installed, listed, rolled back; words that fell behind."""

from __future__ import annotations

import csv
import datetime as dt
import os
import time
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from official_samples import XLSX_V32, XML_V29, as_json, as_xml, row, small_table

from knowledge_base import KnowledgeBase, tables
from knowledge_base.official import versions
from knowledge_base.official.state import rows_on
from knowledge_base.official.successors import stale_rows
from knowledge_base.official.table import OfficialRow, OfficialTableError, read_table
from knowledge_base.official.versions import VersionStore, compare
from knowledge_base.rate_advice import RateKind, TaxpayerType
from knowledge_base.rates import RateTable

needs_official_files = pytest.mark.skipif(
    not XML_V29.exists(), reason="the official files of ../shared/data are not here"
)
WHEAT, MILLET, OTHER = "1010101020000000000", "1010101040000000000", "1010101990000000000"
RICE, SORGHUM = "1010101010000000000", "1010101050000000000"


def write_csv(path: Path, header: str, rows: Iterable[dict[str, str]] = ()) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header.split(","), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


TAXONOMY = (
    "code,name,short_name,parent,leaf,keywords,includes,excludes,tariff_headings,"
    "statistics_codes,special_treatment,consumption_tax,rates_2018_05,valid_from,valid_to"
)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A small knowledge base as of v29: the grain codes and a few words on them."""
    root = tmp_path / "data"
    root.mkdir()
    parents = {1: "", 3: "1", 5: "101", 7: "10101", 9: "1010101"}
    write_csv(
        root / "taxonomy.csv",
        TAXONOMY,
        [
            {
                "code": r.code,
                "name": r.name,
                "short_name": r.short_name,
                "parent": parents[max(1, len(r.code.rstrip("0")) // 2 * 2 + 1)].ljust(19, "0")
                if r.name != "货物"
                else "",
                "leaf": "01"[not r.is_summary],
                "keywords": "|".join(r.keywords),
                "includes": "我们补充的说明" if r.name == "稻谷" else "",
                "rates_2018_05": "|".join(r.rates),
                "valid_from": "2018-01-01",
            }
            for r in small_table()
        ],
    )
    write_csv(
        root / "short_names.csv", "code_prefix,short_name,valid_from,valid_to,confidence,source"
    )
    write_csv(root / "former_names.csv", "code,name,valid_to,source")
    write_csv(
        root / "everyday_names.csv",
        "code,term",
        [{"code": WHEAT, "term": "麦子"}, {"code": MILLET, "term": "小米谷子"}],
    )
    write_csv(
        root / "ambiguous.csv",
        "term,codes,default_code,question,options",
        [
            {
                "term": "粮食",
                "codes": f"{WHEAT}|{MILLET}",
                "default_code": MILLET,
                "question": "哪一种？",
                "options": f"麦={WHEAT}|谷={MILLET}",
            }
        ],
    )
    return root


@pytest.fixture
def store(tmp_path: Path, base: Path) -> VersionStore:
    return VersionStore(tmp_path / "store", base)


def next_table() -> list[OfficialRow]:
    """v32 of the small table: 谷子 stopped, 高粱 new, 稻谷's 简称, 玉米's name, a keyword moved."""
    changed = {
        "稻谷": {"short_name": "稻谷类"},
        "玉米": {"name": "玉米（苞谷）"},
        "其他谷物": {"keywords": ("糜子",)},
    }
    rows = [replace(r, **changed.get(r.name, {})) for r in small_table() if r.name != "谷子"]
    rows.append(row("101010105", "高粱", keywords=("高粱", "薏苡")))
    rates = {("10%",): ("9%",)}
    return [
        replace(
            r,
            version="32.0",
            valid_from=dt.date(2019, 4, 1),
            transition_until=dt.date(2019, 5, 1),
            rates=rates.get(r.rates, r.rates),
        )
        for r in rows
    ]


def edition(
    rows: Iterable[OfficialRow], version: str, year: int, month: int = 1
) -> list[OfficialRow]:
    day = dt.date(year, month, 1)
    return [replace(r, version=version, valid_from=day, transition_until=day) for r in rows]


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.fixture
def v32(tmp_path: Path) -> Path:
    return put(tmp_path, "v32.xml", as_xml(next_table()))


def everything_in(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else b""
        for p in sorted(folder.rglob("*"))
    }


# Comparison


def test_the_difference_of_two_tables():
    diff = compare(small_table(), next_table())
    assert [r.name for r in diff.new] == ["高粱"]
    assert [r.name for r in diff.stopped] == ["谷子"]
    assert [(c.old, c.new) for c in diff.renamed] == [("玉米", "玉米（苞谷）")]
    assert [(c.name, c.old, c.new) for c in diff.short_names] == [("稻谷", "谷物", "稻谷类")]
    assert {(c.old, c.new) for c in diff.rates} == {("10%", "9%")}
    assert [(c.name, c.added, c.removed) for c in diff.keywords] == [("其他谷物", (), ("薏苡",))]
    assert [(m.keyword, m.old_code, m.new_code) for m in diff.moved_keywords] == [
        ("薏苡", OTHER, SORGHUM)
    ]
    assert diff.summary().startswith("新增 1，停用 1，改名 1，简称变动 1，税率变动 4")


def test_a_table_does_not_differ_from_itself_and_order_of_rates_is_no_change():
    turned = [replace(r, rates=r.rates[::-1]) for r in reversed(small_table())]
    assert compare(small_table(), turned).is_empty


def test_a_leaf_that_becomes_a_summary_and_a_code_that_becomes_unusable_are_seen():
    rows = small_table()
    rows[4] = replace(rows[4], is_summary=True)
    rows[5] = replace(rows[5], usable=False)
    diff = compare(small_table(), rows)
    assert [(c.old, c.new) for c in diff.leaf_flags] == [("可开票", "汇总项")]
    assert [r.name for r in diff.stopped] == ["小麦"]
    assert [r.name for r in compare(rows, small_table()).new] == ["小麦"]


# Installing


def test_an_empty_store_answers_from_the_built_in_tables(store, base):
    assert store.current_root() == base
    assert [v.id for v in store.versions()] == ["builtin"]
    assert not store.path.exists()


def test_after_an_import_every_date_has_its_own_answer(store, v32):
    report = store.install(v32)
    assert report.status == "installed"
    assert report.version == store.versions()[-1]
    assert report.version.is_current
    taxonomy = KnowledgeBase.load(store.current_root()).taxonomy
    before, after = dt.date(2019, 3, 31), dt.date(2019, 4, 1)
    assert taxonomy[MILLET].is_valid_on(before) and not taxonomy[MILLET].is_valid_on(after)
    assert taxonomy[SORGHUM].is_valid_on(after) and not taxonomy[SORGHUM].is_valid_on(before)
    assert taxonomy.short_name(RICE, before) == "谷物"
    assert taxonomy.short_name(RICE, after) == "稻谷类"
    assert taxonomy[WHEAT].rates == {"2018_05": ("10%",), "2019_04": ("9%",)}
    assert taxonomy[SORGHUM].parent == "1010101000000000000"
    [former] = tables.rows("former_names", store.current_root())
    assert (former["name"], former["valid_to"]) == ("玉米", "2019-03-31")


def test_our_own_additions_to_unchanged_notes_survive_and_new_codes_get_theirs(store, tmp_path):
    rows = next_table()
    rows[-1] = replace(rows[-1], note="包括红高粱、其他高粱。不包括种用高粱（详见101011901）。")
    store.install(put(tmp_path, "v32.xml", as_xml(rows)))
    taxonomy = KnowledgeBase.load(store.current_root()).taxonomy
    assert taxonomy[RICE].includes == ("我们补充的说明",)
    assert taxonomy[SORGHUM].includes == ("红高粱", "高粱")
    assert taxonomy[SORGHUM].excludes[0].code == "1010119010000000000"
    rows[4] = replace(rows[4], note="包括糙米。")
    changed = edition(rows, "33.0", 2020)
    store.install(put(tmp_path, "v33.xml", as_xml(changed)))
    assert KnowledgeBase.load(store.current_root()).taxonomy[RICE].includes == ("糙米",)


def test_a_short_name_that_changes_twice_is_right_on_all_days(store, v32, tmp_path):
    store.install(v32)
    rows = edition(next_table(), "40.0", 2021, 7)
    rows[4] = replace(rows[4], short_name="原粮")
    store.install(put(tmp_path, "v40.xml", as_xml(rows)))
    taxonomy = KnowledgeBase.load(store.current_root()).taxonomy
    answers = {
        day: taxonomy.short_name(RICE, dt.date.fromisoformat(day))
        for day in ("2018-06-01", "2019-03-31", "2019-04-01", "2021-06-30", "2021-07-01")
    }
    assert list(answers.values()) == ["谷物", "谷物", "稻谷类", "稻谷类", "原粮"]


def test_a_short_name_of_a_whole_subtree_ends_where_the_table_speaks(store, base, tmp_path):
    with (base / "short_names.csv").open("a", encoding="utf-8") as file:
        file.write("10101,原粮,2019-01-01,,seen,发票 2019-01\n")
    store.install(put(tmp_path, "v32.xml", as_xml(next_table())))
    taxonomy = KnowledgeBase.load(store.current_root()).taxonomy
    answers = [
        taxonomy.short_name(code, dt.date.fromisoformat(day))
        for code in (RICE, WHEAT)
        for day in ("2018-12-31", "2019-01-01", "2019-03-31", "2019-04-01")
    ]
    assert answers == ["谷物", "原粮", "原粮", "稻谷类", "谷物", "原粮", "原粮", "谷物"]


def test_a_later_short_name_of_a_whole_subtree_stays(store, base, v32):
    with (base / "short_names.csv").open("a", encoding="utf-8") as file:
        file.write("10101,原粮,2026-06-01,,seen,发票 2026-06\n")
    store.install(v32)
    taxonomy = KnowledgeBase.load(store.current_root()).taxonomy
    assert taxonomy.short_name(RICE, dt.date(2026, 5, 31)) == "稻谷类"
    assert taxonomy.short_name(RICE, dt.date(2026, 6, 1)) == "原粮"


def test_an_older_table_only_fills_in_the_past(store, v32, tmp_path):
    store.install(v32)
    before = everything_in(store.current_root())
    old = [
        replace(
            r, version="20.0", valid_from=dt.date(2018, 1, 1), rates=("11%",) if r.rates else ()
        )
        for r in small_table()
    ]
    old.append(row("101010106", "大麦", version="20.0", valid_from=dt.date(2018, 1, 1)))
    report = store.install(put(tmp_path, "v20.json", as_json(old)))
    assert "只补充历史" in report.message
    taxonomy = KnowledgeBase.load(store.current_root()).taxonomy
    barley = taxonomy["1010101060000000000"]
    assert (barley.valid_from, barley.valid_to) == (dt.date(2018, 1, 1), dt.date(2018, 4, 30))
    assert taxonomy[WHEAT].rates["2018_01"] == ("11%",)
    after = everything_in(store.current_root())
    assert after["short_names.csv"] == before["short_names.csv"]
    assert after["former_names.csv"] == before["former_names.csv"]
    assert taxonomy[RICE].short_name == "稻谷类"
    assert not taxonomy[MILLET].is_valid_on(dt.date(2019, 4, 1))


def test_the_same_file_twice_changes_nothing_and_says_so(store, v32):
    store.install(v32)
    before = everything_in(store.path)
    report = store.install(v32)
    assert report.status == "unchanged"
    assert "没有改动" in report.message
    assert everything_in(store.path) == before


def test_a_refused_table_leaves_no_trace(store, tmp_path):
    bad = [*next_table(), replace(row("1", "小麦"), code="1.01E+18")]
    report = store.install(put(tmp_path, "bad.xml", as_xml(bad)))
    assert report.status == "refused"
    assert report.version is None
    assert any(f.suggestion == WHEAT for f in report.findings)
    assert not store.path.exists()


@pytest.mark.parametrize("step", ["merge_table", "write_source", "write_whole"])
@pytest.mark.parametrize("installed_before", [False, True])
def test_an_import_that_breaks_leaves_no_trace(
    store, v32, tmp_path, monkeypatch, step, installed_before
):
    if installed_before:
        store.install(v32)
        v32 = put(tmp_path, "v33.xml", as_xml(next_table(), "<QYSJ>20200101</QYSJ>"))
    before = everything_in(tmp_path)

    def broken(*arguments: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(versions, step, broken)
    with pytest.raises(OSError, match="disk full"):
        store.install(v32)
    assert everything_in(tmp_path) == before


def test_what_a_killed_import_left_behind_is_cleared_by_the_next(store, v32):
    leftover = store.path / "versions" / ".importing-abc"
    leftover.mkdir(parents=True)
    assert [v.id for v in store.versions()] == ["builtin"]
    store.install(v32)
    assert not leftover.exists()


def test_without_a_day_in_the_file_the_day_must_be_given(store, tmp_path):
    rows = [replace(r, version="", valid_from=None, transition_until=None) for r in next_table()]
    path = put(tmp_path, "rows.json", as_json(rows))
    with pytest.raises(OfficialTableError, match="请指定启用日期"):
        store.install(path)
    report = store.install(path, effective=dt.date(2019, 4, 1))
    assert report.version is not None
    assert report.version.effective == dt.date(2019, 4, 1)


def test_the_fingerprint_of_the_same_import_is_the_same_anywhere(tmp_path, base, v32):
    stores = [VersionStore(tmp_path / name, base) for name in ("one", "two")]
    for place in stores:
        place.install(v32)
    one, two = (KnowledgeBase.load(place.current_root()).version for place in stores)
    assert one == two != KnowledgeBase.load(base).version


def test_tables_are_copied_from_the_package_and_linked_between_versions(store, v32, tmp_path, base):
    store.install(v32)
    first = store.current_root() / "everyday_names.csv"
    assert not os.path.samefile(first, base / "everyday_names.csv")
    store.install(put(tmp_path, "v33.xml", as_xml(next_table(), "<QYSJ>20200101</QYSJ>")))
    assert os.path.samefile(first, store.current_root() / "everyday_names.csv")


# Listing and going back


def test_rollback_goes_one_version_back_and_to_any_named_one(store, v32, tmp_path):
    first = store.install(v32).version
    second = store.install(
        put(tmp_path, "v33.xml", as_xml(next_table(), "<BBH>33.0</BBH><QYSJ>20200101</QYSJ>"))
    ).version
    assert first is not None and second is not None
    assert second.previous == first.id
    assert store.rollback().id == first.id == store.current_id()
    assert store.rollback().id == "builtin"
    assert store.current_root() == store.base
    with pytest.raises(OfficialTableError, match="没有更早的版本"):
        store.rollback()
    assert store.rollback(second.id).is_current
    assert [v.id for v in store.versions()] == ["builtin", first.id, second.id]


def test_importing_a_version_that_was_rolled_back_says_how_to_use_it(store, v32):
    store.install(v32)
    store.rollback()
    assert "不是当前版本" in store.install(v32).message
    assert store.current_id() == "builtin"


@pytest.mark.parametrize("name", ["v99", "../../etc", ""])
def test_an_unknown_version_is_named(store, v32, name):
    store.install(v32)
    with pytest.raises(OfficialTableError, match="没有版本"):
        store.rollback(name)
    with pytest.raises(OfficialTableError, match="没有版本"):
        store.diff("builtin", name)


def test_a_pointer_to_nowhere_is_reported(store, v32):
    store.install(v32)
    (store.path / "current").write_text("../../etc\n")
    with pytest.raises(OfficialTableError, match="目录不存在"):
        store.current_root()


def test_versions_can_be_compared_with_each_other_and_with_the_built_in(store, v32):
    report = store.install(v32)
    assert report.version is not None
    diff = store.diff("builtin", report.version.id)
    assert [r.name for r in diff.new] == ["高粱"]
    assert diff.summary() == report.diff.summary()


# Words on stopped codes


def test_words_on_stopped_codes_are_listed_with_successors_from_nearby(store, base, tmp_path):
    rows = next_table()
    rows[-1] = replace(rows[-1], name="其他谷子", keywords=("小米谷子",))
    assert stale_rows(KnowledgeBase.load(base)) == []
    store.install(put(tmp_path, "v32.xml", as_xml(rows)))
    stale = stale_rows(KnowledgeBase.load(store.current_root()))
    assert [(s.table, s.line, s.term, s.reason) for s in stale] == [
        ("everyday_names", 3, "小米谷子", "stopped"),
        ("ambiguous", 2, "粮食", "stopped"),
    ]
    assert stale[1].columns == ("codes", "default_code", "options")
    assert stale[0].stopped_after == dt.date(2019, 3, 31)
    assert stale[0].successors[0].code == SORGHUM
    assert stale_rows(KnowledgeBase.load(store.current_root()), dt.date(2019, 3, 31)) == []


def test_a_word_on_a_code_that_became_a_summary_or_is_unknown_is_listed(base):
    with (base / "everyday_names.csv").open("a", encoding="utf-8") as file:
        file.write(f"1010101000000000000,粮\n{'9' * 19},无此物\n")
    assert [(s.term, s.reason) for s in stale_rows(KnowledgeBase.load(base))] == [
        ("粮", "summary"),
        ("无此物", "unknown"),
    ]


# A newer program


def test_imports_laid_on_newer_shipped_tables_are_as_if_imported_there(store, base, v32, tmp_path):
    old = put(tmp_path, "v20.json", as_json(edition(small_table(), "20.0", 2017)))
    store.install(v32)
    store.install(old)
    shipped = (base / "taxonomy.csv").read_text(encoding="utf-8")
    shipped = shipped.replace("我们补充的说明", "新程序补充的说明")
    (base / "taxonomy.csv").write_text(shipped, encoding="utf-8")
    with (base / "everyday_names.csv").open("a", encoding="utf-8") as file:
        file.write(f"{RICE},新程序的俗名\n")
    assert store.is_outdated()
    info = store.rebase(lambda kb: pytest.fail("no words were edited"))
    fresh = VersionStore(tmp_path / "fresh", base)
    fresh.install(v32)
    fresh.install(old)
    assert tables.fingerprint(store.current_root()) == tables.fingerprint(fresh.current_root())
    assert KnowledgeBase.load(store.current_root()).taxonomy[RICE].includes == ("新程序补充的说明",)
    assert info.table_days == fresh.versions()[-1].table_days
    assert info.effective == dt.date(2019, 4, 1)
    assert not store.is_outdated()


def test_a_table_imported_after_a_rebase_is_compared_with_the_one_imported_before(
    store, base, v32, tmp_path
):
    rows = next_table()
    rows[4] = replace(rows[4], note="包括糙米。")
    store.install(put(tmp_path, "v32.xml", as_xml(rows)))
    with (base / "everyday_names.csv").open("a", encoding="utf-8") as file:
        file.write(f"{RICE},新程序的俗名\n")
    store.rebase(lambda kb: pytest.fail("no words were edited"))
    before = KnowledgeBase.load(store.current_root()).taxonomy[RICE].includes
    rows[4] = replace(rows[4], note="包括稻米。")
    store.install(put(tmp_path, "v33.xml", as_xml(edition(rows, "33.0", 2020))))
    assert before == ("我们补充的说明",)
    assert KnowledgeBase.load(store.current_root()).taxonomy[RICE].includes == ("稻米",)


# The administration's own files


@needs_official_files
def test_v29_then_v32_differ_by_35_new_26_stopped_405_short_names(tmp_path):
    store = VersionStore(tmp_path / "store")
    ids = []
    for path in (XML_V29, XLSX_V32):
        started = time.perf_counter()
        report = store.install(path)
        assert time.perf_counter() - started < 10
        assert report.status == "installed"
        ids.append(report.version.id)
    diff = store.diff(*ids)
    assert (len(diff.new), len(diff.stopped), len(diff.short_names)) == (35, 26, 405)
    # Twenty of the stopped ones were listed as not usable (KYZT=N) in v29 already.
    assert sum(not r.usable for r in diff.stopped) == 20
    assert (len(diff.renamed), len(diff.special_treatments), len(diff.leaf_flags)) == (26, 22, 2)
    assert not diff.keywords


@needs_official_files
def test_importing_what_is_built_in_adds_nothing(tmp_path):
    store = VersionStore(tmp_path / "store")
    store.install(XML_V29)
    for name in ("taxonomy", "short_names", "former_names"):
        file = f"{name}.csv"
        assert (store.current_root() / file).read_bytes() == (tables.DATA / file).read_bytes()


def go_back_to_v29(root: Path) -> None:
    """The built-in tables as they would have been before v32 was known."""
    former = {r["code"]: r["name"] for r in tables.rows("former_names")}
    short = {
        r["code_prefix"]: r["short_name"]
        for r in tables.rows("short_names")
        if r["valid_to"] == "2019-03-31"
    }
    v29 = {r.code: r for r in read_table(XML_V29).rows}
    codes = []
    for known in tables.rows("taxonomy"):
        if known["valid_from"] == "2019-04-01":
            continue
        code = known["code"]
        known["name"] = former.get(code, known["name"])
        known["short_name"] = short.get(code, known["short_name"])
        known["valid_to"] = known["valid_to"].replace("2019-03-31", "")
        if code in v29:
            known["special_treatment"] = "|".join(v29[code].special_treatments)
            known["leaf"] = "01"[not v29[code].is_summary]
        del known["rates_2019_04"]
        codes.append(known)
    write_csv(root / "taxonomy.csv", ",".join(codes[0]), codes)
    write_csv(root / "former_names.csv", "code,name,valid_to,source")
    later = [r for r in tables.rows("short_names") if r["valid_to"] != "2019-03-31"]
    write_csv(root / "short_names.csv", ",".join(later[0]), later)


@needs_official_files
def test_importing_v32_onto_v29_rebuilds_the_built_in_tables(tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    go_back_to_v29(root)
    store = VersionStore(tmp_path / "store", root)
    report = store.install(XLSX_V32)
    assert report.diff is not None
    assert (len(report.diff.new), len(report.diff.short_names)) == (35, 405)
    assert len(report.diff.stopped) == 6
    ours = ("name", "short_name", "parent", "leaf", "special_treatment")
    ours += ("rates_2018_01", "rates_2018_05", "rates_2019_04", "valid_from", "valid_to")
    merged, built_in = (
        {r["code"]: {c: r[c] for c in ours} for r in tables.rows("taxonomy", place)}
        for place in (store.current_root(), tables.DATA)
    )
    assert merged == built_in
    for name, key in (("short_names", "code_prefix"), ("former_names", "code")):
        merged_rows, built_in_rows = (
            sorted((r[key], r.get("short_name", r.get("name")), r["valid_to"]) for r in found)
            for found in (tables.rows(name, store.current_root()), tables.rows(name))
        )
        assert merged_rows == built_in_rows


def test_a_code_new_in_an_imported_table_has_the_rate_of_its_column(tmp_path):
    day = dt.date(2027, 5, 1)
    rows = [replace(r, version="40.0", valid_from=day) for r in rows_on(tables.DATA, day)]
    listed = {"version": "40.0", "valid_from": day, "rates": ("9%",)}  # 13 % by its prefix
    rows.append(row("108020798", "新钢材", "黑色金属冶炼压延品", **listed))
    store = VersionStore(tmp_path / "store")
    store.install(put(tmp_path, "v40.json", as_json(rows)), effective=day)
    root = store.current_root()
    new = KnowledgeBase.load(root).taxonomy["1080207980000000000"]
    rate = RateTable.load(root).advise(new, dt.date(2027, 6, 1), TaxpayerType.GENERAL)[0]
    assert (rate.rate, rate.kind) == (Decimal("0.09"), RateKind.STANDARD)
    assert "编码表（2027-05-01）" in rate.basis
