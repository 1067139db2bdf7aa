"""A reviewer's day at the queue, by keyboard, in a real browser against the running service."""

from __future__ import annotations

from office import Office, OpenPage

from invoicer.access import keys
from invoicer.access.principals import Role

HOSTILE = '<img src=x onerror="document.title=1">薯片'


def shown(page, name: str) -> None:
    """Wait until an item is on screen."""
    page.wait_for_function("name => document.getElementById('name').textContent === name", arg=name)


def told(page, text: str) -> None:
    """Wait until the page says something."""
    page.wait_for_function(
        "text => document.getElementById('status').textContent.includes(text)", arg=text
    )


def test_a_key_chooses_enter_confirms_and_the_name_is_strong_from_then_on(
    office: Office, open_page: OpenPage
) -> None:
    (item,) = office.put("薯片")
    before = office.classify("薯片")
    second = before["candidates"][1]["code"]
    assert (before["tier"], before["code"] == second) == ("medium", False)
    page = open_page(office.user("anna"), "/review")
    shown(page, "薯片")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    told(page, "已定")
    assert office.state(item)["code"] == second
    after = office.classify("薯片")
    assert (after["tier"], after["code"]) == ("strong", second)
    assert "人工确认" in after["evidence"][0]


def test_enter_alone_decides_nothing_where_a_fact_is_missing(
    office: Office, open_page: OpenPage
) -> None:
    (item,) = office.put("薯片")
    page = open_page(office.user("anna"), "/review")
    shown(page, "薯片")
    page.keyboard.press("Enter")
    told(page, "请先选择")
    assert office.state(item)["state"] == "open"


def test_an_answer_to_the_question_chooses_its_code(office: Office, open_page: OpenPage) -> None:
    (item,) = office.put("薯片")
    options = office.classify("薯片")["questions"][0]["options"]
    page = open_page(office.user("anna"), "/review")
    shown(page, "薯片")
    page.keyboard.press("Shift+Digit2")
    assert options[1]["answer"] in page.inner_text("#questions [aria-pressed=true]")
    page.keyboard.press("Enter")
    told(page, "已定")
    assert office.state(item)["code"] == options[1]["code"]


def test_a_name_that_is_too_broad_is_told_and_offers_no_yes(
    office: Office, open_page: OpenPage
) -> None:
    (item,) = office.put("机动车")
    page = open_page(office.user("anna"), "/review")
    shown(page, "机动车")
    assert "大类名称" in page.inner_text("#questions")
    assert page.query_selector_all("#questions button") == []
    page.keyboard.press("Enter")
    told(page, "请先选择")
    assert office.state(item)["state"] == "open"


def test_any_code_can_be_found_by_typing(office: Office, open_page: OpenPage) -> None:
    (item,) = office.put("鱼排")
    page = open_page(office.user("anna"), "/review")
    shown(page, "鱼排")
    page.keyboard.press("s")
    page.keyboard.type("软体家具")
    page.wait_for_selector("#search-hits li")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => document.getElementById('chosen').textContent.includes('软体家具')"
    )
    page.keyboard.press("Enter")
    told(page, "已定")
    assert office.state(item)["code"] == "1050201060000000000"


def test_undo_brings_the_item_back_on_screen(office: Office, open_page: OpenPage) -> None:
    first, _ = office.put("薯片", "鱼排")
    page = open_page(office.user("anna"), "/review?text=薯片")
    shown(page, "薯片")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    told(page, "已定")
    assert office.state(first)["state"] == "decided"
    page.keyboard.press("u")
    told(page, "已撤销")
    shown(page, "薯片")
    assert office.state(first)["state"] == "open"


def test_the_caller_is_asked_and_the_reply_is_shown(office: Office, open_page: OpenPage) -> None:
    (item,) = office.put("薯片")
    anna = office.user("anna")
    page = open_page(anna, "/review")
    shown(page, "薯片")
    page.keyboard.press("b")
    page.keyboard.type("是原切还是复合薯片?")
    page.keyboard.press("Control+Enter")
    told(page, "已退回")
    assert office.state(item)["question"] == "是原切还是复合薯片?"
    answer = office.call("POST", f"/v1/reviews/{item}/reply", json={"reply": "马铃薯鲜切"})
    assert answer.status_code == 200
    page = open_page(anna, "/review")
    shown(page, "薯片")
    exchange = page.inner_text("#exchange")
    assert "是原切还是复合薯片?" in exchange
    assert "马铃薯鲜切" in exchange


def test_what_cannot_be_coded_is_put_aside_with_a_reason(
    office: Office, open_page: OpenPage
) -> None:
    (item,) = office.put("???")
    page = open_page(office.user("anna"), "/review")
    shown(page, "???")
    page.keyboard.press("x")
    page.keyboard.type("只有标点")
    page.keyboard.press("Control+Enter")
    told(page, "无法赋码")
    assert (office.state(item)["state"], office.state(item)["why"]) == ("uncodable", "只有标点")


def test_what_is_skipped_goes_to_the_next_person(office: Office, open_page: OpenPage) -> None:
    office.put("薯片")
    page = open_page(office.user("anna"), "/review")
    shown(page, "薯片")
    page.keyboard.press("n")
    told(page, "已跳过")
    page.wait_for_selector("#empty:not([hidden])")
    shown(open_page(office.user("ben"), "/review"), "薯片")


def test_the_core_product_is_set_off_and_descriptors_carry_their_role(
    office: Office, open_page: OpenPage
) -> None:
    office.put("番茄味薯片 70g")
    page = open_page(office.user("anna"), "/review")
    shown(page, "番茄味薯片 70g")
    assert page.locator("#name mark").all_inner_texts() == ["薯片"]
    assert page.locator("#name [title=风味]").inner_text() == "番茄味"
    assert page.locator("#name [title=规格]").inner_text() == "70g"


def test_alike_items_are_decided_together(office: Office, open_page: OpenPage) -> None:
    items = [office.put("薯片", spec=spec)[0] for spec in ("70g", "90g", "110g")]
    page = open_page(office.user("anna"), "/review")
    shown(page, "薯片")
    page.keyboard.press("a")
    page.wait_for_url("**/review/groups/*")  # loaded, its keys at work
    assert page.locator("th.differs").all_inner_texts() == ["规格型号 ≠"]
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    told(page, "已处理 3 项")
    assert {office.state(item)["state"] for item in items} == {"decided"}


def test_in_bulk_one_that_is_taken_leaves_all_as_they_were(
    office: Office, open_page: OpenPage
) -> None:
    items = [office.put("薯片", spec=spec)[0] for spec in ("70g", "90g", "110g")]
    page = open_page(office.user("anna"), f"/review/groups/{items[0]}")
    reviewer = keys.create(office.store, office.tenant, "ben", Role.REVIEWER)[1]
    code = office.classify("薯片")["candidates"][0]["code"]
    office.call("POST", f"/v1/reviews/{items[2]}/decide", reviewer, json={"code": code})
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    told(page, "一项也没有改动")
    assert [office.state(item)["state"] for item in items] == ["open", "open", "decided"]


def test_somebody_elses_decision_is_told_and_the_next_item_taken(
    office: Office, open_page: OpenPage
) -> None:
    first, _ = office.put("薯片", amount="900") + office.put("鱼排", amount="100")
    page = open_page(office.user("anna"), "/review")
    shown(page, "薯片")
    office.store.db.execute(
        "update review_items set leased_until = '2020-01-01T00:00:00Z' where id = ?", [first]
    )
    office.store.db.conn.commit()
    reviewer = keys.create(office.store, office.tenant, "ben", Role.REVIEWER)[1]
    code = office.classify("鱼排")["candidates"][0]["code"]
    office.call("POST", f"/v1/reviews/{first}/decide", reviewer, json={"code": code})
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    told(page, "未保存")
    assert "已定" in page.inner_text("#status")
    shown(page, "鱼排")
    assert office.state(first)["code"] == code


def test_a_second_vote_is_blind_and_a_difference_goes_to_an_expert(
    office: Office, open_page: OpenPage
) -> None:
    # An expert's word holds for everybody: the question is this test's own.
    (item,) = office.put("薯片", amount="200000", spec="双人复核")
    page = open_page(office.user("anna"), "/review")
    shown(page, "薯片")
    page.keyboard.press("m")
    page.keyboard.type("看了包装")
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    told(page, "还需第二人")
    ben = office.user("ben")
    for path in ("/review", f"/review/items/{item}"):
        page = open_page(ben, path)
        page.wait_for_selector("text=薯片")
        assert "看了包装" not in page.content()
        assert "anna" not in page.content()
    page = open_page(ben, "/review")
    shown(page, "薯片")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    told(page, "已转专家")
    page = open_page(office.user("eva", Role.EXPERT), "/review/disputed")
    page.click("a.button")
    assert "看了包装" in page.inner_text("#settle")
    page.check("#codes input >> nth=1")
    page.fill("#why", "官方注释")
    page.click("#settle button.primary")
    page.wait_for_selector(".state.decided")
    assert office.state(item)["state"] == "decided"


def test_a_name_is_text_wherever_it_is_shown(office: Office, open_page: OpenPage) -> None:
    item, _ = office.put(HOSTILE, amount="900") + office.put(HOSTILE, spec=HOSTILE)
    eva = office.user("eva", Role.EXPERT)
    page = open_page(eva, "/review")
    shown(page, HOSTILE)
    pages = [page]
    for path in ("/review/items", f"/review/items/{item}", f"/review/groups/{item}"):
        pages.append(open_page(eva, path))
        pages[-1].wait_for_selector("text=onerror")
    for page in pages:
        assert page.locator("img").count() == 0
        assert page.title() != "1"


def test_a_lease_is_given_back_when_the_page_is_left(office: Office, open_page: OpenPage) -> None:
    office.put("薯片")
    page = open_page(office.user("anna"), "/review")
    shown(page, "薯片")
    page.goto(office.url + "/figures")
    shown(open_page(office.user("ben"), "/review"), "薯片")
