"""Webhooks in a browser: one is added, its secret shown once, paused and ended."""

from __future__ import annotations

import psycopg
import pytest
from playwright.sync_api import Page, expect

from console.web.access import people
from tests.browser.visitor import PASSWORD, Visitor
from tests.console.ledgers import RunningLedger

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def test_a_webhook_is_added_paused_and_ended(
    visitor: Visitor, page: Page, ledger: RunningLedger
) -> None:
    with psycopg.connect(ledger.database_url, autocommit=True) as connection:
        people.add(connection, "olga", PASSWORD, ["operator"])
    visitor.sign_in("olga", to="/webhooks")
    visitor.sees_a_page_for_everybody()
    page.get_by_label("Address of the receiver").fill("ftp://billing.example")
    page.get_by_label("Names of events").fill("RefundIssued")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    visitor.errors.clear()  # Chromium's own line about the status
    visitor.sees_a_page_for_everybody()
    page.get_by_label("Address of the receiver").fill("https://billing.example/refunds")
    page.get_by_role("button", name="Add", exact=True).click()
    secret = page.get_by_text("whsec_").inner_text()
    visitor.sees_a_page_for_everybody()
    page.get_by_role("main").get_by_role("link").first.click()
    expect(page.get_by_role("main")).to_contain_text("https://billing.example/refunds")
    expect(page.get_by_role("main")).not_to_contain_text(secret)
    visitor.sees_a_page_for_everybody()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("paused")
    page.get_by_label("What waits for it may be deleted").check()
    page.get_by_role("button", name="End it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("ended")
    visitor.sees_a_page_for_everybody()
