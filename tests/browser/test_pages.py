"""Every page: no errors in the console, nothing that keeps people out, no scrolling sideways."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

PAGES = ("/", "/lists/accounts", "/lists/recycle-bin", "/lists/refunds", "/lists/events")


def test_a_person_signs_in_and_out(visitor: Visitor, page: Page) -> None:
    visitor.sign_in("emma", to="/lists/accounts")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{visitor.site}/signin")
    visitor.go("/")
    assert page.url == f"{visitor.site}/signin?next=/" or "/signin?next=%2F" in page.url


@pytest.mark.parametrize("path", PAGES)
def test_a_page_keeps_nobody_out(visitor: Visitor, path: str) -> None:
    visitor.sign_in("finn")
    assert visitor.go(path) == 200
    visitor.sees_a_page_for_everybody()


def test_a_page_in_chinese_says_so_and_stays_so(visitor: Visitor, page: Page) -> None:
    visitor.sign_in("finn")
    visitor.go("/lists/recycle-bin?lang=zh")
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    expect(page.get_by_role("navigation").first).to_contain_text("回收站")
    assert visitor.serious_findings() == []
    page.get_by_role("navigation").first.get_by_role("link").first.click()
    assert page.locator("html").get_attribute("lang") == "zh-Hans"


def test_an_account_that_there_is_not_has_a_way_back(visitor: Visitor, page: Page) -> None:
    visitor.sign_in("finn")
    assert visitor.go("/accounts/nobody") == 404
    visitor.errors.clear()  # Chromium's own line about the status
    page.get_by_role("main").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_without_scripts_every_page_says_what_it_says(chromium: Browser, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    visitor = Visitor(context.new_page(), site)
    visitor.sign_in("finn", to="/lists/accounts")
    for path in PAGES:
        assert visitor.go(path) == 200
        expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
    context.close()
