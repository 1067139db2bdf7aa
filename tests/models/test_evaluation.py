"""The measures, by examples small enough to count by hand."""

from __future__ import annotations

import json
import math

import pytest

from models.evaluation import Judged, Share, measure
from models.labels import parse_labels, read_labelled


def judged(tier: str, confidence: float, short: str, code: str | None, rate=None) -> Judged:
    """A line whose hits are written as marks: `.x` = the second candidate is right."""

    def hits(marks: str) -> tuple[bool, ...]:
        return tuple(mark == "x" for mark in marks)

    codes = None if code is None else hits(code)
    return Judged("柚子味鱼排", tier, confidence, hits(short), codes, "水产加工品", "", rate)


LINES = [
    judged("strong", 0.95, "xx...", "x....", True),
    judged("strong", 0.95, ".x...", "..x..", False),
    judged("medium", 0.65, "x....", ".....", True),
    judged("weak", 0.15, ".....", None),
    judged("weak", 0.15, "x....", None),
]


@pytest.fixture
def report():
    return measure(LINES)


def test_short_name_at_one_judges_the_first_candidate_weak_lines_included(report) -> None:
    assert report.short_name_1 == Share(3, 5)


def test_short_name_at_five_judges_all_candidates(report) -> None:
    assert report.short_name_5 == Share(4, 5)


def test_code_is_judged_only_where_a_code_is_labelled(report) -> None:
    assert (report.code_1, report.code_5) == (Share(1, 3), Share(2, 3))


def test_strong_precision_by_short_name_and_by_code(report) -> None:
    assert (report.strong, report.strong_code) == (Share(1, 2), Share(1, 2))


def test_tier_shares(report) -> None:
    shares = (report.strong_share, report.medium_share, report.weak_share)
    assert shares == (Share(2, 5), Share(1, 5), Share(2, 5))


def test_rate_is_judged_only_where_it_can_be(report) -> None:
    assert report.rate == Share(2, 3)


def test_calibration_error_over_ten_bins(report) -> None:
    by_hand = (2 * abs(0.95 - 0.5) + 1 * abs(0.65 - 1) + 2 * abs(0.15 - 0.5)) / 5
    assert report.ece == pytest.approx(by_hand)


def test_a_report_is_plain_json_with_intervals(report) -> None:
    data = json.loads(json.dumps(report.to_json()))
    assert data["short_name_1"] == {
        "right": 3, "total": 5, "share": 0.6, "low": 0.2307, "high": 0.8824,
    }  # fmt: skip


def test_a_share_of_nothing_is_no_number() -> None:
    assert math.isnan(Share(0, 0).value)
    assert Share(0, 0).to_json()["share"] is None


def test_right_answers_are_joined_by_a_bar() -> None:
    line = parse_labels({"name": "薯片", "code": "1| 2 |", "short_name": "焙烤食品"})
    assert line.codes == {"1", "2"}
    assert line.short_names == {"焙烤食品"}


def test_a_missing_label_is_empty() -> None:
    assert parse_labels({"name": "薯片", "short_name": "焙烤食品"}).codes == frozenset()


def test_labelled_rows_are_read_from_csv_with_a_byte_order_mark(tmp_path) -> None:
    path = tmp_path / "set.csv"
    path.write_text("name,code,short_name\n鱼排,,水产加工品|肉\n", encoding="utf-8-sig")
    (line,) = read_labelled(path)
    assert (line.name, line.short_names) == ("鱼排", {"水产加工品", "肉"})
