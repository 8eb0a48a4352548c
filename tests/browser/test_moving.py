"""What moves by itself on a page, and the keyboard's shortcuts."""

from __future__ import annotations

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitor import Visitor
from tests.console.web.acting.accounts import open_account

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def test_a_list_shows_a_new_account_without_being_loaded_again(
    visitor: Visitor, page: Page, billing: httpx2.Client
) -> None:
    visitor.sign_in("finn", to="/lists/accounts")
    page.evaluate("window.notLoadedAgain = true")
    page.get_by_label("Account", exact=True).fill("half typed")
    open_account(billing, "moves-by-itself")
    expect(page.get_by_role("link", name="moves-by-itself")).to_be_visible(timeout=30_000)
    assert page.evaluate("window.notLoadedAgain") is True
    assert page.get_by_label("Account", exact=True).input_value() == "half typed"
    assert page.get_by_role("table").count() == 1


def test_keys_lead_to_the_rooms_and_are_listed(visitor: Visitor, page: Page) -> None:
    visitor.sign_in("finn")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keyboard shortcuts")
    assert visitor.serious_findings() == []
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url(f"{visitor.site}/lists/accounts")
    page.keyboard.press("/")
    expect(page.get_by_label("Account", exact=True)).to_be_focused()
    page.keyboard.type("g?")
    assert page.get_by_label("Account", exact=True).input_value() == "g?"
