"""Refunds at most paid: refunds never exceed payments, in total and per fund."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from ledger.audit.evidence import AuditedPartition, Divergence, Seen, SeenEvent, divergence
from ledger.audit.kept import Kept
from ledger.values.instants import DAY, Day, Instant, add_months
from ledger.vocabulary.events import (
    InstanceDowngraded,
    InstanceOrderRecorded,
    InstanceUpgraded,
    MarketplacePurchaseRecorded,
    RefundCorrected,
    RefundIssued,
    ReservationCancelled,
    ReservationExchanged,
    ReservationPurchased,
)
from ledger.vocabulary.shapes import BillingPlan, NewReservation, Parts, SourceKind


class _Line(Struct, frozen=True):
    """An order's payment for an instance, or an upgrade's payment, which ends with its order."""

    order_id: str
    cash: int
    gift: int
    ends_at: Instant


class _Lines(Struct, frozen=True):
    """The payments for an instance of the orders that no refund has ended."""

    open: tuple[_Line, ...] = ()


class _Left(Struct, frozen=True, kw_only=True):
    """What a downgrade leaves as paid for the order that runs on; its refund is told by its id."""

    order_id: str
    cash: int
    gift: int


class _Purchase(Struct, frozen=True, kw_only=True):
    cash: int
    gift: int
    back_cash: int = 0
    back_gift: int = 0


class _Reservation(Struct, frozen=True, kw_only=True):
    """`held_at_first` is the quantity held at the first return in instalment `number`, `back` the
    amount refunded of that instalment since.
    """

    quantity: int
    held: int
    months: int
    starts_on: Day
    total: int
    monthly: bool
    number: int = 0
    held_at_first: int = 0
    back: int = 0


class _Refund(Struct, frozen=True, kw_only=True):
    kind: SourceKind
    id: str
    gross: int
    parts: Parts
    number: int = 0
    order_id: str = ""

    @property
    def cash(self) -> int:
        """In cash, a fee included, which comes off the cash."""
        return self.gross - (self.parts.gift or 0)


class RefundsAtMostPaid:
    """Per instance and the orders that a return ends, per marketplace purchase, and per reservation
    and instalment, refunds are at most the payments, in total and per fund; a downgrade's refund
    and the value that it leaves are at most the payment for its order. No more of a reservation is
    returned than is held. Corrected refunds do not count.
    """

    heeds: ClassVar[tuple[type, ...]] = (
        InstanceDowngraded,
        InstanceOrderRecorded,
        InstanceUpgraded,
        MarketplacePurchaseRecorded,
        RefundCorrected,
        RefundIssued,
        ReservationCancelled,
        ReservationExchanged,
        ReservationPurchased,
    )

    def __init__(self, audited: AuditedPartition, kept: Kept) -> None:
        self._kept = kept

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """Store the payments, and compare every refund with them."""
        if not isinstance(seen, SeenEvent):
            return ()
        if isinstance(seen.body, InstanceOrderRecorded):
            self._ordered(seen.meta.account_id, seen.body)
            return ()
        return self._others(seen)

    def _others(self, seen: SeenEvent) -> Iterator[Divergence]:
        account_id = seen.meta.account_id
        match seen.body:
            case InstanceUpgraded() as upgrade:
                self._upgraded(account_id, upgrade)
            case InstanceDowngraded(refund_id=refund_id, left=left) as smaller:
                kept = _Left(order_id=smaller.order_id, cash=left.cash, gift=left.gift)
                self._kept.keep(kept, account_id, "left", refund_id)
            case MarketplacePurchaseRecorded(purchase_id=purchase_id, paid=paid, refunded=before):
                bought = _Purchase(cash=paid.cash, gift=paid.gift)
                if before is not None:
                    bought = replace(bought, back_cash=before.cash, back_gift=before.gift)
                self._kept.keep(bought, account_id, "purchase", purchase_id)
            case ReservationPurchased() as purchase:
                self._reserved(account_id, purchase, purchase.starts_on)
                self._returned_before(account_id, purchase)
            case ReservationCancelled() as cancelled:
                yield from self._given_back(seen, cancelled.reservation_id, cancelled.quantity)
            case ReservationExchanged() as exchange:
                yield from self._exchanged(seen, exchange)
            case RefundIssued() as refund:
                yield from self._refunded(seen, refund)
            case RefundCorrected(refund_id=refund_id):
                self._corrected(account_id, refund_id)
            case _:
                return

    def _ordered(self, account_id: str, order: InstanceOrderRecorded) -> None:
        for line in order.lines:
            place = (account_id, "instance", line.instance_id)
            known = self._kept.find(_Lines, *place) or _Lines()
            paid = _Line(order.order_id, line.paid.cash, line.paid.gift, order.ends_at)
            self._kept.keep(_Lines((*known.open, paid)), *place)

    def _upgraded(self, account_id: str, upgrade: InstanceUpgraded) -> None:
        place = (account_id, "instance", upgrade.instance_id)
        known = (self._kept.find(_Lines, *place) or _Lines()).open
        paid = tuple(
            replace(line, cash=upgrade.paid.cash, gift=upgrade.paid.gift)
            for line in known
            if line.order_id == upgrade.order_id
        )
        self._kept.keep(_Lines((*known, *paid[:1])), *place)

    def _reserved(
        self, account_id: str, bought: ReservationPurchased | NewReservation, starts_on: Day
    ) -> None:
        reservation = _Reservation(
            quantity=bought.quantity,
            held=bought.quantity,
            months=bought.term_months,
            starts_on=starts_on,
            total=bought.total,
            monthly=bought.billing_plan is BillingPlan.MONTHLY,
        )
        self._kept.keep(reservation, account_id, "reservation", bought.reservation_id)

    def _returned_before(self, account_id: str, bought: ReservationPurchased) -> None:
        """Of the payment that ran then at most what it cost: of more than that nothing is left."""
        place = (account_id, "reservation", bought.reservation_id)
        held = self._kept.find(_Reservation, *place) or _NOTHING
        held = replace(held, held=held.held - (bought.returned_quantity or 0))
        if bought.returned_instalment is not None:
            held = replace(held, number=bought.returned_instalment, held_at_first=bought.quantity)
            held = replace(held, back=min(bought.refunded or 0, _instalment_paid(held)))
        self._kept.keep(held, *place)

    def _refunded(self, seen: SeenEvent, refund: RefundIssued) -> Iterator[Divergence]:
        made = _Refund(
            kind=refund.source.kind, id=refund.source.id, gross=refund.gross, parts=refund.parts
        )
        match refund.source.kind:
            case SourceKind.INSTANCE:
                account_id = seen.meta.account_id
                left = self._kept.find(_Left, account_id, "left", refund.refund_id)
                if left is None:
                    yield from self._instance(seen, made)
                else:
                    made = replace(made, order_id=left.order_id)
                    yield from self._downgraded(seen, made, left)
            case SourceKind.MARKETPLACE:
                yield from self._purchase(seen, made)
            case SourceKind.RESERVATION:
                yield from self._instalment(seen, made, refund.refund_id)
                return
        self._kept.keep(made, seen.meta.account_id, "refund", refund.refund_id)

    def _instance(self, seen: SeenEvent, made: _Refund) -> Iterator[Divergence]:
        """A return ends all running and future orders, and each is refunded once."""
        place = (seen.meta.account_id, "instance", made.id)
        lines = (self._kept.find(_Lines, *place) or _Lines()).open
        counted = [line for line in lines if line.ends_at > seen.meta.recorded_at]
        cash, gift = sum(line.cash for line in counted), sum(line.gift for line in counted)
        subject = f"instance {made.id}"
        yield from _at_most(seen, subject, "cash", cash, made.parts.cash or 0)
        yield from _at_most(seen, subject, "gift", gift, made.parts.gift or 0)
        yield from _at_most(seen, subject, "in all", cash + gift, made.gross)
        self._kept.keep(_Lines(), *place)

    def _downgraded(self, seen: SeenEvent, made: _Refund, left: _Left) -> Iterator[Divergence]:
        """The order runs on with what is left; its upgrades are in that, other orders stay."""
        place = (seen.meta.account_id, "instance", made.id)
        lines = (self._kept.find(_Lines, *place) or _Lines()).open
        own = [line for line in lines if line.order_id == left.order_id]
        cash, gift = sum(line.cash for line in own), sum(line.gift for line in own)
        subject, back = f"order {left.order_id}", made.gross - made.cash
        yield from _at_most(seen, subject, "cash with what is left", cash, made.cash + left.cash)
        yield from _at_most(seen, subject, "gift with what is left", gift, back + left.gift)
        runs_on = tuple(replace(line, cash=left.cash, gift=left.gift) for line in own[:1])
        others = tuple(line for line in lines if line.order_id != left.order_id)
        self._kept.keep(_Lines((*others, *runs_on)), *place)

    def _purchase(self, seen: SeenEvent, made: _Refund) -> Iterator[Divergence]:
        place = (seen.meta.account_id, "purchase", made.id)
        paid = self._kept.find(_Purchase, *place) or _Purchase(cash=0, gift=0)
        paid = replace(
            paid,
            back_cash=paid.back_cash + (made.parts.cash or 0),
            back_gift=paid.back_gift + (made.parts.gift or 0),
        )
        subject = f"purchase {made.id}"
        yield from _at_most(seen, subject, "cash", paid.cash, paid.back_cash)
        yield from _at_most(seen, subject, "gift", paid.gift, paid.back_gift)
        self._kept.keep(paid, *place)

    def _given_back(
        self, seen: SeenEvent, reservation_id: str, quantity: int
    ) -> Iterator[Divergence]:
        """Reduce the quantity; an instalment's first return stores the quantity held before."""
        place = (seen.meta.account_id, "reservation", reservation_id)
        held = self._kept.find(_Reservation, *place) or _NOTHING
        yield from _at_most(seen, f"reservation {reservation_id}", "quantity", held.held, quantity)
        number = _instalment_number(held, seen.meta.recorded_at // DAY)
        if number != held.number:
            held = replace(held, number=number, held_at_first=held.held, back=0)
        self._kept.keep(replace(held, held=held.held - quantity), *place)

    def _instalment(self, seen: SeenEvent, made: _Refund, refund_id: str) -> Iterator[Divergence]:
        place = (seen.meta.account_id, "reservation", made.id)
        held = self._kept.find(_Reservation, *place) or _NOTHING
        held = replace(held, back=held.back + made.gross)
        share = _half_up(_instalment_paid(held) * held.held_at_first, held.quantity or 1)
        name = f"of instalment {held.number}" if held.monthly else "in all"
        yield from _at_most(seen, f"reservation {made.id}", name, share, held.back)
        self._kept.keep(held, *place)
        noted = replace(made, number=held.number)
        self._kept.keep(noted, seen.meta.account_id, "refund", refund_id)

    def _exchanged(self, seen: SeenEvent, exchange: ReservationExchanged) -> Iterator[Divergence]:
        for leg in exchange.returned:
            yield from self._given_back(seen, leg.reservation_id, leg.quantity)
            made = _Refund(
                kind=SourceKind.RESERVATION,
                id=leg.reservation_id,
                gross=leg.value,
                parts=Parts(original=leg.value),
            )
            yield from self._instalment(seen, made, leg.refund_id)
        for bought, leg_bought in zip(exchange.bought, exchange.purchased, strict=False):
            self._reserved(seen.meta.account_id, bought, leg_bought.starts_on)

    def _corrected(self, account_id: str, refund_id: str) -> None:
        """Its amount no longer counts; the orders that the return ended stay ended."""
        made = self._kept.find(_Refund, account_id, "refund", refund_id)
        if made is None:
            return
        if made.order_id:
            self._paid_again(account_id, made)
        if made.kind is SourceKind.MARKETPLACE:
            place = (account_id, "purchase", made.id)
            paid = self._kept.find(_Purchase, *place) or _Purchase(cash=0, gift=0)
            cash, gift = made.parts.cash or 0, made.parts.gift or 0
            less = replace(paid, back_cash=paid.back_cash - cash, back_gift=paid.back_gift - gift)
            self._kept.keep(less, *place)
        if made.kind is SourceKind.RESERVATION:
            place = (account_id, "reservation", made.id)
            held = self._kept.find(_Reservation, *place) or _NOTHING
            if held.number == made.number:
                self._kept.keep(replace(held, back=held.back - made.gross), *place)

    def _paid_again(self, account_id: str, made: _Refund) -> None:
        """A downgrade's refund that was taken back counts as paid, while its order is open."""
        place = (account_id, "instance", made.id)
        lines = (self._kept.find(_Lines, *place) or _Lines()).open
        own = [line for line in lines if line.order_id == made.order_id]
        more = tuple(replace(line, cash=made.cash, gift=made.gross - made.cash) for line in own[:1])
        self._kept.keep(_Lines((*lines, *more)), *place)


_NOTHING = _Reservation(quantity=0, held=0, months=1, starts_on=0, total=0, monthly=False)


def _instalment_number(held: _Reservation, today: Day) -> int:
    """The number of the instalment on that day (UTC), from 1; an upfront payment is 1."""
    if not held.monthly:
        return 1
    return 1 + sum(add_months(held.starts_on, k) <= today for k in range(1, held.months))


def _instalment_paid(held: _Reservation) -> int:
    if not held.monthly:
        return held.total
    before = _half_up(held.total * (held.number - 1), held.months)
    return _half_up(held.total * held.number, held.months) - before


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def _at_most(
    seen: SeenEvent, subject: str, what: str, paid: int, back: int
) -> Iterator[Divergence]:
    if back > paid:
        yield divergence(
            seen, subject, expected=f"at most {paid} back, {what}", found=f"{back} back, {what}"
        )
