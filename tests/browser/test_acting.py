"""A person acts in a browser: every step of a return and of an exchange keeps nobody out."""

from __future__ import annotations

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitor import Visitor
from tests.console.web.acting.accounts import with_instance, with_reservation

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def test_an_instance_is_returned_step_by_step(
    visitor: Visitor, page: Page, billing: httpx2.Client
) -> None:
    with_instance(billing, "b-return")
    visitor.sign_in("emma")
    assert visitor.go("/accounts/b-return/acts/ReturnInstance?thing=i-1") == 200
    visitor.sees_a_page_for_everybody()
    visitor.ask_for_the_amount()
    expect(page.get_by_role("timer")).to_contain_text("14 min")
    page.get_by_text("How it was calculated").click()
    visitor.sees_a_page_for_everybody()
    page.get_by_role("link", name="Confirm the refund").click()
    confirm = page.get_by_role("button", name="Confirm the refund")
    expect(confirm).to_be_visible()
    visitor.sees_a_page_for_everybody()
    confirm.click()
    expect(page.get_by_role("heading", name="Submitted")).to_be_visible()
    visitor.sees_a_page_for_everybody()


def test_an_exchange_chooses_and_reviews(
    visitor: Visitor, page: Page, billing: httpx2.Client
) -> None:
    with_reservation(billing, "b-exchange")
    visitor.sign_in("emma")
    visitor.go("/accounts/b-exchange/acts/ExchangeReservations?thing=r-1&lang=zh")
    visitor.sees_a_page_for_everybody()
    page.locator("button[value=purchases]").click()
    page.locator('[name="purchases[0].reservation_id"]').fill("n-1")
    page.locator('[name="purchases[0].total"]').fill("5000")
    page.locator('[name="purchases[0].payment.invoice_id"]').fill("inv-n")
    visitor.sees_a_page_for_everybody()
    page.get_by_label("已阅读并同意").check()
    page.locator("button[value=quote]").click()
    done = page.get_by_role("button", name="完成交换")
    expect(done).to_be_visible()
    visitor.sees_a_page_for_everybody()
    done.click()
    expect(page.get_by_role("heading", name="提交成功")).to_be_visible()
