"""The other pages in a real browser: jobs, people, figures; and what all have in common."""

from __future__ import annotations

import pytest
from office import PASSWORD, Office, OpenPage

from invoicer.access.principals import Role

PATHS = ("/review", "/review/groups", "/review/items", "/review/disputed", "/panel", "/rulings",
         "/appeals", "/jobs", "/figures", "/people")  # fmt: skip
UNLABELLED = """() => [...document.querySelectorAll('input, select, textarea')]
  .filter(field => field.type !== 'hidden' && !field.labels.length && !field.ariaLabel)
  .map(field => field.outerHTML)"""


@pytest.mark.parametrize("width", [1280, 820])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_fits_labels_its_fields_and_has_one_heading(
    office: Office, open_page: OpenPage, path: str, width: int
) -> None:
    office.put("番茄味薯片 70g", "配件" * 80)
    page = open_page(office.user("admin", Role.ADMIN), path, width)
    page.wait_for_load_state("networkidle")
    assert page.evaluate(UNLABELLED) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == "zh-CN"


def test_signing_in_by_keyboard_leads_to_where_one_wanted_to_go(
    office: Office, open_page: OpenPage
) -> None:
    login = office.user("anna")
    page = open_page("", "/review/items?state=decided")
    page.wait_for_selector("#login:focus")
    page.keyboard.type(login)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/review/items?state=decided")
    page.click("text=退出")
    page.wait_for_url("**/sign-in")
    page.goto(office.url + "/review")
    assert "/sign-in" in page.url


def test_a_file_goes_in_and_its_result_comes_out(
    office: Office, open_page: OpenPage, tmp_path
) -> None:
    source = tmp_path / "lines.csv"
    source.write_text("商品名称,单位\n薯片,袋\n,\n弹簧床垫 1.8m,张\n", encoding="utf-8")
    page = open_page(office.user("anna"), "/jobs")
    page.set_input_files("#file", source)
    page.select_option("#format", "csv")
    page.click("#submit")
    page.wait_for_selector("text=已完成", timeout=60_000)
    assert "3 / 3 行" in page.inner_text("#jobs")
    with page.expect_download() as download:
        page.click("text=下载结果")
    result = download.value.path().read_text(encoding="utf-8-sig")
    assert "弹簧床垫 1.8m,张," in result
    with page.expect_download() as download:
        page.click("text=未赋码的行")
    assert "商品名称为空" in download.value.path().read_text(encoding="utf-8-sig")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("text=删除")
    page.wait_for_selector("text=还没有任务")


def test_a_history_is_reviewed_by_keyboard_and_its_report_comes_out(
    office: Office, open_page: OpenPage, tmp_path
) -> None:
    source = tmp_path / "history.csv"
    source.write_text(
        "货,税收分类编码,税率,金额,开票日期\n螺纹钢,1080207050000000000,9%,1000,2024-05-06\n",
        encoding="utf-8",
    )
    page = open_page(office.user("anna"), "/jobs")
    assert page.locator("#template").is_hidden()
    page.focus("input[value=classify]")
    page.keyboard.press("ArrowDown")
    assert page.locator("#template").is_visible()
    assert page.evaluate(UNLABELLED) == []
    page.set_input_files("#file", source)
    page.select_option("#format", "parquet")
    page.fill("#map", "货=name")
    page.focus("#submit")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=已完成", timeout=300_000)
    cells = page.locator("#jobs tr").first.locator("td").all_inner_texts()
    assert "历史复核" in cells[0] and "1 / 1 行" in cells[2] and cells[3] == "1"
    with page.expect_download() as download:
        page.click("text=复核报告")
    assert "税率错误" in download.value.path().read_text(encoding="utf-8")
    page.check("input[value=classify]")
    assert page.locator("#template").is_hidden()


def test_what_a_job_refuses_is_told(office: Office, open_page: OpenPage, tmp_path) -> None:
    source = tmp_path / "lines.pdf"
    source.write_bytes(b"%PDF")
    page = open_page(office.user("anna"), "/jobs")
    page.set_input_files("#file", source)
    page.click("#submit")
    page.wait_for_selector("text=不支持的文件类型")


def test_a_new_key_is_shown_once_works_and_can_be_revoked(
    office: Office, open_page: OpenPage
) -> None:
    page = open_page(office.user("admin", Role.ADMIN), "/people")
    page.fill("#key-name", "新系统")
    page.click("text=新建密钥")
    key = page.input_value("#new-key")
    line = {"name": "薯片"}
    assert office.call("POST", "/v1/classify", key, json=line).status_code == 200
    page.goto(office.url + "/people")
    assert key not in page.content()
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("tr", has_text="新系统").get_by_role("button", name="吊销").click()
    page.wait_for_selector("text=已吊销密钥")
    assert office.call("POST", "/v1/classify", key, json=line).status_code == 401


def test_people_are_added_and_disabled(office: Office, open_page: OpenPage) -> None:
    page = open_page(office.user("admin", Role.ADMIN), "/people")
    page.fill("#login", f"new@{office.tenant}")
    page.fill("#password", PASSWORD)
    page.click("text=新建用户")
    page.wait_for_selector("text=已新建用户")
    colleague = open_page(f"new@{office.tenant}", "/review")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("tr", has_text=f"new@{office.tenant}").get_by_role("button").click()
    page.wait_for_selector("text=已停用用户")
    colleague.goto(office.url + "/review")
    assert "/sign-in" in colleague.url


def test_figures_count_what_was_decided(office: Office, open_page: OpenPage) -> None:
    office.put("薯片", "鱼排")
    anna = office.user("anna")
    page = open_page(anna, "/review")
    for number in (1, 2):
        page.wait_for_function("() => document.getElementById('name').textContent !== ''")
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        page.wait_for_function(
            "n => document.getElementById('done').textContent === n", arg=str(number)
        )
    page.wait_for_function("() => !document.getElementById('status').textContent.includes('请先')")
    page = open_page(anna, "/figures")
    assert page.locator("svg rect title").first.text_content().endswith("决定 2")
    assert "薯片" in page.inner_text("section:has(#missing-title)")


def test_a_page_one_may_not_see_says_so(office: Office, open_page: OpenPage) -> None:
    page = open_page(office.user("anna"), "/people")
    assert "没有权限" in page.inner_text("[role=alert]")
    assert page.locator("nav a", has_text="人员与密钥").count() == 0
