"""The story of reservations: one refunded, one refused above the yearly cap, and exchanged."""

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
    title="A reservation given back, and what that leaves of the yearly cap",
    account="acct-foundry",
    actors=_ACTORS,
    beats=(
        Beat(
            at="2026-02-20T08:00:00Z",
            say="A foundry buys from the other cloud, in US dollars and by invoice.",
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
                "In May the simulations are over. What the days to come were paid for may go back, "
                "but no more than 50,000 US dollars in twelve months: the quote says what is left."
            ),
            id="quote-batch",
            command="QuoteReservationRefund",
            role="OWNER",
            body={"reservation_id": "batch", "usd_rate": "1"},
        ),
        Beat(
            at="2026-05-04T09:05:00Z",
            say=(
                "Confirmed. The invoice is written anew and the amount held as credit for the next "
                "purchase. What it uses of the cap comes free again in a year:"
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
    title="Above the cap, so no refund; an exchange instead",
    account="acct-foundry",
    actors=_ACTORS,
    beats=(
        Beat(
            at="2026-12-09T09:00:00Z",
            say=(
                "In December the web shop needs larger machines. To give the old ones back for "
                "money is more than the cap has room for; the quote says so, with every figure."
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
                "An exchange never counts against the cap: the old one is credited for its days to "
                "come, the new one is charged in full, and it must cost at least what is returned."
            ),
            id="quote-exchange",
            command="QuoteReservationExchange",
            role="OWNER",
            body=_EXCHANGE,
        ),
        Beat(
            at="2026-12-09T10:05:00Z",
            say=(
                "Both legs are one event, so that there is never the one without the other. What "
                "is payable is taken from the credit held since May, as far as that goes."
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
