"""Accounts with something to act on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from httpx2 import Client

from tests.console.web.test_api import give

COMPONENTS = [
    {"name": "node", "list_monthly": "152.00", "payg": [{"from_hours": 0, "hourly": "1.10"}]}
]
OPENING = {"account_type": "ONLINE", "us_government": False, "currency": "CNY"}


def open_account(client: Client, account: str, kind: str = "ONLINE", currency: str = "CNY") -> None:
    """An account of a kind."""
    body = {"account_type": kind, "us_government": False, "currency": currency}
    assert give(client, account, "OpenAccount", body, "open").status_code == 200


def with_instance(
    client: Client, account: str, instance: str = "i-1", cash: str = "1413.92"
) -> None:
    """An account with a prepaid instance that was delivered a day ago, for one year."""
    open_account(client, account)
    record_order(client, account, "o-1", instance, cash=cash)


def record_order(
    client: Client,
    account: str,
    order: str,
    instance: str,
    *,
    cash: str = "1413.92",
    starts: datetime | None = None,
    kind: str = "NEW",
) -> None:
    """An order of an instance for one year."""
    start = present(client) - timedelta(days=1) if starts is None else starts
    line = {
        "instance_id": instance,
        "product": "redis",
        "region": "ap-guangzhou",
        "paid": {"cash": cash, "gift": "0.00"},
        "components": COMPONENTS,
        "duration_discounts": [{"from_months": 12, "factor": "0.83"}],
    }
    body = {
        "order_id": order,
        "kind": kind,
        "channel": "STANDARD",
        "starts_at": told(start),
        "ends_at": told(start + timedelta(days=365)),
        "lines": [line],
    }
    found = give(client, account, "RecordInstanceOrder", body, order)
    assert found.status_code == 200, found.text


def with_reservation(client: Client, account: str, reservation: str = "r-1", **more: Any) -> None:
    """An account that pays by invoice, with a reservation of three that begins tomorrow."""
    open_account(client, account, "PAYG_INVOICE", "USD")
    record_reservation(client, account, reservation, **more)


def record_reservation(client: Client, account: str, reservation: str, **more: Any) -> None:
    """A reservation of three for 3,650.00."""
    body = {
        "reservation_id": reservation,
        "product_type": "VirtualMachines",
        "sku": "Standard_F1",
        "region": "westeurope",
        "quantity": 3,
        "term_months": 12,
        "starts_on": (present(client) + timedelta(days=1)).date().isoformat(),
        "total": "3650.00",
        "billing_plan": "UPFRONT",
        "payment": {"method": "INVOICE", "invoice_id": f"inv-{reservation}"},
        "owners": ["u-1"],
        **more,
    }
    found = give(client, account, "RecordReservationPurchase", body, f"buy-{reservation}")
    assert found.status_code == 200, found.text


def present(client: Client) -> datetime:
    """The ledger's present."""
    at = client.get("/v1/clock").json()["sandbox_at"]
    return datetime.now(UTC) if at is None else datetime.fromisoformat(at)


def told(moment: datetime) -> str:
    """An instant as the API takes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def events_of(client: Client, account: str) -> list[str]:
    """The names of the account's events, in order."""
    asked: dict[str, str | int] = {
        "account": account,
        "columns": "event_name,sequence",
        "limit": 500,
    }
    rows = client.get("/v1/events", params=asked).json()["rows"]
    return [row["event_name"] for row in rows]
