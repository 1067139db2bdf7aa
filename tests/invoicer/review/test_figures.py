"""Figures of review, from decisions as people made them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import count

import pytest
from sklearn.metrics import cohen_kappa_score

from invoicer import Assistant
from invoicer.access import tenants
from invoicer.access.principals import Principal
from invoicer.line import today
from invoicer.review import figures
from invoicer.review.decided import decisions as decided
from invoicer.review.decisions import Decisions
from invoicer.review.queue import Queue
from invoicer.review.rules import ReviewRules
from invoicer.review.second_look import hold
from invoicer.review.states import Versions
from invoicer.review.tally import Tally
from invoicer.store import Store, StoreError
from invoicer.suggestion import Tier
from models.evaluation import Share

People = dict[str, Principal]
AddLine = Callable[..., str]
Vote = Callable[[dict[str, str]], str]
V = Versions("m", "k")
SINCE = dt.date(2020, 1, 1)


def codes(assistant: Assistant, name: str) -> list[str]:
    return [candidate.code for candidate in assistant.suggest(name).candidates]


def test_acts_are_counted_by_day_and_kind_without_what_was_taken_back(
    decisions: Decisions, add_line: AddLine, people: People, assistant: Assistant, store: Store
) -> None:
    anna = people["anna"]
    first, second, third = add_line("薯片"), add_line("鱼排"), add_line("???")
    decisions.decide(anna, first, codes(assistant, "薯片")[0], "", V)
    decisions.undo(anna)
    decisions.decide(anna, first, codes(assistant, "薯片")[1], "", V)
    decisions.send_back(anna, second, "哪一种?")
    decisions.uncodable(anna, third, "只有标点")
    days = figures.days(store, "acme", 7)
    assert [day.day for day in days] == [today() - dt.timedelta(days=n) for n in range(6, -1, -1)]
    assert days[-1].acts == {"decide": 1, "send_back": 1, "uncodable": 1}
    assert figures.done_today(store, anna) == 3
    assert figures.done_today(store, people["ben"]) == 0
    assert figures.days(store, "other", 1)[0].acts.total() == 0


def test_automation_is_the_share_of_strong_lines(store: Store, people: People) -> None:
    tally = Tally(store)
    tally.add("acme", {"strong": 60, "medium": 30})
    tally.flush()
    tally.add("acme", {"strong": 20, "weak": 10})
    tally.add("other", {"weak": 5})
    tally.flush()
    share = figures.automation(figures.days(store, "acme"))
    assert (share.right, share.total) == (80, 120)


def test_what_cannot_be_written_now_is_counted_later(store: Store) -> None:
    tally = Tally(store)
    tally.add("acme", {"strong": 1})
    store.db.execute("alter table answered rename to elsewhere")
    with pytest.raises(StoreError):
        tally.flush()
    store.db.execute("alter table elsewhere rename to answered")
    tally.flush()
    assert figures.automation(figures.days(store, "acme")).total == 1


def test_lines_of_an_erased_tenant_are_not_counted(store: Store, people: People) -> None:
    tally = Tally(store)
    tally.add("other", {"strong": 1})
    tenants.erase(store, "other")
    tally.flush()
    assert store.rows("select * from answered") == []


def test_precision_compares_the_first_candidate_with_the_decision(
    decisions: Decisions, add_line: AddLine, people: People, assistant: Assistant, store: Store
) -> None:
    taxonomy = assistant.kb.taxonomy
    # Two codes of one 简称: wrong as a code, right on the invoice.
    first, second = codes(assistant, "薯片")[:2]
    assert taxonomy[first].short_name == taxonomy[second].short_name
    decisions.decide(people["anna"], add_line("薯片"), second, "", V)
    decisions.decide(people["anna"], add_line("薯片", spec="70g"), first, "", V)
    judged = figures.judgements(store, "acme", SINCE)
    assert (figures.right_codes(judged).right, figures.right_codes(judged).total) == (1, 2)
    assert figures.right_short_names(judged, taxonomy).right == 2
    (week,) = figures.by_week(store, "acme", SINCE, taxonomy).items()
    assert week[0].weekday() == 0
    assert {tier: share.total for tier, share in week[1].items()} == {Tier.MEDIUM: 2}


def test_the_slice_holds_what_the_rules_draw(
    decisions: Decisions, add_line: AddLine, people: People, assistant: Assistant, store: Store
) -> None:
    for number in range(20):
        item = add_line("薯片", spec=f"{number}g")
        decisions.decide(people["anna"], item, codes(assistant, "薯片")[0], "", V)
    judged = figures.judgements(store, "acme", SINCE)

    def drawn(share: float) -> set[str]:
        return {one.item for one in figures.judgements(store, "acme", SINCE, share)}

    everything = {one.item for one in judged}
    half = ReviewRules(random_slice=0.5)
    assert drawn(0.5) == {item for item in everything if half.in_slice(item)}
    assert (drawn(0.0), drawn(1.0)) == (set(), everything)


@pytest.fixture
def vote(store: Store, add_line: AddLine, people: People, assistant: Assistant) -> Vote:
    """Two people vote on a new item, one after the other; returns the item."""
    paired = Decisions(Queue(store, ReviewRules(second_share=1.0)), assistant.is_usable)
    numbers = count()

    def make(votes: dict[str, str]) -> str:
        item = add_line("薯片", spec=f"{next(numbers)}g")
        for name, code in votes.items():
            paired.decide(people[name], item, code, "", V)
        return item

    return make


def test_agreement_is_of_blind_second_votes(vote: Vote, store: Store, assistant: Assistant) -> None:
    one, two = codes(assistant, "薯片")[:2]
    for mine, yours in [(one, one), (two, two), (one, two)]:
        vote({"anna": mine, "ben": yours})
    vote({"anna": one})
    found = figures.agreement(store, "acme", SINCE)
    assert found.votes == Share(2, 3)
    assert (found.kappa, found.kappa_text) == (None, "—(不足 20 项)")


def test_each_reviewer_is_compared_with_whoever_else_voted(
    vote: Vote, store: Store, people: People, assistant: Assistant
) -> None:
    one, two = codes(assistant, "薯片")[:2]
    # anna and another person: 8 × both one, 2 × she alone one, 4 × she alone two, 6 × both two.
    for times, mine, yours in ((8, one, one), (2, one, two), (4, two, one), (6, two, two)):
        for n in range(times):
            other = "ben" if n % 2 else "eva"
            # Whoever votes first, anna is compared with the other.
            vote({"anna": mine, other: yours} if n % 3 else {other: yours, "anna": mine})
    whole, each = figures.agreements(store, "acme", SINCE)
    assert whole == figures.agreement(store, "acme", SINCE)
    anna, ben = each[people["anna"].id], each[people["ben"].id]
    assert anna.votes == Share(14, 20)
    # Agreed 14/20; by chance 10/20 · 12/20 + 10/20 · 8/20 = 1/2.
    assert anna.kappa == pytest.approx((0.7 - 0.5) / (1 - 0.5))
    assert anna.kappa_text == "0.40"
    assert ben.votes == Share(7, 10)
    assert ben.kappa is None


def test_a_second_look_at_what_was_held_is_no_random_sample(
    vote: Vote, store: Store, assistant: Assistant
) -> None:
    one, two = codes(assistant, "薯片")[:2]
    item = vote({"anna": one, "ben": one})
    vote({"anna": one, "ben": two})
    held = next(d for d in decided(store) if d.item == item)
    assert hold(store, [held], ["可疑"]) == 1
    assert figures.agreement(store, "acme", SINCE).votes == Share(0, 1)


def test_kappa_is_that_of_the_textbook() -> None:
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert figures.cohen_kappa(pairs) == pytest.approx(0.4)
    assert figures.cohen_kappa(pairs) == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))


@pytest.mark.parametrize("pairs", [[], [("a", "a"), ("a", "a")]])
def test_kappa_is_undefined_without_votes_or_choice(pairs: list[tuple[str, str]]) -> None:
    assert figures.cohen_kappa(pairs) is None


def test_missing_names_are_the_cores_that_people_had_to_correct(
    decisions: Decisions, add_line: AddLine, people: People, assistant: Assistant, store: Store
) -> None:
    two = codes(assistant, "番茄味薯片")[1]
    decisions.decide(people["anna"], add_line("番茄味薯片", amount="100"), two, "", V)
    decisions.decide(people["anna"], add_line("鱼排"), codes(assistant, "鱼排")[0], "", V)
    (missing,) = figures.missing_names(store, "acme")
    assert (missing.core, missing.times, missing.amount, missing.codes) == (
        "薯片", 1, 10_000, (two,),
    )  # fmt: skip
