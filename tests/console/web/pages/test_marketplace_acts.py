"""From the marketplace's pages an application is answered: once, and with every rule against it."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.console.web.acting.accounts import events_of, open_account, present, told
from tests.console.web.acting.forms import follow, form_of, press, send
from tests.console.web.browser import BROWSER
from tests.console.web.test_api import give

pytestmark = pytest.mark.timeout(300)


def applied(client: TestClient, account: str) -> Response:
    """The page of a purchase for 200.00 whose buyer has applied for a refund."""
    open_account(client, account)
    purchase = {
        "purchase_id": "p/1",
        "product_kind": "SAAS",
        "vendor_id": "v-1",
        "buyer_id": "b-1",
        "paid": {"cash": "200.00", "gift": "0.00"},
        "purchased_at": told(present(client)),
    }
    assert give(client, account, "RecordMarketplacePurchase", purchase, "buy").status_code == 200
    asked = {"purchase_id": "p/1", "reason": "OTHER", "acknowledged": True}
    given = give(client, account, "RequestMarketplaceRefund", asked, "ask", "BUYER:b-1")
    assert given.status_code == 200
    return purchase_page(client, account)


def purchase_page(client: TestClient, account: str) -> Response:
    listed = client.get(
        "/marketplace", params={"account": account, "state": "ALL"}, headers=BROWSER
    )
    return follow(client, listed, "/marketplace/p%2F1")


def test_a_double_click_approves_once(client: TestClient) -> None:
    page = applied(client, "market-1")
    asked = press(client, follow(client, page, "ApproveMarketplaceRefund"), "review", note="fine")
    form = form_of(asked, "act")
    first, again = send(client, form, "act"), send(client, form, "act")
    assert first.url == again.url
    assert "MarketplaceRefundApproved" in first.text
    assert events_of(client, "market-1").count("MarketplaceRefundApproved") == 1
    page = purchase_page(client, "market-1")
    assert "REFUNDED" in page.text
    assert 'disabled data-act="ApproveMarketplaceRefund"' in page.text


def test_a_vendor_declines_with_a_note_that_stands_on_the_page(client: TestClient) -> None:
    page = applied(client, "market-2")
    asked = press(client, follow(client, page, "DeclineMarketplaceRefund"), "review", note="使用中")
    press(client, asked, "act")
    page = purchase_page(client, "market-2")
    assert "DECLINED" in page.text
    assert "使用中" in page.text


def test_who_is_too_late_is_told_the_rule_with_its_figures(client: TestClient) -> None:
    page = applied(client, "market-3")
    late = press(client, follow(client, page, "ApproveMarketplaceRefund"), "review", note="fine")
    withdrawn = follow(client, page, "WithdrawMarketplaceRefund")
    press(client, press(client, withdrawn, "review"), "act")
    assert "WITHDRAWN" in purchase_page(client, "market-3").text
    refused = press(client, late, "act")
    assert "NOT_PENDING" in refused.text
    assert "p/1" in refused.text
    assert "MarketplaceRefundApproved" not in events_of(client, "market-3")


def test_a_ticket_for_more_than_was_paid_is_refused_with_the_figures(client: TestClient) -> None:
    page = applied(client, "market-4")
    press(client, press(client, follow(client, page, "Withdraw"), "review"), "act")
    ticket = follow(client, purchase_page(client, "market-4"), "RefundMarketplaceManually")
    typed = {"ticket": "T-1", "amount": "200.01"}
    refused = press(client, press(client, ticket, "review", **typed), "act")
    assert "EXCEEDS_PAID" in refused.text
    assert "200.00" in refused.text
    done = press(client, press(client, ticket, "review", ticket="T-1", amount="200.00"), "act")
    assert "RefundIssued" in done.text
    refund = follow(client, purchase_page(client, "market-4"), "/refunds/")
    assert 'data-source="finance.refunds.amount">200.00<' in refund.text
