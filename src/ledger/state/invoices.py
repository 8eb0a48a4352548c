"""How facts about invoices change what each one shows, and which stands in whose place."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.state.entities import Exchange, Invoice, Refund, Reservation
from ledger.state.reading import Change, Key, State
from ledger.values.money import Minor
from ledger.vocabulary.envelope import EventMeta
from ledger.vocabulary.events import InvoiceIssued
from ledger.vocabulary.shapes import InvoiceLineKind, PaymentMethod


def standing(state: State, account_id: str, invoice_id: str) -> str:
    """The invoice that stands in this one's place by now; itself while it is not cancelled.

    It ends: an invoice is only ever replaced by one that was not there before.
    """
    found = state.find(Invoice, account_id, invoice_id)
    while found is not None and found.replaced_by is not None:
        invoice_id = found.replaced_by
        found = state.find(Invoice, account_id, invoice_id)
    return invoice_id


def purchased(state: State, meta: EventMeta, invoice_id: str | None, total: Minor) -> list[Change]:
    """The invoice with one more purchase on it, where the purchase names one."""
    if invoice_id is None:
        return []
    current = standing(state, meta.account_id, invoice_id)
    shown = state.find(Invoice, meta.account_id, current) or Invoice()
    more = replace(shown, purchased=shown.purchased + total)
    return [(Key(Invoice, meta.account_id, current), more)]


def issued(state: State, meta: EventMeta, event: InvoiceIssued) -> list[Change]:
    """The new invoice, those it stands in place of, and the refunds and purchases it shows."""
    account_id = meta.account_id
    shown = Invoice(
        purchased=_sum(event, InvoiceLineKind.PURCHASE),
        refunded=-_sum(event, InvoiceLineKind.REFUND),
    )
    changes: list[Change] = [(Key(Invoice, account_id, event.invoice_id), shown)]
    if event.refund_id is None:
        return changes
    exchange = netted_exchange(state, account_id, event.refund_id)
    for refund_id in (event.refund_id,) if exchange is None else exchange.refund_ids:
        refund = state.find(Refund, account_id, refund_id)
        assert refund is not None
        changes.append((Key(Refund, account_id, refund_id), replace(refund, invoiced=True)))
        changes += _replaced(state, account_id, _reservation(state, account_id, refund), event)
    for reservation_id in () if exchange is None else exchange.reservation_ids:
        bought = state.find(Reservation, account_id, reservation_id)
        assert bought is not None
        on_it = replace(bought, invoice_id=event.invoice_id)
        changes.append((Key(Reservation, account_id, reservation_id), on_it))
    return changes


def netted_exchange(state: State, account_id: str, refund_id: str) -> Exchange | None:
    """The exchange that a returned leg is netted in; None where it goes back another way."""
    refund = state.find(Refund, account_id, refund_id)
    assert refund is not None
    if refund.exchange_id is None:
        return None
    if _reservation(state, account_id, refund).payment.method is not PaymentMethod.INVOICE:
        return None
    return state.find(Exchange, account_id, refund.exchange_id)


def corrected(state: State, meta: EventMeta, refund: Refund) -> list[Change]:
    """The invoice without a refund that counts no more: the next one issued will not show it."""
    if not refund.invoiced:
        return []
    invoice_id = _shown_on(state, meta.account_id, refund)
    assert invoice_id is not None
    current = standing(state, meta.account_id, invoice_id)
    shown = state.find(Invoice, meta.account_id, current)
    assert shown is not None
    less = replace(shown, refunded=shown.refunded - refund.amount)
    return [(Key(Invoice, meta.account_id, current), less)]


def _shown_on(state: State, account_id: str, refund: Refund) -> str | None:
    """The invoice of what was bought for it, or else of what was given back."""
    reservation = _reservation(state, account_id, refund)
    if refund.exchange_id is None or reservation.payment.method is not PaymentMethod.INVOICE:
        return reservation.invoice_id
    exchange = state.find(Exchange, account_id, refund.exchange_id)
    assert exchange is not None
    bought = state.find(Reservation, account_id, exchange.reservation_ids[0])
    assert bought is not None
    return bought.invoice_id


def _replaced(
    state: State, account_id: str, reservation: Reservation, event: InvoiceIssued
) -> list[Change]:
    """The cancelled invoice knows its successor; so does the first one, to be found at once."""
    if reservation.invoice_id is None:
        return []
    first = reservation.invoice_id
    return [
        (
            Key(Invoice, account_id, invoice_id),
            replace(
                state.find(Invoice, account_id, invoice_id) or Invoice(),
                replaced_by=event.invoice_id,
            ),
        )
        for invoice_id in dict.fromkeys((standing(state, account_id, first), first))
        if invoice_id != event.invoice_id
    ]


def _reservation(state: State, account_id: str, refund: Refund) -> Reservation:
    reservation = state.find(Reservation, account_id, refund.source.id)
    assert reservation is not None
    return reservation


def _sum(event: InvoiceIssued, kind: InvoiceLineKind) -> Minor:
    return sum(line.amount for line in event.lines if line.kind is kind)
