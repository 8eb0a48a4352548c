"""How facts about invoices change what each one shows, and which stands in whose place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from ledger.state.entities import Exchange, Invoice, Refund, RefundStatus, Reservation
from ledger.state.invoice_contents import (
    Contents,
    bought,
    carried,
    shows,
    with_refund,
    with_value,
    without_units,
    without_value,
)
from ledger.state.reading import Change, Key, State, existing
from ledger.values.money import Minor
from ledger.vocabulary.envelope import FIRST_EDITION, EventMeta
from ledger.vocabulary.events import InvoiceIssued
from ledger.vocabulary.shapes import InvoiceLineKind, PaymentMethod


class Bought(NamedTuple):
    """A reservation just bought, and the invoice its purchase names, if any."""

    reservation_id: str
    reservation: Reservation
    invoice_id: str | None


def standing(state: State, account_id: str, invoice_id: str) -> str:
    """The invoice that stands in this one's place by now; itself while it is not cancelled.

    It ends: an invoice is only ever replaced by one that was not there before.
    """
    found = state.find(Invoice, account_id, invoice_id)
    while found is not None and found.replaced_by is not None:
        invoice_id = found.replaced_by
        found = state.find(Invoice, account_id, invoice_id)
    return invoice_id


def purchased(state: State, meta: EventMeta, purchases: Iterable[Bought]) -> list[Change]:
    """The invoices with these purchases on them, where they name one. Several add up.

    The first edition counted only the last of several purchases of one exchange.
    """
    shown: dict[str, Invoice] = {}
    for reservation_id, reservation, invoice_id in purchases:
        if invoice_id is None:
            continue
        current = standing(state, meta.account_id, invoice_id)
        before = state.find(Invoice, meta.account_id, current) or Invoice()
        more = shown.get(current, before)
        counted = before if meta.edition == FIRST_EDITION else more
        shown[current] = replace(
            more,
            purchased=counted.purchased + reservation.total,
            purchases=(*more.purchases, bought(reservation_id, reservation)),
        )
    return [(Key(Invoice, meta.account_id, current), each) for current, each in shown.items()]


def issued(state: State, meta: EventMeta, event: InvoiceIssued) -> list[Change]:
    """The new invoice, those it stands in place of, and the refunds and purchases it shows."""
    account_id = meta.account_id
    shown = Invoice(
        purchased=_sum(event, InvoiceLineKind.PURCHASE),
        refunded=-_sum(event, InvoiceLineKind.REFUND),
        purchases=event.purchases,
    )
    if event.refund_id is None:
        return [(Key(Invoice, account_id, event.invoice_id), shown)]
    exchange = netted_exchange(state, account_id, event.refund_id)
    if meta.edition == FIRST_EDITION:
        shown = replace(shown, purchases=contents_after(state, account_id, event.refund_id))
    changes: list[Change] = [(Key(Invoice, account_id, event.invoice_id), shown)]
    for refund_id in (event.refund_id,) if exchange is None else exchange.refund_ids:
        refund = existing(state, Refund, account_id, refund_id)
        changes.append((Key(Refund, account_id, refund_id), replace(refund, invoiced=True)))
        changes += _replaced(state, account_id, _reservation(state, account_id, refund), event)
    for reservation_id in () if exchange is None else exchange.reservation_ids:
        new = existing(state, Reservation, account_id, reservation_id)
        stood = shown_on(state, account_id, reservation_id, new)
        if stood is not None and meta.edition != FIRST_EDITION:
            changes += _replaced(state, account_id, new, event)
        on_it = replace(new, invoice_id=event.invoice_id)
        changes.append((Key(Reservation, account_id, reservation_id), on_it))
    return changes


def contents_after(state: State, account_id: str, refund_id: str) -> Contents:
    """What the invoice shows that is issued for a refund; of an exchange by invoice, for all of it.

    By hand: r-1, 100.00, and r-2, 200.00, on inv-1; r-1 goes for n-1, 150.00: r-2 is carried, n-1
    stands there with 100.00 netted: PURCHASE 350.00, REFUND −100.00, total 250.00. Then r-2 is
    refunded: PURCHASE 350.00, REFUND −300.00, total 50.00.
    """
    refund = existing(state, Refund, account_id, refund_id)
    exchange = netted_exchange(state, account_id, refund_id)
    if exchange is None:
        reservation_id = refund.source.id
        held = _reservation(state, account_id, refund)
        assert held.invoice_id is not None
        shown = _contents(state, account_id, standing(state, account_id, held.invoice_id))
        if not shows(shown, reservation_id):
            shown = (*shown, bought(reservation_id, held))
        return carried(with_refund(shown, reservation_id, refund.amount), but=(reservation_id,))
    shown = tuple(
        each
        for invoice_id in cancelled_by(state, account_id, exchange)
        for each in _contents(state, account_id, invoice_id)
    )
    value = 0
    for leg_id, quantity in zip(exchange.refund_ids, exchange.returned_quantities, strict=True):
        leg = existing(state, Refund, account_id, leg_id)
        source = _reservation(state, account_id, leg)
        shown = without_units(shown, leg.source.id, quantity, source)
        value += 0 if leg.status is RefundStatus.CORRECTED else leg.amount
    shown = carried(shown)
    for reservation_id in exchange.reservation_ids:
        if not shows(shown, reservation_id):
            new = existing(state, Reservation, account_id, reservation_id)
            shown = (*shown, bought(reservation_id, new))
    return with_value(shown, exchange.reservation_ids, value)


def cancelled_by(state: State, account_id: str, exchange: Exchange) -> dict[str, str]:
    """The invoices that an exchange by invoice cancels, each with the first leg that is on it.

    Those of what is returned; and of what is bought, should it be on one already.
    """
    found = of_the_returned(state, account_id, exchange)
    for reservation_id in exchange.reservation_ids:
        new = existing(state, Reservation, account_id, reservation_id)
        there = shown_on(state, account_id, reservation_id, new)
        if there is not None:
            found.setdefault(there, exchange.refund_ids[0])
    return found


def of_the_returned(state: State, account_id: str, exchange: Exchange) -> dict[str, str]:
    """The standing invoices of what is returned, each with the first leg that is on it."""
    found: dict[str, str] = {}
    for leg_id in exchange.refund_ids:
        leg = existing(state, Refund, account_id, leg_id)
        first = _reservation(state, account_id, leg).invoice_id
        if first is not None:
            found.setdefault(standing(state, account_id, first), leg_id)
    return found


def shown_on(
    state: State, account_id: str, reservation_id: str, reservation: Reservation
) -> str | None:
    """The standing invoice that shows a purchase; None where none does."""
    if reservation.invoice_id is None:
        return None
    current = standing(state, account_id, reservation.invoice_id)
    return current if shows(_contents(state, account_id, current), reservation_id) else None


def netted_exchange(state: State, account_id: str, refund_id: str) -> Exchange | None:
    """The exchange that a returned leg is netted in; None where it goes back another way."""
    refund = existing(state, Refund, account_id, refund_id)
    if refund.exchange_id is None:
        return None
    if _reservation(state, account_id, refund).payment.method is not PaymentMethod.INVOICE:
        return None
    return state.find(Exchange, account_id, refund.exchange_id)


def corrected(state: State, meta: EventMeta, refund_id: str, refund: Refund) -> list[Change]:
    """The invoice without a refund that counts no more: the next one issued will not show it.

    Where no leg of an exchange is left to be netted, its purchases stand on the invoices they name.
    """
    account_id = meta.account_id
    exchange = netted_exchange(state, account_id, refund_id)
    if not refund.invoiced:
        return [] if exchange is None else _not_netted(state, meta, refund_id, exchange)
    reservation_id = refund.source.id if exchange is None else exchange.reservation_ids[0]
    reservation = existing(state, Reservation, account_id, reservation_id)
    assert reservation.invoice_id is not None
    current = standing(state, account_id, reservation.invoice_id)
    shown = existing(state, Invoice, account_id, current)
    if exchange is None:
        purchases = with_refund(shown.purchases, reservation_id, -refund.amount)
    else:
        purchases = without_value(shown.purchases, exchange.reservation_ids, refund.amount)
    less = replace(shown, refunded=shown.refunded - refund.amount, purchases=purchases)
    return [(Key(Invoice, account_id, current), less)]


def _not_netted(state: State, meta: EventMeta, refund_id: str, exchange: Exchange) -> list[Change]:
    """Of an exchange whose legs were worth nothing the purchases stand there from the beginning."""
    account_id = meta.account_id
    others = (
        existing(state, Refund, account_id, leg_id)
        for leg_id in exchange.refund_ids
        if leg_id != refund_id
    )
    if meta.edition == FIRST_EDITION or any(
        leg.status is not RefundStatus.CORRECTED for leg in others
    ):
        return []
    new = (
        (reservation_id, existing(state, Reservation, account_id, reservation_id))
        for reservation_id in exchange.reservation_ids
    )
    not_yet = (
        Bought(reservation_id, held, held.invoice_id)
        for reservation_id, held in new
        if shown_on(state, account_id, reservation_id, held) is None
    )
    return purchased(state, meta, not_yet)


def _contents(state: State, account_id: str, invoice_id: str) -> Contents:
    shown = state.find(Invoice, account_id, invoice_id)
    return () if shown is None else shown.purchases


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
    return existing(state, Reservation, account_id, refund.source.id)


def _sum(event: InvoiceIssued, kind: InvoiceLineKind) -> Minor:
    return sum(line.amount for line in event.lines if line.kind is kind)
