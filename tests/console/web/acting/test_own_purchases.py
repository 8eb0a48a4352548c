"""A buyer and a vendor act on their own purchases by the pages, and on no others."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from fastapi.testclient import TestClient

from console.web.access import people
from console.web.access.own_things import OwnThings
from console.web.pages.acting.acts import ACTS
from tests.console.ledgers import RunningLedger
from tests.console.web.acting.accounts import events_of, open_account, present, told
from tests.console.web.acting.forms import form_of, press
from tests.console.web.acting.test_instances import begin
from tests.console.web.browser import PASSWORD, sign_in
from tests.console.web.test_api import give

pytestmark = pytest.mark.timeout(300)

PEOPLE = {
    "bea": ("buyer", OwnThings(accounts=("shop-1",), buyer_id="buyer-1")),
    "vic": ("vendor", OwnThings(vendors=("vendor-1",))),
}

OWN_ACTS = {
    "bea": {"ConfirmService", "RequestMarketplaceRefund", "WithdrawMarketplaceRefund"},
    "vic": {"ApproveMarketplaceRefund", "DeclineMarketplaceRefund"},
}


@pytest.fixture(scope="module")
def shops(client: TestClient, live_ledger: RunningLedger) -> None:
    """Two accounts, each with a purchase of its own buyer from its own vendor."""
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        for name, (role, own) in PEOPLE.items():
            assert people.add(connection, name, PASSWORD, [role], own)
    for number in (1, 2):
        open_account(client, f"shop-{number}")
        body = {
            "purchase_id": "p-1",
            "product_kind": "SAAS",
            "vendor_id": f"vendor-{number}",
            "buyer_id": f"buyer-{number}",
            "paid": {"cash": "200.00", "gift": "0.00"},
            "purchased_at": told(present(client)),
        }
        bought = give(client, f"shop-{number}", "RecordMarketplacePurchase", body, "buy")
        assert bought.status_code == 200, bought.text
    asked = {"purchase_id": "p-1", "reason": "OTHER", "acknowledged": True}
    give(client, "shop-2", "RequestMarketplaceRefund", asked, "ask", "BUYER:buyer-2")


@pytest.fixture
def signed(locked: TestClient) -> Iterator[TestClient]:
    """Nobody is signed in before or after."""
    locked.cookies.clear()
    yield locked
    locked.cookies.clear()


@pytest.mark.usefixtures("shops")
def test_a_buyer_applies_and_the_vendor_agrees(signed: TestClient, client: TestClient) -> None:
    sign_in(signed, "bea")
    first = begin(signed, "shop-1", "RequestMarketplaceRefund", "p-1")
    assert "3 natural days" in first.text
    without = press(signed, press(signed, first, "review", acknowledged="yes"), "act")
    assert "<code>REASON_REQUIRED</code>" in without.text
    asked = press(signed, first, "review", acknowledged="yes", reason="NOT_AS_DESCRIBED")
    assert "MarketplaceRefundRequested" in press(signed, asked, "act").text
    assert begin(signed, "shop-2", "RequestMarketplaceRefund", "p-1").status_code == 404
    signed.cookies.clear()
    sign_in(signed, "vic")
    assert begin(signed, "shop-2", "ApproveMarketplaceRefund", "p-1").status_code == 404
    answer = begin(signed, "shop-1", "ApproveMarketplaceRefund", "p-1")
    assert form_of(answer, "review").fields["purchase_id"] == "p-1"
    done = press(signed, press(signed, answer, "review", note="agreed"), "act")
    assert "MarketplaceRefundApproved" in done.text
    assert "200.00" in done.text
    assert "RefundIssued" in events_of(client, "shop-1")


@pytest.mark.usefixtures("shops")
@pytest.mark.parametrize("name", list(PEOPLE))
def test_no_other_act_is_theirs(signed: TestClient, name: str) -> None:
    sign_in(signed, name)
    found = {act for act in ACTS if begin(signed, "shop-1", act, "p-1").status_code != 403}
    assert found == OWN_ACTS[name]


@pytest.mark.usefixtures("shops")
def test_nobody_acts_on_anothers_purchase_by_a_form_that_was_changed(
    signed: TestClient, client: TestClient
) -> None:
    sign_in(signed, "vic")
    before = events_of(client, "shop-2")
    form = form_of(begin(signed, "shop-1", "DeclineMarketplaceRefund", "p-1"), "review")
    elsewhere = form.action.replace("shop-1", "shop-2")
    for step in ("review", "act"):
        assert signed.post(elsewhere, data=form.fields | {"step": step}).status_code == 404
    assert events_of(client, "shop-2") == before
