"""Documents: the standing invoices show each purchase once, with what was refunded of it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from ledger.audit.evidence import AuditedPartition, Divergence, Seen, SeenEvent, divergence
from ledger.audit.scratch import Scratch
from ledger.vocabulary.envelope import FIRST_EDITION
from ledger.vocabulary.events import (
    AccountOpened,
    InvoiceCancelled,
    InvoiceIssued,
    RefundCorrected,
    RefundIssued,
    ReservationExchanged,
    ReservationPurchased,
)
from ledger.vocabulary.shapes import InvoiceLineKind, NewReservation, PaymentMethod, SourceKind


class _Bought(Struct, kw_only=True):
    """A reservation; `kept` are the units not given back for others, `on` is the standing invoice
    that shows it, `refunded` what is shown there of it.
    """

    total: int
    quantity: int
    kept: int
    on: str | None = None
    refunded: int = 0


class _Refund(Struct, kw_only=True):
    """A refund of a reservation; `netted` if an exchange's one invoice shows it."""

    of: str
    amount: int
    netted: bool = False
    shown: bool = False


class _Books(Struct, kw_only=True):
    """The documents of one account, as its events tell them."""

    bought: dict[str, _Bought] = field(default_factory=dict)
    refunds: dict[str, _Refund] = field(default_factory=dict)
    waiting: dict[str, list[str]] = field(default_factory=dict)
    successors: dict[str, str] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)

    def standing(self, invoice_id: str) -> str:
        """The invoice in whose place another stands by now, followed to its end."""
        while invoice_id in self.successors:
            invoice_id = self.successors[invoice_id]
        return invoice_id


class Documents:
    """An issued invoice adds up, has no negative total, and shows each purchase on it once, at its
    price and with its refunds; what stood on the cancelled ones is on it too, and nothing stands
    on two. From the second edition on; of accounts opened before, that it adds up.
    """

    def __init__(self, audited: AuditedPartition) -> None:
        self._kept = Scratch()

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """Follow purchases, refunds and documents of each account."""
        if not isinstance(seen, SeenEvent) or seen.meta.edition == FIRST_EDITION:
            return
        body, account_id = seen.body, seen.meta.account_id
        if isinstance(body, InvoiceIssued):
            yield from _adds_up(seen, body)
        if isinstance(body, AccountOpened):
            self._kept.keep(_Books(), account_id)
            return
        books = self._kept.find(_Books, account_id) if isinstance(body, _HEEDED) else None
        if books is not None:
            yield from _follow(books, seen)
            self._kept.keep(books, account_id)


_HEEDED = (
    ReservationPurchased,
    ReservationExchanged,
    RefundIssued,
    RefundCorrected,
    InvoiceCancelled,
    InvoiceIssued,
)


def _follow(books: _Books, seen: SeenEvent) -> Iterator[Divergence]:
    match seen.body:
        case ReservationPurchased() as one:
            new = _Bought(total=one.total, quantity=one.quantity, kept=one.quantity)
            books.bought[one.reservation_id] = new
            if one.payment.invoice_id is not None:
                new.on = books.standing(one.payment.invoice_id)
        case ReservationExchanged() as exchange:
            _exchanged(books, exchange)
        case RefundIssued(source=source) as refund if source.kind is SourceKind.RESERVATION:
            books.refunds[refund.refund_id] = _Refund(of=source.id, amount=refund.amount)
        case RefundCorrected(refund_id=refund_id) if refund_id in books.refunds:
            _corrected(books, books.refunds[refund_id], refund_id)
        case InvoiceCancelled(invoice_id=invoice_id):
            books.cancelled.append(invoice_id)
        case InvoiceIssued() as invoice:
            yield from _issued(books, seen, invoice)
        case _:
            return


def _exchanged(books: _Books, exchange: ReservationExchanged) -> None:
    """What is paid by invoice waits for the one invoice; the rest stands on those it names."""
    by_invoice = {one.reservation_id: _by_invoice(one) for one in exchange.bought}
    nets = bool(exchange.returned_total) and all(by_invoice.values())
    for leg in exchange.returned:
        books.refunds[leg.refund_id] = _Refund(of=leg.reservation_id, amount=leg.value, netted=nets)
        books.bought[leg.reservation_id].kept -= leg.quantity if nets else 0
    for one in exchange.bought:
        new = _Bought(total=one.total, quantity=one.quantity, kept=one.quantity)
        books.bought[one.reservation_id] = new
        if nets:
            for leg in exchange.returned:
                books.waiting.setdefault(leg.refund_id, []).append(one.reservation_id)
        elif one.payment.invoice_id is not None:
            new.on = books.standing(one.payment.invoice_id)


def _by_invoice(one: NewReservation) -> bool:
    return one.payment.method is PaymentMethod.INVOICE


def _corrected(books: _Books, refund: _Refund, refund_id: str) -> None:
    """It is shown no more. Where no leg is left, what was bought stands where it says itself, which
    the next invoice must bear out.
    """
    if refund.shown and not refund.netted:
        books.bought[refund.of].refunded -= refund.amount
    books.waiting.pop(refund_id, None)


def _issued(books: _Books, seen: SeenEvent, invoice: InvoiceIssued) -> Iterator[Divergence]:
    refund = None if invoice.refund_id is None else books.refunds.get(invoice.refund_id)
    if refund is not None and not refund.netted and not refund.shown:
        refund.shown = True
        books.bought[refund.of].refunded += refund.amount
    shown = {each.reservation_id: each for each in invoice.purchases}
    for reservation_id, bought in books.bought.items():
        if bought.on in books.cancelled and reservation_id not in shown:
            bought.on = None
            if refund is None or not refund.netted or bought.kept or bought.refunded:
                yield _missing(seen, reservation_id)
        elif reservation_id in shown and bought.on not in (None, *books.cancelled):
            stands = f"{reservation_id} on one standing invoice"
            yield divergence(seen, reservation_id, expected=stands, found=f"{bought.on} shows it")
    for each in invoice.purchases:
        bought = books.bought[each.reservation_id]
        price = (2 * bought.total * each.quantity + bought.quantity) // (2 * bought.quantity)
        expected = str(max(price, each.refunded))
        if str(each.price) != expected:
            yield divergence(seen, each.reservation_id, expected=expected, found=str(each.price))
        if each.refunded != bought.refunded:
            expected = f"{bought.refunded} refunded"
            yield divergence(
                seen, each.reservation_id, expected=expected, found=f"{each.refunded} refunded"
            )
        bought.on = invoice.invoice_id
    for waiting in books.waiting.pop(invoice.refund_id or "", []):
        if waiting not in shown:
            yield _missing(seen, waiting)
    for cancelled in books.cancelled:
        books.successors[cancelled] = invoice.invoice_id
    books.cancelled.clear()


def _missing(seen: SeenEvent, reservation_id: str) -> Divergence:
    expected = f"{reservation_id} carried to the invoice in place of the cancelled one"
    return divergence(seen, reservation_id, expected=expected, found="not on it")


def _adds_up(seen: SeenEvent, invoice: InvoiceIssued) -> Iterator[Divergence]:
    prices = sum(each.price for each in invoice.purchases)
    back = sum(
        each.refunded + min(each.netted, each.price - each.refunded) for each in invoice.purchases
    )
    sums = dict.fromkeys(InvoiceLineKind, 0)
    for line in invoice.lines:
        sums[line.kind] += line.amount
    found = (sums[InvoiceLineKind.PURCHASE], sums[InvoiceLineKind.REFUND], invoice.total)
    if found != (prices, -back, prices - back):
        expected = f"purchases {prices}, refunds {-back}, total {prices - back}"
        yield divergence(seen, invoice.invoice_id, expected=expected, found=f"{found}")
    if invoice.total < 0:
        yield divergence(
            seen, invoice.invoice_id, expected="a total of 0 or more", found=str(invoice.total)
        )
    ids = [each.reservation_id for each in invoice.purchases]
    if len(set(ids)) < len(ids):
        yield divergence(
            seen, invoice.invoice_id, expected="each purchase once", found=", ".join(ids)
        )
