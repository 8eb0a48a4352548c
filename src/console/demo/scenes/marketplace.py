"""Scenes about marketplace purchases: one refund is approved, one is completed by the timer."""

from __future__ import annotations

from typing import Any

from console.demo.scene import Beat, Scene, Shown

_ACTORS = {"BILLING": "billing", "BUYER": "li.na", "VENDOR": "mailcrow"}
_BALANCE = Shown(question="balances", columns=("account_id", "currency", "cash", "gift", "total"))
_REFUNDS = Shown(
    question="refunds",
    columns=("source_id", "rule", "amount", "cash", "gift", "state", "auto_approved"),
)


def _purchase(purchase_id: str, purchased_at: str, **paid: str) -> dict[str, Any]:
    """A purchase of software as a service, as billing records it."""
    return {
        "purchase_id": purchase_id,
        "product_kind": "SAAS",
        "vendor_id": "mailcrow",
        "buyer_id": "li.na",
        "paid": paid,
        "purchased_at": purchased_at,
    }


ASKED_AND_APPROVED = Scene(
    title="A marketplace refund: requested, approved, and the access ends",
    account="acct-tea-shop",
    actors=_ACTORS,
    beats=(
        Beat(
            at="2026-02-02T02:00:00Z",
            say=(
                "The tea shop buys a mail service in the marketplace: 200.00 in cash, 100.00 of "
                "gift money, and a coupon of 50.00 that is not refunded."
            ),
            id="buy-mail",
            command="RecordMarketplacePurchase",
            role="BILLING",
            body=_purchase(
                "mail", "2026-02-02T02:00:00Z", cash="200.00", gift="100.00", voucher="50.00"
            ),
        ),
        Beat(
            at="2026-02-03T02:00:00Z",
            say=(
                "It does not work as promised. For five calendar days (复议期) the buyer may "
                "ask for her money back, with a reason from a list."
            ),
            id="ask",
            command="RequestMarketplaceRefund",
            role="BUYER",
            body={"purchase_id": "mail", "reason": "NOT_AS_DESCRIBED", "acknowledged": True},
        ),
        Beat(
            at="2026-02-04T02:00:00Z",
            say="The vendor agrees. The system refunds the amount paid, by fund.",
            id="approve",
            command="ApproveMarketplaceRefund",
            role="VENDOR",
            body={"purchase_id": "mail", "note": "sorry that it did not suit you"},
            show=(_BALANCE,),
        ),
        Beat(
            at="2026-02-04T03:00:00Z",
            say="After the refund the access has ended; a second application is refused.",
            id="ask-again",
            command="RequestMarketplaceRefund",
            role="BUYER",
            body={"purchase_id": "mail", "reason": "OTHER", "acknowledged": True},
        ),
    ),
)

LEFT_TO_THE_TIMER = Scene(
    title="Nobody answers: completed at the end of the third natural day",
    account="acct-tea-shop",
    actors=_ACTORS,
    beats=(
        Beat(
            at="2026-02-05T02:00:00Z",
            say="A second purchase, of a survey tool …",
            id="buy-survey",
            command="RecordMarketplacePurchase",
            role="BILLING",
            body=_purchase(
                "survey", "2026-02-05T02:00:00Z", cash="88.00", gift="0.00", voucher="0.00"
            ),
        ),
        Beat(
            at="2026-02-05T15:30:00Z",
            say=(
                "… by mistake. It is 23:30 in Shanghai, and days in Shanghai count. The vendor "
                "has until the end of the third day after this one."
            ),
            id="ask-survey",
            command="RequestMarketplaceRefund",
            role="BUYER",
            body={"purchase_id": "survey", "reason": "BOUGHT_BY_MISTAKE", "acknowledged": True},
        ),
        Beat(
            at="2026-02-09T00:00:00Z",
            say="No answer comes. At that midnight a timer sends a command to the ledger:",
            show=(_REFUNDS,),
        ),
        Beat(
            at="2026-02-20T00:00:00Z",
            say=(
                "Other timers run as well: the renewal of redis-1 ends after a month, nobody "
                "renews it again, and so it is isolated and later destroyed."
            ),
        ),
    ),
)
