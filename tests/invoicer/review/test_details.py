"""What a reviewer sees beside an item, and what nobody sees before the second vote."""

from __future__ import annotations

from collections.abc import Callable

from invoicer import Assistant
from invoicer.access.principals import Principal
from invoicer.review.decisions import Decisions
from invoicer.review.details import about, details
from invoicer.review.queue import Queue
from invoicer.review.rules import ReviewRules
from invoicer.review.states import Versions, visible_history
from invoicer.store import Store
from knowledge_base.taxonomy import Taxonomy

People = dict[str, Principal]
AddLine = Callable[..., str]
V = Versions("m", "k")


def test_candidates_come_with_place_notes_and_the_rate_of_the_day(
    queue: Queue, add_line: AddLine, assistant: Assistant
) -> None:
    item = queue.find("acme", add_line("鱼排", date="2018-06-01"))
    known = details(assistant, queue, item)
    code = item["suggestion"]["candidates"][0]["code"]
    note = known["codes"][code]
    assert note["path"][0] == "货物"
    assert note["path"][-1] == note["code_name"]
    assert (note["rates"][0]["text"], bool(note["rates"][0]["basis"])) == ("16%", True)
    options = item["suggestion"]["questions"][0]["options"]
    assert {option["code"] for option in options} <= set(known["codes"])


def test_exclusions_name_where_the_goods_belong(assistant: Assistant, kb) -> None:
    taxonomy: Taxonomy = kb.taxonomy
    row = next(c for c in taxonomy if c.is_leaf and any(e.code in taxonomy for e in c.excludes))
    note = about(assistant, row.code, row.valid_from)
    named = [one for one in note["excludes"] if one["code"] in taxonomy]
    assert all(one["code_name"] == taxonomy[one["code"]].name for one in named)


def test_a_code_the_table_does_not_know_is_not_usable(assistant: Assistant, kb) -> None:
    assert about(assistant, "9" * 19, next(iter(kb.taxonomy)).valid_from)["usable"] is False


def test_similar_items_are_decided_ones_of_the_tenant_with_the_same_core(
    decisions: Decisions, queue: Queue, add_line: AddLine, people: People, assistant: Assistant
) -> None:
    code = assistant.suggest("薯片").candidates[1].code
    decided = add_line("番茄味薯片")
    decisions.decide(people["anna"], decided, code, "", V)
    decisions.decide(people["otto"], add_line("黄瓜味薯片", "other"), code, "", V)
    add_line("薯片", spec="70g")
    item = queue.find("acme", add_line("薯片"))
    (similar,) = details(assistant, queue, item)["similar"]
    assert (similar["id"], similar["code"]) == (decided, code)


def test_similar_items_are_found_by_an_index(queue: Queue, store: Store) -> None:
    plan = store.rows(
        """explain query plan select * from review_items where tenant = 't' and state = 'decided'
           and suggestion ->> '$.core' = 'c' and id <> 'i' order by decided_at desc limit 6"""
    )
    assert "review_items_core" in plan[0]["detail"]
    assert not any("TEMP B-TREE" in step["detail"] for step in plan)


def test_a_first_vote_and_its_reason_are_its_voters_alone(
    store: Store, add_line: AddLine, people: People, assistant: Assistant
) -> None:
    queue = Queue(store, ReviewRules(second_share=1.0))
    paired = Decisions(queue, assistant.is_usable)
    one, two = (c.code for c in assistant.suggest("薯片").candidates[:2])
    ident = add_line("薯片")
    paired.decide(people["anna"], ident, one, "看了包装", V)

    def seen(by: str) -> list[str]:
        events = visible_history(store, people[by], queue.find("acme", ident))
        return [event["action"] for event in events]

    item = queue.find("acme", ident)
    assert item["why"] == ""
    assert "看了包装" not in str(details(assistant, queue, item))
    assert (seen("anna"), seen("ben"), seen("eva")) == (["vote"], [], [])
    paired.send_back(people["ben"], ident, "哪一种?")
    paired.reply(people["ben"], ident, "原切")
    assert seen("ben") == ["send_back", "reply"]
    paired.decide(people["ben"], ident, two, "", V)
    assert (seen("anna").count("vote"), seen("ben").count("vote")) == (1, 1)
    assert seen("eva").count("vote") == 2
    assert queue.find("acme", ident)["why"] == "原切"


def test_groups_are_kinds_of_several_open_items(
    queue: Queue, add_line: AddLine, people: People
) -> None:
    add_line("鱼排")
    for spec in ("70g", "90g"):
        add_line("薯片", spec=spec, amount="100")
    (group,) = queue.groups(people["anna"])
    seen = [group[name] for name in ("core", "items", "times", "amount")]
    assert seen == ["薯片", 2, 2, 20_000]
    assert queue.groups(people["otto"]) == []
