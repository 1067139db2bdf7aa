"""The desk of the knowledge base and the tax lead's figures in a real browser."""

from __future__ import annotations

import io
import zipfile

import pytest
from office import Office, OpenPage

from invoicer.access.principals import Role
from knowledge_base import tables

FISH = "1030109050000000000"
PATHS = ("/desk", "/desk?q=鱼", "/desk?under=1000000000000000000", f"/desk/codes/{FISH}",
         "/desk/words/everyday_names", "/desk/words/scenarios", "/desk/proposals",
         "/desk/proposals/new?table=scenarios", "/desk/proposals/new?table=descriptors",
         "/desk/versions", "/figures/lead")  # fmt: skip
UNLABELLED = """() => [...document.querySelectorAll('input, select, textarea')]
  .filter(field => field.type !== 'hidden' && !field.labels.length && !field.ariaLabel)
  .map(field => field.outerHTML)"""


@pytest.mark.parametrize("path", PATHS)
def test_a_page_of_the_desk_fits_labels_its_fields_and_has_one_heading(
    office: Office, open_page: OpenPage, path: str
) -> None:
    page = open_page(office.user("admin", Role.ADMIN), path, 1024)
    assert page.evaluate(UNLABELLED) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1024
    assert page.locator("h1").count() == 1


def test_a_name_is_proposed_tried_out_accepted_by_another_and_taken_back(
    office: Office, open_page: OpenPage
) -> None:
    name = f"蓝鲸小脆条{office.tenant[-2:]}"
    (item,) = office.put(name)
    anna, eva, admin = office.user("anna"), office.user("eva", Role.EXPERT), ""
    page = open_page(anna, f"/desk/proposals/new?term={name}&item={item}")
    page.click("#look")
    page.keyboard.type(FISH[:11])
    page.wait_for_selector("#search-hits li")
    page.keyboard.press("Enter")
    page.wait_for_function("code => document.getElementById('cell-code').value === code", arg=FISH)
    page.fill("#why", "渠道里都这么叫")
    page.click("text=提交提案")
    page.wait_for_url("**/desk/proposals/pp_*")
    assert page.locator("text=预览影响").count() == 0  # reviewers do not answer proposals

    page = open_page(eva, page.url.removeprefix(office.url))
    assert page.locator("text=采纳并启用").is_disabled()
    page.click("text=预览影响")
    page.wait_for_selector("#running")
    page.wait_for_selector("#verdict", timeout=400_000)
    assert "通过检验" in page.inner_text("#verdict")
    assert "鱼糜" in page.inner_text("table:has(caption:text('新增的词'))")
    page.click("text=采纳并启用")
    page.wait_for_selector("text=已采纳")
    until(page, lambda: office.classify(name)["code"] == FISH)

    admin = office.user("admin", Role.ADMIN)
    page = open_page(admin, "/desk/versions")
    page.click("text=比较所选两版")
    page.wait_for_selector(".edits")
    assert name in page.inner_text(".edits")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("tr", has_text="builtin").get_by_role("button").click()
    page.wait_for_selector("text=已切换到 builtin")
    until(page, lambda: office.classify(name)["candidates"][0]["code"] != FISH)


def until(page, holds) -> None:
    """Wait until the service has followed a switch."""
    for _ in range(240):
        if holds():
            return
        page.wait_for_timeout(500)
    raise AssertionError("the service has not followed the switch")


def test_what_the_tables_cannot_take_is_told_beside_what_was_typed(
    office: Office, open_page: OpenPage
) -> None:
    page = open_page(office.user("anna"), f"/desk/proposals/new?code={FISH}&term=弹簧床垫")
    page.fill("#why", "试试")
    page.click("text=提交提案")
    page.wait_for_selector("[role=alert]")
    assert "已是另一编码的俗名" in page.inner_text("[role=alert]")
    assert (page.input_value("#cell-term"), page.input_value("#why")) == ("弹簧床垫", "试试")


def test_an_own_proposal_cannot_be_accepted_but_another_expert_may_reject_it(
    office: Office, open_page: OpenPage
) -> None:
    eva, emil = (office.user(name, Role.EXPERT) for name in ("eva", "emil"))
    page = open_page(eva, f"/desk/codes/{FISH}")
    page.click("text=提议新俗名")
    page.fill("#cell-term", "海味小方")
    page.fill("#why", "新品")
    page.click("text=提交提案")
    page.wait_for_selector("text=须由另一位专家采纳")
    page = open_page(emil, page.url.removeprefix(office.url))
    page.fill("#why", "太生僻")
    page.get_by_role("button", name="不采纳").click()
    page.wait_for_selector("text=未采纳")
    assert "太生僻" in page.inner_text(".decided")


def test_a_code_is_found_by_an_everyday_name_and_shows_what_is_known(
    office: Office, open_page: OpenPage
) -> None:
    page = open_page(office.user("eva", Role.EXPERT), "/desk")
    page.fill("input[name=q]", "蟹柳")
    page.keyboard.press("Enter")
    page.click("table a >> nth=0")
    page.wait_for_url("**/desk/codes/*")
    text = page.inner_text("main")
    for heading in ("俗名", "样例", "人工决定", "官方说明", "各时期税率", "与相邻编码的混淆"):
        assert heading in text


def test_a_row_of_a_table_is_changed_by_taking_out_the_old_one(
    office: Office, open_page: OpenPage
) -> None:
    page = open_page(office.user("eva", Role.EXPERT), "/desk/words/exceptions?q=味精")
    page.locator("tr", has_text="谷氨酸钠").get_by_role("link", name="修改").click()
    page.fill("#cell-head", "调味品")
    page.fill("#why", "更准确")
    page.click("text=提交提案")
    page.wait_for_url("**/desk/proposals/pp_*")
    lines = page.locator(".edits li").all_inner_texts()
    assert ["删除" in lines[0], "新增" in lines[1], "调味品" in lines[1]] == [True, True, True]


def test_the_tables_come_out_as_they_are_shipped(office: Office, open_page: OpenPage) -> None:
    page = open_page(office.user("eva", Role.EXPERT), "/desk/words/descriptors")
    with page.expect_download() as download:
        page.click("text=导出全部词表")
    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as archive:
        for name in ("everyday_names", "ambiguous", "scenarios", "descriptors", "exceptions"):
            assert archive.read(f"{name}.csv") == (tables.DATA / f"{name}.csv").read_bytes()


def test_each_figure_of_the_lead_is_handed_out_as_csv(
    office: Office, open_page: OpenPage
) -> None:
    office.put("=HYPERLINK(1)薯片")
    page = open_page(office.user("eva", Role.EXPERT), "/figures/lead")
    links = page.locator("section a.button").all()
    assert len(links) == 9
    for link in links:
        with page.expect_download() as download:
            link.click()
        text = download.value.path().read_text(encoding="utf-8-sig")
        assert not any(line.startswith("=") for line in text.splitlines())


def test_reviewers_see_proposals_and_not_the_desk(office: Office, open_page: OpenPage) -> None:
    page = open_page(office.user("anna"), "/desk")
    assert "没有权限" in page.inner_text("[role=alert]")
    assert page.locator("nav a", has_text="知识库").count() == 0
    assert page.locator("nav a", has_text="提案").count() == 1
