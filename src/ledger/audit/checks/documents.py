"""Documents: the valid invoices show each purchase once, with its refunds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from msgspec import Struct

from ledger.audit.evidence import AuditedPartition, Divergence, Seen, SeenEvent, divergence
from ledger.audit.kept import Kept
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
from ledger.vocabulary.shapes import (
    InvoicedPurchase,
    InvoiceLineKind,
    NewReservation,
    PaymentMethod,
    SourceKind,
)


class _Bought(Struct, kw_only=True):
    """A reservation. `kept` are the units that were not returned in an exchange, `on` is the valid
    invoice that shows it, `refunded` are its refunds on that invoice.
    """

    total: int
    quantity: int
    kept: int
    on: str | None = None
    refunded: int = 0


class _Refund(Struct, kw_only=True):
    """A refund of a reservation; `netted` if the invoice of an exchange shows it. That invoice must
    show the refunds that wait for it (`waits`).
    """

    of: str
    amount: int
    netted: bool = False
    shown: bool = False
    waits: tuple[str, ...] = ()


class _Invoice(Struct, kw_only=True):
    """The purchases on an invoice, and the invoice that replaces it after it is cancelled."""

    shows: tuple[str, ...] = ()
    successor: str | None = None


class Documents:
    """An issued invoice adds up, has no negative total, and shows each purchase on it once, with
    its price and its refunds; it also shows everything from the invoices that it cancels, and
    nothing is on two valid invoices. For accounts opened before the second edition, only that it
    adds up.
    """

    heeds: ClassVar[tuple[type, ...]] = (SeenEvent,)

    def __init__(self, audited: AuditedPartition, kept: Kept) -> None:
        self._books = kept
        self._cancelled: tuple[str, ...] = ()

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """Follow the purchases, refunds and documents of each account."""
        if not isinstance(seen, SeenEvent) or seen.meta.edition == FIRST_EDITION:
            return ()
        if seen.meta.index == 0:
            self._cancelled = ()
        if isinstance(seen.body, AccountOpened):
            self._books.add(seen.meta.account_id)
        return self._heeded(seen) if isinstance(seen.body, _HEEDED) else ()

    def _heeded(self, seen: SeenEvent) -> Iterator[Divergence]:
        account_id = seen.meta.account_id
        if isinstance(seen.body, InvoiceIssued):
            yield from _adds_up(seen, seen.body)
        if self._books.has(account_id):
            yield from self._follow(seen, account_id)

    def _follow(self, seen: SeenEvent, account_id: str) -> Iterator[Divergence]:
        match seen.body:
            case ReservationPurchased() as one:
                new = _Bought(total=one.total, quantity=one.quantity, kept=one.quantity)
                new.refunded = one.refunded or 0
                self._buy(account_id, one.reservation_id, new, one.payment.invoice_id)
            case ReservationExchanged() as exchange:
                self._exchanged(account_id, exchange)
            case RefundIssued(source=source) as refund if source.kind is SourceKind.RESERVATION:
                owed = _Refund(of=source.id, amount=refund.amount)
                self._books.keep(owed, account_id, "refund", refund.refund_id)
            case RefundCorrected(refund_id=refund_id):
                self._corrected(account_id, refund_id)
            case InvoiceCancelled(invoice_id=invoice_id):
                self._cancelled = (*self._cancelled, invoice_id)
            case InvoiceIssued() as invoice:
                yield from self._issued(seen, account_id, invoice)
            case _:
                return

    def _buy(self, account_id: str, reservation_id: str, new: _Bought, named: str | None) -> None:
        """Add a purchase to the valid invoice in place of the named one, if it names one."""
        if named is not None:
            new.on, invoice = self._standing(account_id, named)
            invoice.shows = (*invoice.shows, reservation_id)
            self._books.keep(invoice, account_id, "invoice", new.on)
        self._books.keep(new, account_id, "bought", reservation_id)

    def _standing(self, account_id: str, invoice_id: str) -> tuple[str, _Invoice]:
        """The valid invoice in place of this one: follows all replacements."""
        found = self._books.find(_Invoice, account_id, "invoice", invoice_id) or _Invoice()
        while found.successor is not None:
            invoice_id = found.successor
            found = self._books.find(_Invoice, account_id, "invoice", invoice_id) or _Invoice()
        return invoice_id, found

    def _exchanged(self, account_id: str, exchange: ReservationExchanged) -> None:
        """Purchases paid by invoice wait for the exchange's invoice; the others are on the invoices
        that they name.
        """
        nets = bool(exchange.returned_total) and all(map(_by_invoice, exchange.bought))
        waits = tuple(one.reservation_id for one in exchange.bought) if nets else ()
        for leg in exchange.returned:
            owed = _Refund(of=leg.reservation_id, amount=leg.value, netted=nets, waits=waits)
            self._books.keep(owed, account_id, "refund", leg.refund_id)
            held = self._books.find(_Bought, account_id, "bought", leg.reservation_id)
            if nets and held is not None:
                held.kept -= leg.quantity
                self._books.keep(held, account_id, "bought", leg.reservation_id)
        for one in exchange.bought:
            new = _Bought(total=one.total, quantity=one.quantity, kept=one.quantity)
            named = None if nets else one.payment.invoice_id
            self._buy(account_id, one.reservation_id, new, named)

    def _corrected(self, account_id: str, refund_id: str) -> None:
        """The refund is no longer shown, and no invoice waits for it."""
        refund = self._books.find(_Refund, account_id, "refund", refund_id)
        if refund is None:
            return
        if refund.shown and not refund.netted:
            self._refunded(account_id, refund.of, -refund.amount)
        refund.waits = ()
        self._books.keep(refund, account_id, "refund", refund_id)

    def _refunded(self, account_id: str, reservation_id: str, amount: int) -> None:
        bought = self._books.find(_Bought, account_id, "bought", reservation_id)
        if bought is not None:
            bought.refunded += amount
            self._books.keep(bought, account_id, "bought", reservation_id)

    def _issued(
        self, seen: SeenEvent, account_id: str, invoice: InvoiceIssued
    ) -> Iterator[Divergence]:
        refund_id = invoice.refund_id or ""
        refund = self._books.find(_Refund, account_id, "refund", refund_id)
        if refund is not None and not refund.netted and not refund.shown:
            refund.shown = True
            self._books.keep(refund, account_id, "refund", refund_id)
            self._refunded(account_id, refund.of, refund.amount)
        shown = tuple(each.reservation_id for each in invoice.purchases)
        netted = refund is not None and refund.netted
        for cancelled in self._cancelled:
            yield from self._replaced(seen, account_id, cancelled, shown, netted=netted)
        for each in invoice.purchases:
            yield from self._shown(seen, account_id, each, invoice.invoice_id)
        for waiting in () if refund is None else refund.waits:
            if waiting not in shown:
                yield _missing(seen, waiting)
        for cancelled in self._cancelled:
            gone = _Invoice(successor=invoice.invoice_id)
            self._books.keep(gone, account_id, "invoice", cancelled)
        self._books.keep(_Invoice(shows=shown), account_id, "invoice", invoice.invoice_id)
        self._cancelled = ()

    def _replaced(
        self,
        seen: SeenEvent,
        account_id: str,
        cancelled: str,
        shown: Sequence[str],
        *,
        netted: bool,
    ) -> Iterator[Divergence]:
        """The purchases of a cancelled invoice are shown, except those that an exchange returned
        completely.
        """
        found = self._books.find(_Invoice, account_id, "invoice", cancelled) or _Invoice()
        for reservation_id in found.shows:
            bought = self._books.find(_Bought, account_id, "bought", reservation_id)
            if bought is None or reservation_id in shown:
                continue
            if not netted or bought.kept or bought.refunded:
                yield _missing(seen, reservation_id)
            bought.on = None
            self._books.keep(bought, account_id, "bought", reservation_id)

    def _shown(
        self, seen: SeenEvent, account_id: str, each: InvoicedPurchase, invoice_id: str
    ) -> Iterator[Divergence]:
        """A purchase on an invoice: known, on no other invoice, with its price and its refunds."""
        reservation_id = each.reservation_id
        bought = self._books.find(_Bought, account_id, "bought", reservation_id)
        if bought is None:
            yield divergence(seen, reservation_id, expected="a purchase before", found="none")
            return
        if bought.on not in (None, *self._cancelled):
            stands = f"{reservation_id} on one standing invoice"
            yield divergence(seen, reservation_id, expected=stands, found=f"{bought.on} shows it")
        price = (2 * bought.total * each.quantity + bought.quantity) // (2 * bought.quantity)
        facts = (("price", max(price, each.refunded), each.price),)
        for name, expected, found in (*facts, ("refunded", bought.refunded, each.refunded)):
            if expected != found:
                told = (f"{name} {expected}", f"{name} {found}")
                yield divergence(seen, reservation_id, expected=told[0], found=told[1])
        bought.on = invoice_id
        self._books.keep(bought, account_id, "bought", reservation_id)


_HEEDED = (
    ReservationPurchased,
    ReservationExchanged,
    RefundIssued,
    RefundCorrected,
    InvoiceCancelled,
    InvoiceIssued,
)


def _by_invoice(one: NewReservation) -> bool:
    return one.payment.method is PaymentMethod.INVOICE


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
