"""The expert panel in a real browser: dispute, blind votes, ruling, appeal, its successor."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from office import Office, OpenPage

from invoicer.access import keys
from invoicer.access.principals import Role

FRIED, PUFFED = "1030201050000000000", "1030201040000000000"
SECRET = "只有我知道的理由"


@pytest.fixture
def disputed(office: Office) -> str:
    """薯片, on which two reviewers disagree; the amount asks for two."""
    (item,) = office.put("薯片", amount="200000")
    for name, code in (("anna", FRIED), ("ben", PUFFED)):
        key = keys.create(office.store, office.tenant, name, Role.REVIEWER)[1]
        answer = office.call("POST", f"/v1/reviews/{item}/decide", key, json={"code": code})
        assert answer.status_code == 200, answer.text
    return item


def vote(page, code: str, why: str) -> None:
    page.check(f"#code-{code}")
    page.fill("#why", why)
    page.click("#settle button.primary")
    page.wait_for_load_state("networkidle")


def test_from_the_dispute_to_the_successor(
    office: Office, open_page: OpenPage, disputed: str, tmp_path: Path
) -> None:
    logins = [office.user(name, Role.EXPERT) for name in ("eva", "fay")]
    chair, erp = office.user("ada", Role.ADMIN), office.user("erp", Role.CLIENT)
    eva, fay, ada = (open_page(login, f"/review/items/{disputed}") for login in (*logins, chair))

    # The dispute goes to the panel.
    eva.fill("#refer-why", "两位审核员意见不一")
    eva.click("button:text-is('提交')")
    eva.wait_for_url("**/panel/pc_*")
    case = eva.url
    assert "anna" not in eva.inner_text("main")
    assert "包括" in eva.inner_text("main")

    # Votes are blind.
    vote(eva, PUFFED, SECRET)
    assert eva.input_value("#why") == SECRET
    for page in (fay, ada):
        page.goto(case)
        assert SECRET not in page.content()
        assert page.locator("input[name=code]:checked").count() == 0
    vote(fay, PUFFED, "配料是薯粉")
    vote(ada, PUFFED, "同意")
    assert SECRET in ada.inner_text("main")

    # The chair rules; the same name is answered strong with the ruling cited.
    ada.fill("#text", "以薯粉为原料膨化制成的薯片,按膨化食品开票。")
    ada.click("button:text-is('出具裁定')")
    ada.wait_for_url("**/rulings/*")
    number = unquote(ada.url.rpartition("/")[2])
    answer = office.classify("薯片")
    assert (answer["tier"], answer["code"]) == ("strong", PUFFED)
    assert number in answer["evidence"][0]
    printed = office.call("POST", "/v1/feedback",
                          json={"line": {"name": "薯片"}, "code": PUFFED})  # fmt: skip
    assert printed.status_code == 201

    # The enterprise contests it, with a file.
    page = open_page(erp, "/appeals")
    page.fill("#line-name", "薯片")
    page.fill("#contested", PUFFED)
    page.fill("#wanted", FRIED)
    page.fill("#reason", "实物为鲜切油炸")
    page.click("button:text-is('提出')")
    page.wait_for_url("**/appeals/ap_*")
    photo = tmp_path / "配料表.pdf"
    photo.write_bytes(b"%PDF-1.7\n")
    page.set_input_files("#file", photo)
    page.click("button:text-is('上传')")
    page.wait_for_selector("a[download]")
    with page.expect_download() as download:
        page.click("a[download]")
    assert download.value.suggested_filename == "配料表.pdf"
    appeal = page.url

    # A reviewer refers it; the panel supersedes its ruling; the appeal is closed by it.
    fay.goto(appeal)
    fay.fill("#answer", "请复议")
    fay.click("button:text-is('提交编审委员会')")
    fay.wait_for_selector("text=已提交编审委员会")
    fay.click("a:text-is('案件')")
    again = fay.url
    assert number in fay.inner_text("aside")
    for one in (eva, fay, ada):
        one.goto(again)
        vote(one, FRIED, "实物为鲜切")
    ada.fill("#text", "鲜切油炸的薯片,按原编码开票。")
    ada.fill("#supersedes", number)
    ada.click("button:text-is('出具裁定')")
    ada.wait_for_url("**/rulings/*")
    successor = unquote(ada.url.rpartition("/")[2])
    assert successor != number
    assert "受影响的以往各行 1" in ada.inner_text("main")
    page.reload()
    assert "异议成立" in page.inner_text("main")
    assert successor in page.inner_text("main")
    page.goto(f"{office.url}/rulings?q={number}")
    assert successor in page.inner_text("table")


def test_a_reviewer_may_bring_a_dispute_but_not_see_the_case(
    office: Office, open_page: OpenPage, disputed: str
) -> None:
    page = open_page(office.user("carl"), f"/review/items/{disputed}")
    page.fill("#refer-why", "请专家看")
    page.click("button:text-is('提交')")
    page.wait_for_selector("text=正由编审委员会审理")
    assert page.locator("a[href*='/panel']").count() == 0


def test_a_bad_vote_is_refused_on_a_page(
    office: Office, open_page: OpenPage, disputed: str
) -> None:
    page = open_page(office.user("eva", Role.EXPERT), f"/review/items/{disputed}")
    page.fill("#refer-why", "意见不一")
    page.click("button:text-is('提交')")
    page.wait_for_url("**/panel/pc_*")
    page.check(f"#code-{FRIED}")
    page.fill("#why", "   ")
    page.click("#settle button.primary")
    page.wait_for_selector("text=请写明理由")
