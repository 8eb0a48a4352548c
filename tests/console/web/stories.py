"""Small histories on the module's ledger, for the tests of pages and of the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi.testclient import TestClient

from console.web.api.openapi import examples
from tests.console.web.test_api import OPENING, give
from tests.waiting import wait_until

TICKET = "T-17 of Ann Example"
PURCHASE = {
    "purchase_id": "p-1",
    "product_kind": "SAAS",
    "vendor_id": "v-1",
    "buyer_id": "b-1",
    "paid": {"cash": "200.00", "gift": "0.00", "voucher": "0.00"},
    "purchased_at": "2026-07-01T02:00:00Z",
}


def refunded(client: TestClient, account: str) -> dict[str, Any]:
    """An account with one refund of 1.00, and nothing more to come; the refund's row."""
    for name, body, actor in (
        ("OpenAccount", OPENING, "BILLING:billing"),
        ("RecordMarketplacePurchase", PURCHASE, "BILLING:billing"),
        (
            "RefundMarketplaceManually",
            {"purchase_id": "p-1", "ticket": TICKET, "amount": "1.00"},
            "SUPPORT:s-1",
        ),
    ):
        found = give(client, account, name, body, f"{name}-{account}", actor)
        assert found.status_code == 200, found.text
    settled = {"account": account, "event": "RefundSettled"}
    wait_until(
        lambda: bool(client.get("/v1/events/search", params=settled).json()["rows"]),
        f"the settlement of the refund of {account}",
    )
    (row,) = client.get("/v1/refunds", params={"account": account}).json()["rows"]
    return dict(row)


def holding(client: TestClient, account: str) -> None:
    """An account with reservation r-1, which began today."""
    bought = dict(examples()["RecordReservationPurchase"])
    bought["starts_on"] = datetime.now(UTC).date().isoformat()
    for name in ("returned_quantity", "refunded"):
        del bought[name]
    for name, body in (("OpenAccount", examples()["OpenAccount"]), (_PURCHASE, bought)):
        found = give(client, account, name, body, name)
        assert found.status_code == 200, found.text


_PURCHASE = "RecordReservationPurchase"
