"""The wizards in a browser: a return, a refusal, a quote that runs out."""

from __future__ import annotations

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visitor import Visitor
from tests.console.web.acting.accounts import events_of, with_instance

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def asks_for_a_return(visitor: Visitor, account: str) -> None:
    """From the account's page to the list with amounts."""
    main = visitor.page.get_by_role("main")
    main.locator(f'a[href^="/accounts/{account}/acts/ReturnInstance"]').click()
    visitor.ask_for_the_amount()


def test_a_return_moves_the_account_s_page_without_loading_it_again(
    visitor: Visitor, page: Page, billing: httpx2.Client
) -> None:
    with_instance(billing, "browse-1")
    visitor.sign_in("emma", to="/accounts/browse-1")
    page.evaluate("window.neverLoadedAgain = true")
    acting = Visitor(page.context.new_page(), visitor.site)
    acting.go("/accounts/browse-1")
    asks_for_a_return(acting, "browse-1")
    main = acting.page.get_by_role("main")
    expect(main).to_contain_text("1413.92 CNY")
    expect(main.locator("[data-until]")).to_contain_text("min")
    acting.page.get_by_text("How it was calculated").first.click()
    assert acting.serious_findings() == []
    main.get_by_role("link", name="Confirm").click()
    expect(main).to_contain_text("confirm again")
    acting.page.get_by_role("button", name="Confirm the refund").click()
    expect(main).to_contain_text("Submitted")
    expect(main).to_contain_text("RefundIssued")
    shown = page.get_by_role("main")
    expect(shown).to_contain_text("ISOLATED", timeout=30_000)
    expect(shown).to_contain_text("1413.92", timeout=30_000)
    assert page.evaluate("window.neverLoadedAgain") is True
    assert acting.errors == []


def test_without_scripts_a_return_is_the_same(
    chromium: Browser, site: str, billing: httpx2.Client
) -> None:
    with_instance(billing, "browse-2")
    context = chromium.new_context(java_script_enabled=False)
    visitor = Visitor(context.new_page(), site)
    visitor.sign_in("emma", to="/accounts/browse-2")
    asks_for_a_return(visitor, "browse-2")
    visitor.confirm_the_refund()
    expect(visitor.page.get_by_role("main")).to_contain_text("Submitted")
    assert events_of(billing, "browse-2").count("RefundIssued") == 1
    context.close()


def test_a_refusal_names_the_rule_and_its_figures(
    visitor: Visitor, page: Page, billing: httpx2.Client
) -> None:
    with_instance(billing, "browse-3")
    visitor.sign_in("emma", to="/accounts/browse-3/acts/ReturnInstance?thing=i-1")
    stale = Visitor(page.context.new_page(), visitor.site)
    stale.go("/accounts/browse-3/acts/ReturnInstance?thing=i-1")
    for each in (page, stale.page):
        each.get_by_label("Read and agreed").check()
    page.get_by_role("button", name="Show the amount").click()
    visitor.confirm_the_refund()
    expect(page.get_by_role("main")).to_contain_text("Submitted")
    stale.page.get_by_role("button", name="Show the amount").click()
    expect(stale.page.get_by_role("main")).to_contain_text("WRONG_STATE")
    assert events_of(billing, "browse-3").count("RefundIssued") == 1


def test_a_quote_that_runs_out_on_the_screen_cannot_be_confirmed(
    visitor: Visitor, page: Page, billing: httpx2.Client
) -> None:
    with_instance(billing, "browse-4")
    page.clock.install()
    visitor.sign_in("emma", to="/accounts/browse-4/acts/ReturnInstance?thing=i-1")
    visitor.ask_for_the_amount()
    page.get_by_role("main").get_by_role("link", name="Confirm").click()
    confirm = page.get_by_role("button", name="Confirm the refund")
    expect(confirm).to_be_enabled()
    expect(page.locator("[data-until]").first).to_contain_text("14 min")
    page.clock.fast_forward("14:30")
    expect(confirm).to_be_enabled()
    # The page asks the server again, whose clock did not run: this answer leaves it as it is.
    page.route("**/acts/**", lambda asked: asked.fulfill(status=204))
    page.clock.fast_forward("00:31")
    expect(confirm).to_be_disabled()
    expect(page.locator("[data-until]").first).to_have_text("0 min 0 s")


def test_whoever_may_only_read_gets_no_act(
    visitor: Visitor, page: Page, billing: httpx2.Client
) -> None:
    with_instance(billing, "browse-5")
    visitor.sign_in("finn", to="/accounts/browse-5")
    expect(page.locator('a[href*="/acts/"]')).to_have_count(0)
    assert visitor.go("/accounts/browse-5/acts/ReturnInstance?thing=i-1") == 403
    visitor.errors.clear()  # Chromium's own line about the status
    expect(page.get_by_role("main")).to_contain_text("finn may not")
