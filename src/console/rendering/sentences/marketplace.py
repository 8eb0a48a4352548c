"""One sentence for each event about marketplace purchases."""

from __future__ import annotations

from typing import assert_never

from console.rendering.sentences.saying import Saying
from console.rendering.sentences.words import money, when
from ledger.vocabulary.events import (
    AccessRevoked,
    InvoiceStateRecorded,
    MarketplaceEvent,
    MarketplacePurchaseRecorded,
    MarketplaceRefundApproved,
    MarketplaceRefundDeclined,
    MarketplaceRefundHeld,
    MarketplaceRefundRequested,
    MarketplaceRefundWithdrawn,
    ServiceConfirmed,
)


def marketplace_sentence(body: MarketplaceEvent, say: Saying) -> str:
    """What happened to the purchase, in one sentence."""
    match body:
        case MarketplacePurchaseRecorded():
            return _bought(body, say)
        case ServiceConfirmed():
            return say.said("{purchase}: the service is confirmed", purchase=body.purchase_id)
        case InvoiceStateRecorded():
            state = say.word(body.invoice_state)
            return say.said(
                "{purchase}: its invoice is {state}", purchase=body.purchase_id, state=state
            )
        case AccessRevoked():
            return say.said(
                "{buyer} may no longer use {purchase}",
                buyer=body.buyer_id,
                purchase=body.purchase_id,
            )
        case _:
            return _of_application(body, say)


def _bought(body: MarketplacePurchaseRecorded, say: Saying) -> str:
    told = say.said(
        "{buyer} bought {purchase} ({kind}) from {vendor}, paid {paid}",
        buyer=body.buyer_id,
        purchase=body.purchase_id,
        kind=say.word(body.product_kind),
        vendor=body.vendor_id,
        paid=money(body.paid.cash + body.paid.gift, body.currency),
    )
    back = body.refunded.cash + body.refunded.gift if body.refunded else 0
    if not back:
        return told
    return say.said("{told}, {back} went back before", told=told, back=money(back, body.currency))


def _of_application(
    body: MarketplaceRefundRequested
    | MarketplaceRefundWithdrawn
    | MarketplaceRefundApproved
    | MarketplaceRefundDeclined
    | MarketplaceRefundHeld,
    say: Saying,
) -> str:
    match body:
        case MarketplaceRefundRequested():
            asked = say.said(
                "{purchase}: refund asked for ({reason})",
                purchase=body.purchase_id,
                reason=say.word(body.reason),
            )
            if not body.due_at:
                return asked
            due = say.said("completes by itself at {due}", due=when(body.due_at))
            return say.clauses((asked, due))
        case MarketplaceRefundWithdrawn():
            return say.said("{purchase}: the application is withdrawn", purchase=body.purchase_id)
        case MarketplaceRefundApproved():
            said = say.said("{purchase}: approved", purchase=body.purchase_id)
            if body.auto_approved:
                said = say.said(
                    "{purchase}: approved, as nobody answered in time", purchase=body.purchase_id
                )
            return _noted(said, body.note, say)
        case MarketplaceRefundDeclined():
            return _noted(
                say.said("{purchase}: declined", purchase=body.purchase_id), body.note, say
            )
        case MarketplaceRefundHeld():
            return say.said(
                "{purchase}: held, as its invoice is {state}",
                purchase=body.purchase_id,
                state=say.word(body.invoice_state),
            )
        case _ as unreachable:
            assert_never(unreachable)


def _noted(told: str, note: str | None, say: Saying) -> str:
    return say.said("{told} ({note})", told=told, note=" ".join(note.split())) if note else told
