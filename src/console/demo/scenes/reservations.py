"""Scenes about reservations: one is refunded; one is refused above the cap, and exchanged."""

from __future__ import annotations

from typing import Any

from console.demo.scene import Beat, Scene, Shown

_ACTORS = {"BILLING": "billing", "OWNER": "ada", "SUPPORT": "grace"}
_CAP = Shown(
    question="annual-refund-totals",
    columns=("account_id", "refunds", "refund_usd", "next_release_at", "next_release_usd"),
)
_REFUNDS = Shown(
    question="refunds",
    columns=("source_id", "rule", "currency", "amount", "original", "state", "issued_at"),
)


def _reservation(reservation_id: str, sku: str, total: str, quantity: int) -> dict[str, Any]:
    """A year of virtual machines, paid at once by invoice."""
    return {
        "reservation_id": reservation_id,
        "product_type": "VirtualMachines",
        "sku": sku,
        "region": "westeurope",
        "quantity": quantity,
        "term_months": 12,
        "total": total,
        "billing_plan": "UPFRONT",
        "payment": {"method": "INVOICE", "invoice_id": f"inv-{reservation_id}"},
    }


_EXCHANGE = {
    "returns": [{"reservation_id": "web"}],
    "purchases": [_reservation("web-2", "Standard_D4s_v5", "19800.00", quantity=3)],
}

REFUNDED_WITHIN_THE_CAP = Scene(
    title="A reservation refund, and the rest of the yearly cap",
    account="acct-foundry",
    actors=_ACTORS,
    beats=(
        Beat(
            at="2026-02-20T08:00:00Z",
            say="A foundry buys from the other cloud provider, in US dollars and by invoice.",
            id="open",
            command="OpenAccount",
            role="BILLING",
            body={"account_type": "PAYG_INVOICE", "us_government": False, "currency": "USD"},
        ),
        Beat(
            at="2026-02-20T08:00:00Z",
            say="It reserves machines for its simulations for a year …",
            id="buy-batch",
            command="RecordReservationPurchase",
            role="BILLING",
            body={
                **_reservation("batch", "Standard_F16s_v2", "58400.00", quantity=10),
                "starts_on": "2026-02-20",
                "owners": ["ada"],
            },
        ),
        Beat(
            at="2026-02-20T08:00:00Z",
            say="… and some for its web shop.",
            id="buy-web",
            command="RecordReservationPurchase",
            role="BILLING",
            body={
                **_reservation("web", "Standard_D2s_v5", "19800.00", quantity=6),
                "starts_on": "2026-02-20",
                "owners": ["ada"],
            },
        ),
        Beat(
            at="2026-05-04T09:00:00Z",
            say=(
                "In May the simulations are over. The price of the remaining days can be refunded, "
                "but at most 50,000 US dollars in twelve months: the quote shows the rest."
            ),
            id="quote-batch",
            command="QuoteReservationRefund",
            role="OWNER",
            body={"reservation_id": "batch", "usd_rate": "1"},
        ),
        Beat(
            at="2026-05-04T09:05:00Z",
            say=(
                "Confirmed. The invoice is issued again, and the amount is held as credit for the "
                "next purchase. The used part of the cap is released after a year:"
            ),
            id="refund-batch",
            command="RefundReservation",
            role="OWNER",
            body={
                "reservation_id": "batch",
                "usd_rate": "1",
                "quote_id": {"quote_of": "quote-batch"},
                "acknowledged": True,
                "confirmed_amount": {"amount_of": "quote-batch"},
            },
            show=(_CAP,),
        ),
    ),
)

REFUSED_THEN_EXCHANGED = Scene(
    title="No refund above the cap; an exchange instead",
    account="acct-foundry",
    actors=_ACTORS,
    beats=(
        Beat(
            at="2026-12-09T09:00:00Z",
            say=(
                "In December the web shop needs larger machines. A refund of the old ones would "
                "exceed the cap; the quote says so, with every figure."
            ),
            id="quote-web",
            command="QuoteReservationRefund",
            role="OWNER",
            body={"reservation_id": "web", "usd_rate": "1"},
        ),
        Beat(
            at="2026-12-09T09:10:00Z",
            say="Support may act without a quote, but not above the cap.",
            id="refund-web",
            command="RefundReservation",
            role="SUPPORT",
            body={"reservation_id": "web", "usd_rate": "1", "acknowledged": True},
        ),
        Beat(
            at="2026-12-09T10:00:00Z",
            say=(
                "An exchange never counts for the cap. The remaining days of the old reservation "
                "are credited; the new one is charged in full and must cost at least as much."
            ),
            id="quote-exchange",
            command="QuoteReservationExchange",
            role="OWNER",
            body=_EXCHANGE,
        ),
        Beat(
            at="2026-12-09T10:05:00Z",
            say=(
                "Both parts are in one event, so neither exists without the other. The held credit "
                "from May pays for the payable amount, as far as it is enough."
            ),
            id="exchange",
            command="ExchangeReservations",
            role="OWNER",
            body={
                **_EXCHANGE,
                "quote_id": {"quote_of": "quote-exchange"},
                "acknowledged": True,
                "confirmed_amount": {"amount_of": "quote-exchange"},
            },
            show=(_REFUNDS,),
        ),
    ),
)
