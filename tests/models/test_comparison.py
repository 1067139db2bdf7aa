"""Two models on the same lines: what counts as a fall."""

from __future__ import annotations

from math import comb

import pytest

from models.comparison import Paired, compare, distance
from models.evaluation import Judged


def judged(right: bool, tier: str = "medium") -> Judged:
    return Judged("柚子味鱼排", tier, 0.9, (right, False), (right, False), "水产加工品", "")


def paired(lines: int, gained: int, lost: int) -> Paired:
    return Paired("冻结样例", "简称@1", lines, lines // 2, 0, gained, lost)


def test_mcnemar_is_the_exact_binomial_tail() -> None:
    expected = sum(comb(10, k) for k in range(8, 11)) / 2**10
    assert paired(3000, 2, 8).p_value == pytest.approx(expected)
    assert paired(3000, 0, 0).p_value == 1.0


@pytest.mark.parametrize(
    "lines, gained, lost, falls",
    [
        (3000, 0, 0, False),
        (3000, 40, 45, False),  # chance
        (3000, 10, 30, True),
        (3000, 30, 10, False),  # better
        (200, 0, 2, False),
        (200, 5, 8, True),  # three lines of a small set, whatever the test says
        (3000, 0, 2, False),
    ],
)
def test_a_fall_is_significant_or_three_lines_of_a_small_set(
    lines: int, gained: int, lost: int, falls: bool
) -> None:
    assert paired(lines, gained, lost).falls is falls


def test_lines_are_compared_one_by_one() -> None:
    before = [judged(True), judged(True), judged(False), judged(False)]
    after = [judged(True), judged(False), judged(True), judged(True)]
    short = compare("留出决定", before, after)[0]
    assert (short.before, short.after, short.gained, short.lost) == (2, 3, 2, 1)


def test_strong_and_wrong_counts_as_a_loss_of_its_own() -> None:
    before, after = [judged(False)], [judged(False, "strong")]
    by_measure = {one.measure: one for one in compare("冻结样例", before, after)}
    assert (by_measure["简称@1"].lost, by_measure["强档无误"].lost) == (0, 1)


def test_distance_is_nothing_for_alike_and_one_for_disjoint() -> None:
    assert distance(["strong", "weak"], ["weak", "strong"]) == 0
    assert distance(["strong"], ["weak"]) == 1
    assert distance([], []) == 0
