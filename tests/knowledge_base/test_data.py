"""The tables keep their promises: sources named, codes real, no name on two codes."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicer.desk.rules import word_rules
from knowledge_base import KnowledgeBase, tables
from knowledge_base.taxonomy import is_code, pairs, subtree_prefix
from knowledge_base.word_tables import WordTable, read_rows
from models.features import N_FEATURES
from models.words import name_key

DATA = tables.DATA
TODAY = dt.date(2026, 11, 27)
DIMENSIONS = {"count", "mass", "volume", "length", "area", "energy", "service", "time", "money"}
BEANS, LOTUS = "1010112100000000000", "1010112110000000000"


def repeated(items: Iterable[object]) -> list[object]:
    return [item for item, count in Counter(items).items() if count > 1]


def not_printable(kb: KnowledgeBase, codes: Iterable[str]) -> set[str]:
    """Codes that may not stand on an invoice today."""
    rows = {code: kb.taxonomy.get(code) for code in codes}
    return {c for c, row in rows.items() if not (row and row.is_leaf and row.is_valid_on(TODAY))}


def unknown(kb: KnowledgeBase, codes: Iterable[str]) -> set[str]:
    return {code for code in codes if code not in kb.taxonomy}


# -- files ------------------------------------------------------------------------------------


def test_every_file_has_a_line_in_provenance_and_every_line_a_file() -> None:
    text = (DATA / "PROVENANCE.md").read_text(encoding="utf-8")
    first_cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| ")]
    named = re.findall(r"[\w.]+\.(?:csv|npz)", " ".join(first_cells))
    assert sorted(named) == sorted(p.name for p in DATA.iterdir() if p.suffix in {".csv", ".npz"})


@pytest.mark.parametrize("path", sorted(DATA.glob("*.csv")), ids=lambda p: p.stem)
def test_every_table_is_rectangular_utf8_without_repeated_columns(path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert not repeated(header)
    assert {len(row) for row in rows} <= {len(header)}


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("taxonomy", "code"),
        ("former_names", "code"),
        ("variants", "variant"),
        ("abbreviations", "short"),
        ("placeholders", "name"),
        ("container_heads", "suffix"),
        ("positions", "word"),
        ("remarks", "word"),
        ("brands", "brand"),
        ("brand_categories", "category"),
        ("maker_words", "word"),
        ("units", "unit"),
        ("field_names", "alias"),
    ],
)
def test_keys_are_unique(table: str, key: str) -> None:
    assert not repeated(row[key] for row in tables.rows(table))


def test_a_brand_is_marked_as_a_word_with_y_or_not_at_all() -> None:
    assert {row["also_word"] for row in tables.rows("brands")} == {"", "y"}


# -- codes ------------------------------------------------------------------------------------


def test_codes_are_nineteen_digits_below_an_existing_parent(kb: KnowledgeBase) -> None:
    assert all(is_code(code.code) for code in kb.taxonomy)
    roots = [code.code for code in kb.taxonomy if code.parent not in kb.taxonomy]
    assert roots == [f"{chapter}{'0' * 18}" for chapter in range(1, 7)]


def test_every_current_leaf_has_a_short_name(kb: KnowledgeBase) -> None:
    assert [leaf.code for leaf in kb.taxonomy.leaves(TODAY) if not leaf.short_name] == []


def test_a_leaf_has_no_children(kb: KnowledgeBase) -> None:
    assert [leaf.code for leaf in kb.taxonomy.leaves() if kb.taxonomy.children(leaf.code)] == []


def test_the_three_official_tables_have_their_leaves(kb: KnowledgeBase) -> None:
    assert len(kb.taxonomy) == 4262
    assert len(kb.taxonomy.leaves(TODAY)) == 3558


def test_exclusions_point_to_existing_codes(kb: KnowledgeBase) -> None:
    assert not unknown(kb, (e.code for code in kb.taxonomy for e in code.excludes))


@pytest.mark.parametrize(
    "table", [one for one in WordTable if one is not WordTable.PROVISIONAL]
)
def test_the_shipped_words_pass_the_checks_that_edits_pass(
    kb: KnowledgeBase, table: WordTable
) -> None:
    rows = read_rows(kb.root, table)
    assert tuple(rows[0]) == table.columns
    assert word_rules(kb, TODAY).check(table, rows) == []


def test_samples_stand_under_current_leaves(kb: KnowledgeBase) -> None:
    assert not not_printable(kb, {sample.code for sample in kb.lexicon.samples()})


def test_no_sample_is_listed_twice_in_its_table() -> None:
    for table in ("samples", "context_samples"):
        assert not repeated(tuple(row.values()) for row in tables.rows(table))


def test_a_sample_stands_under_one_code_only() -> None:
    codes = defaultdict(set)
    for row in tables.rows("samples"):
        codes[row["name"]].add(row["code"])
    assert {name: found for name, found in codes.items() if len(found) > 1} == {}


def test_category_and_maker_codes_exist_and_lead_to_leaves(kb: KnowledgeBase) -> None:
    groups = [*kb.lexicon.brand_categories.values(), *kb.lexicon.maker_words.values()]
    codes = {code for group in groups for code in group}
    assert not unknown(kb, codes)
    assert all(kb.taxonomy.under(code) for code in codes)


# -- words ------------------------------------------------------------------------------------


def test_categories_of_brands_have_codes(kb: KnowledgeBase) -> None:
    used = {category for brand in kb.lexicon.brands for category in brand.categories}
    assert used <= set(kb.lexicon.brand_categories)


def test_units_have_known_dimensions(kb: KnowledgeBase) -> None:
    assert {d for unit in kb.lexicon.units for d in unit.dimensions} <= DIMENSIONS


def test_words_of_specifications_are_listed_once_in_each_place(kb: KnowledgeBase) -> None:
    marks = kb.lexicon.spec_marks
    assert not repeated((mark.word, mark.after_number) for mark in marks)
    assert all(mark.kind for mark in marks)


def test_no_word_is_corrected_to_itself(kb: KnowledgeBase) -> None:
    lexicon = kb.lexicon
    corrected = [*lexicon.variants.items(), *lexicon.abbreviations.items()]
    assert [a for a, b in corrected if a == b] == []


def test_words_with_a_position_are_names(kb: KnowledgeBase) -> None:
    places = {place for places in kb.lexicon.remarks.values() for place in places.split("|")}
    billed, beside = {"front", "behind", "named", "note"}, {"gift", "along"}
    assert places == billed | beside | {"group", "raw", "services"}
    positions = kb.lexicon.positions
    assert set(positions.values()) == {"place", "packed", "flavoured", "site", "work", "due"}
    names = {name_key(name) for _, name in kb.lexicon.everyday_names()}
    for code in kb.taxonomy.leaves():
        names |= {name_key(word) for word in (code.name, *code.keywords, *code.includes)}
    named = {word for word, kind in positions.items() if kind not in ("site", "work", "packed")}
    assert {word for word in named if name_key(word) not in names} == set()


def test_no_brand_is_called_by_the_name_of_its_goods(kb: KnowledgeBase) -> None:
    goods = {"插座", "地漏", "壁纸", "饮水机", "扑克", "吉他", "化肥", "饲料", "刹车片", "人字拖"}
    assert [b.name for b in kb.lexicon.brands if goods & {b.name, *b.aliases}] == []


# -- short names by date ----------------------------------------------------------------------


def test_dated_short_names_have_ordered_dates_and_a_known_standing() -> None:
    rows = list(tables.rows("short_names"))
    standing = {"official", "seen", "likely", "unconfirmed"}
    assert {row["confidence"] for row in rows} <= standing
    days = [(tables.day(row["valid_from"]), tables.day(row["valid_to"])) for row in rows]
    assert all(a is None or b is None or a <= b for a, b in days)


def test_dated_short_names_of_one_prefix_do_not_overlap() -> None:
    spans = defaultdict(list)
    for row in tables.rows("short_names"):
        first = tables.day(row["valid_from"]) or dt.date.min
        spans[row["code_prefix"]].append((first, tables.day(row["valid_to"]) or dt.date.max))
    for found in spans.values():
        found.sort()
        assert all(a[1] < b[0] for a, b in pairwise(found))


@pytest.mark.parametrize(
    ("day", "short_name"),
    [
        ("2018-06-01", "经营租赁"),
        ("2024-01-01", "经营租赁"),
        ("2026-05-31", "经营租赁"),
        ("2026-07-01", "生产生活服务"),
    ],
)
def test_short_name_of_parking_follows_the_date(kb, day: str, short_name: str) -> None:
    assert kb.taxonomy.short_name("3040502020200000000", dt.date.fromisoformat(day)) == short_name


def test_short_name_of_the_2018_table_ends_with_march_2019(kb: KnowledgeBase) -> None:
    ore = "1020403000000000000"
    assert kb.taxonomy.short_name(ore, dt.date(2019, 3, 31)) == "稀有稀土金属矿石"
    assert kb.taxonomy.short_name(ore, dt.date(2019, 4, 1)) != "稀有稀土金属矿石"


def test_short_name_of_goods_does_not_change_with_that_of_services(kb: KnowledgeBase) -> None:
    fish = "1030109050000000000"
    days = (dt.date(2018, 6, 1), dt.date(2024, 1, 1), dt.date(2026, 7, 1))
    assert {kb.taxonomy.short_name(fish, day) for day in days} == {"水产加工品"}


def test_all_short_names_of_a_code_hold_those_of_every_date(kb: KnowledgeBase) -> None:
    assert kb.taxonomy.short_names("3040502020200000000") >= {"经营租赁", "生产生活服务"}


# -- tree and search --------------------------------------------------------------------------


def test_codes_are_compared_in_pairs_not_by_stripping_zeros() -> None:
    assert pairs(BEANS) == ("1", "01", "01", "12", "10")
    assert subtree_prefix(BEANS) == "101011210"


def test_a_leaf_that_ends_in_ten_is_not_the_parent_of_the_next(kb: KnowledgeBase) -> None:
    taxonomy = kb.taxonomy
    assert taxonomy[BEANS].is_leaf
    assert taxonomy[LOTUS].parent == taxonomy[BEANS].parent == "1010112000000000000"
    assert taxonomy.under(BEANS) == [taxonomy[BEANS]]


@given(st.from_regex(r"[1-6][0-9]{18}", fullmatch=True))
def test_the_pairs_of_a_code_give_the_code_again(code: str) -> None:
    assert subtree_prefix(code).ljust(19, "0") == code


def test_path_leads_from_the_chapter_to_the_code(kb: KnowledgeBase) -> None:
    names = [code.name for code in kb.taxonomy.path("1030109050000000000")]
    assert (names[0], names[-1]) == ("货物", "鱼糜（熟肉）制品")


def test_leaves_under_a_code_are_those_whose_path_holds_it(kb: KnowledgeBase) -> None:
    fish = "1030109000000000000"
    taxonomy = kb.taxonomy
    by_path = [c for c in taxonomy.leaves() if fish in {p.code for p in taxonomy.path(c.code)}]
    assert taxonomy.under(fish) == by_path
    assert len(by_path) == 9


def test_search_finds_by_name_first(kb: KnowledgeBase) -> None:
    assert kb.taxonomy.search("手机", TODAY)[0].name == "移动通信手持机（手机）"


def test_search_finds_by_the_beginning_of_a_code(kb: KnowledgeBase) -> None:
    found = kb.taxonomy.search("1030109", TODAY)
    assert len(found) == 9
    assert all(code.code.startswith("1030109") for code in found)


@pytest.mark.parametrize("word", ["", "查无此物"])
def test_search_for_nothing_known_finds_nothing(kb: KnowledgeBase, word: str) -> None:
    assert kb.taxonomy.search(word) == []


def test_search_keeps_to_the_table_of_the_day(kb: KnowledgeBase) -> None:
    first = {code.code for code in kb.taxonomy.search("乙醇汽油", dt.date(2018, 2, 1))}
    later = {code.code for code in kb.taxonomy.search("乙醇汽油", TODAY)}
    assert "1070102030100000000" in first - later
    assert "1070101010300000000" in later - first


def test_catch_alls_are_leaves_that_say_other(kb: KnowledgeBase) -> None:
    assert kb.taxonomy["1030109990000000000"].is_catch_all
    assert not kb.taxonomy["1030109050000000000"].is_catch_all


# -- meaning and version ----------------------------------------------------------------------


def test_meaning_vectors_fit_together() -> None:
    with np.load(DATA / "meaning.npz", allow_pickle=False) as stored:
        buckets, vectors, scale = stored["buckets"], stored["vectors"], stored["scale"]
    assert (vectors.dtype, buckets.dtype) == (np.int8, np.int32)
    assert vectors.shape == (len(buckets), len(scale))
    assert bool((np.diff(buckets) > 0).all())
    assert buckets[0] >= 0
    assert buckets[-1] < N_FEATURES
    assert bool((scale > 0).all())


def test_version_changes_with_any_byte_of_the_data(tmp_path) -> None:
    for path in DATA.iterdir():
        (tmp_path / path.name).symlink_to(path)
    assert tables.fingerprint(tmp_path) == tables.fingerprint(DATA)
    units = tmp_path / "units.csv"
    units.unlink()
    units.write_bytes((DATA / "units.csv").read_bytes() + b"\n")
    assert tables.fingerprint(tmp_path) != tables.fingerprint(DATA)


def test_a_placeholder_is_no_name_of_anything(kb: KnowledgeBase) -> None:
    names = {name_key(name) for _, name in kb.lexicon.everyday_names()}
    names |= {name_key(term) for term in kb.lexicon.ambiguous}
    for code in kb.taxonomy.leaves():
        names |= {name_key(word) for word in (code.name, *code.keywords, *code.includes)}
    assert not names & {name_key(name) for name in kb.lexicon.placeholders}
