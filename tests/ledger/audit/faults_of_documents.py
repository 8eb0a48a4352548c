"""Faults in invoices, the chain being made good again; each returns its place.

They are planted in the log of an example with invoices, which takes the place of the one given.
"""

from __future__ import annotations

from msgspec.structs import replace

from ledger.vocabulary.events import InvoiceCancelled, InvoiceIssued
from ledger.vocabulary.shapes import InvoicedPurchase, InvoiceLine
from ledger.wire.avro.codec import decode_event
from tests.ledger.audit.recorded import Place, RecordedLog, event_at
from tests.ledger.audit.test_examples import EXAMPLES, played


def _shared(s: RecordedLog, nth: int = 0) -> InvoiceIssued:
    """The log of reservations that share invoices, and its nth issued invoice."""
    (example,) = (file for file in EXAMPLES if file.stem == "37-invoice-carried-over")
    other = played(example)
    s.records, s.decided = other.records, other.decided
    partition, place = s.find(InvoiceIssued, nth)
    body = decode_event(s.events(partition)[place].value).body
    assert isinstance(body, InvoiceIssued)
    return body


def _forge(
    s: RecordedLog, invoice: InvoiceIssued, purchases: tuple[InvoicedPurchase, ...], nth: int = 0
) -> Place:
    """Other purchases, and lines that add up with them."""
    price = sum(each.price for each in purchases)
    back = sum(each.refunded + min(each.netted, each.price - each.refunded) for each in purchases)
    first, second = invoice.lines
    lines: tuple[InvoiceLine, ...] = (
        replace(first, amount=price),
        replace(second, amount=-back),
    )
    changes = {"purchases": purchases, "lines": lines, "total": price - back}
    return event_at(s.forge(InvoiceIssued, nth, **changes))


def lines_do_not_add_up(s: RecordedLog) -> Place:
    invoice = _shared(s)
    first, second = invoice.lines
    lines = (replace(first, amount=first.amount - 1), second)
    return event_at(s.forge(InvoiceIssued, lines=lines, total=invoice.total - 1))


def total_is_negative(s: RecordedLog) -> Place:
    """As if a returned value were shown although what it paid for was given back."""
    first, second = _shared(s, 1).lines
    lines = (replace(first, amount=15_000), replace(second, amount=-30_000))
    return event_at(s.forge(InvoiceIssued, 1, lines=lines, total=-15_000, purchases=()))


def one_is_lost(s: RecordedLog) -> Place:
    """Another reservation stood on the cancelled invoice, and stands on none now."""
    invoice = _shared(s)
    return _forge(s, invoice, invoice.purchases[1:])


def one_bought_is_lost(s: RecordedLog) -> Place:
    invoice = _shared(s)
    return _forge(s, invoice, invoice.purchases[:1])


def one_stands_twice(s: RecordedLog) -> Place:
    invoice = _shared(s)
    return _forge(s, invoice, (*invoice.purchases, invoice.purchases[0]))


def one_nobody_bought(s: RecordedLog) -> Place:
    invoice = _shared(s)
    one, other = invoice.purchases
    return _forge(s, invoice, (one, other, replace(one, reservation_id="r-404")))


def price_changed(s: RecordedLog) -> Place:
    invoice = _shared(s, 2)
    one, other = invoice.purchases
    return _forge(s, invoice, (replace(one, price=one.price + 1), other), 2)


def refund_not_shown(s: RecordedLog) -> Place:
    invoice = _shared(s, 1)
    one, other = invoice.purchases
    return _forge(s, invoice, (replace(one, refunded=0), other), 1)


def another_invoice_cancelled(s: RecordedLog) -> Place:
    """What is shown on the new invoice still stands on the one that was to be cancelled."""
    _shared(s)
    s.forge(InvoiceCancelled, invoice_id="inv-77")
    partition, place = s.find(InvoiceIssued)
    return event_at(s.events(partition)[place])
