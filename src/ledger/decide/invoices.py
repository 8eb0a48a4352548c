"""The documents of a settlement: what is cancelled, and the one new invoice in its place."""

from __future__ import annotations

from ledger.decide.facts import derived
from ledger.policies.case import Case
from ledger.state.entities import Exchange, Invoice, Refund, RefundStatus, Reservation
from ledger.state.invoice_contents import Contents, price_of, refunded_of
from ledger.state.invoices import cancelled_by, contents_after, of_the_returned, standing
from ledger.values.money import Minor
from ledger.vocabulary.events import Event, InvoiceCancelled, InvoiceIssued
from ledger.vocabulary.shapes import InvoiceLine, InvoiceLineKind


def reissued(case: Case, refund_id: str, refund: Refund) -> tuple[Event, ...]:
    """The purchase's invoice cancelled, and issued again with this refund on it too, once.

    What else stands on it is carried over. By hand: inv-1 shows 365.00; 100.00 goes back: inv-1
    cancelled, x issued with PURCHASE 365.00, REFUND −100.00, total 265.00. Another 50.00: x
    cancelled, y issued, REFUND −150.00.
    """
    held = case.the(Reservation, refund.source.id)
    if refund.invoiced or held.invoice_id is None:
        return ()
    account_id = case.given.meta.account_id
    current = standing(case.state, account_id, held.invoice_id)
    cancelled = InvoiceCancelled(invoice_id=current, refund_id=refund_id)
    invoice_id = derived(case, "invoice")
    if not case.by_first_edition:
        contents = contents_after(case.state, account_id, refund_id)
        return cancelled, _showing(case, invoice_id, refund_id, contents)
    shown = case.find(Invoice, current) or Invoice(purchased=held.total)
    refunded = shown.refunded + refund.amount
    return cancelled, _issued(case, invoice_id, refund_id, shown.purchased, refunded)


def netted(case: Case, refund_id: str, refund: Refund) -> tuple[Event, ...]:
    """With the first leg of an exchange to be settled: the invoices of all that is returned are
    cancelled, and one new invoice shows the refunds and the purchases, and what else stood there.

    It bears the id that a new purchase names for its invoice, or else a derived one. By hand:
    19,800.00 bought, 3,960.00 returned: PURCHASE 19,800.00, REFUND −3,960.00, total 15,840.00.
    """
    if refund.invoiced:
        return ()
    assert refund.exchange_id is not None
    exchange = case.the(Exchange, refund.exchange_id)
    invoice_id = _new_id(case, exchange)
    account_id = case.given.meta.account_id
    if not case.by_first_edition:
        contents = contents_after(case.state, account_id, refund_id)
        cancelled = cancelled_by(case.state, account_id, exchange)
        new = _showing(case, invoice_id, refund_id, contents)
        return *_cancelled(cancelled), new
    legs = [case.the(Refund, leg_id) for leg_id in exchange.refund_ids]
    returned = sum(leg.amount for leg in legs if leg.status is not RefundStatus.CORRECTED)
    new = _issued(case, invoice_id, refund_id, exchange.purchased_total, returned)
    return *_cancelled(of_the_returned(case.state, account_id, exchange)), new


def _cancelled(found: dict[str, str]) -> tuple[InvoiceCancelled, ...]:
    return tuple(InvoiceCancelled(invoice_id=one, refund_id=leg) for one, leg in found.items())


def _new_id(case: Case, exchange: Exchange) -> str:
    for reservation_id in exchange.reservation_ids:
        named = case.the(Reservation, reservation_id).invoice_id
        if named is not None and case.find(Invoice, named) is None:
            return named
    return derived(case, "invoice")


def _showing(case: Case, invoice_id: str, refund_id: str, contents: Contents) -> InvoiceIssued:
    """The lines are the sums of what stands on it."""
    price, refunded = price_of(contents), refunded_of(contents)
    return _issued(case, invoice_id, refund_id, price, refunded, contents)


def _issued(
    case: Case,
    invoice_id: str,
    refund_id: str,
    purchased: Minor,
    refunded: Minor,
    contents: Contents = (),
) -> InvoiceIssued:
    """The refund's line is negative: the lines add up to the total."""
    return InvoiceIssued(
        invoice_id=invoice_id,
        refund_id=refund_id,
        lines=(
            InvoiceLine(kind=InvoiceLineKind.PURCHASE, amount=purchased),
            InvoiceLine(kind=InvoiceLineKind.REFUND, amount=-refunded),
        ),
        total=purchased - refunded,
        purchases=contents,
        currency=case.account.currency,
    )
