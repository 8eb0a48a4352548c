"""The marketplace: what is due first, how the invoice stands, and who may do what."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests.console.web.pages.conftest import Shown, main_of

pytestmark = pytest.mark.timeout(300)


def test_the_open_applications_stand_in_the_order_they_are_due(shown: Shown) -> None:
    wanted = shown.rows(
        "SELECT purchase_id, account_id FROM finance.marketplace_requests"
        " WHERE state IN ('PENDING', 'HELD')"
        " ORDER BY coalesce(due_at, 'infinity'), requested_at, request_id"
    )
    page = main_of(shown.page("/marketplace"))
    found = re.findall(r'href="/marketplace/([^?"]+)\?account=([^"]+)"', page)
    assert found == wanted
    assert wanted


def test_every_application_leads_to_its_purchase_and_its_refund(shown: Shown) -> None:
    page = main_of(shown.page("/marketplace?state=ALL"))
    links = {
        unescape(each) for each in re.findall(r'href="(/(?:marketplace|refunds)/[^"]+)"', page)
    }
    assert {each.split("/")[1] for each in links} == {"marketplace", "refunds"}
    for link in links:
        shown.page(link)


def test_the_amounts_are_the_views(shown: Shown) -> None:
    page = main_of(shown.page("/marketplace?state=REFUNDED"))
    found = re.findall(r'value="([^"]+)" data-source="finance.marketplace_requests.refund_am', page)
    wanted = shown.rows(
        "SELECT refund_amount::text FROM finance.marketplace_requests WHERE state = 'REFUNDED'"
    )
    assert sorted(found) == sorted(text for (text,) in wanted)


def test_a_purchase_says_how_its_invoice_stands_and_since_when_it_is_held(shown: Shown) -> None:
    held = shown.rows(
        "SELECT account_id, purchase_id, held_by_invoice FROM finance.marketplace_requests"
        " WHERE held_at IS NOT NULL"
    )
    assert held
    for account, purchase, invoice in held:
        page = main_of(shown.page(f"/marketplace/{purchase}?account={account}"))
        assert "held since" in page
        assert f"({invoice})" in page
    ((account, purchase, state),) = shown.rows(
        "SELECT account_id, body ->> 'purchase_id', body ->> 'invoice_state' FROM finance.events"
        " WHERE event_name = 'InvoiceStateRecorded' ORDER BY recorded_at DESC LIMIT 1"
    )
    page = main_of(shown.page(f"/marketplace/{purchase}?account={account}"))
    assert f"<dt>Invoice</dt><dd>{state}</dd>" in page


def test_an_operator_answers_in_the_vendors_name_and_support_cannot(shown: Shown) -> None:
    account, purchase, vendor, buyer = shown.rows(
        "SELECT account_id, purchase_id, vendor_id, buyer_id FROM finance.marketplace_requests"
        " WHERE state IN ('PENDING', 'HELD') LIMIT 1"
    )[0]
    path = f"/marketplace/{purchase}?account={account}"
    there = f"/accounts/{account}/acts"
    links = [unescape(each) for each in re.findall(r'href="([^"]*/acts/[^"]+)"', shown.page(path))]
    assert links == [
        f"{there}/ApproveMarketplaceRefund?thing={purchase}&as=VENDOR%3A{vendor}",
        f"{there}/DeclineMarketplaceRefund?thing={purchase}&as=VENDOR%3A{vendor}",
        f"{there}/WithdrawMarketplaceRefund?thing={purchase}&as=BUYER%3A{buyer}",
    ]
    for link in links:
        shown.page(link)
    told = shown.locked.get(path, headers=shown.headers("emma", "support")).text
    assert [f"{there}/WithdrawMarketplaceRefund?thing={purchase}"] == [
        unescape(each) for each in re.findall(r'href="([^"]*/acts/[^"]+)"', told)
    ]
    assert 'disabled data-act="ApproveMarketplaceRefund"' in told
    assert "the vendor answers it" in told


def test_where_nothing_waits_a_ticket_is_the_way(shown: Shown) -> None:
    account, purchase = shown.rows(
        "SELECT account_id, purchase_id FROM finance.marketplace_requests WHERE state = 'REFUNDED'"
        " LIMIT 1"
    )[0]
    page = main_of(shown.page(f"/marketplace/{purchase}?account={account}"))
    assert f"/acts/RefundMarketplaceManually?thing={purchase}" in page
    assert page.count("no application waits") == 3


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("?state=LOST", 400),
        ("?cursor=x", 400),
        ("?account=nobody", 404),
        ("/p-1", 404),
        ("/a%2Fb%3F?account=acct-marketplace", 404),
        ("/p-1?account=a%2Fb", 404),
    ],
)
def test_what_is_not_there_is_a_page_with_a_way_back(shown: Shown, path: str, status: int) -> None:
    assert '<a href="/">' in shown.page(f"/marketplace{path}", status)
