"""Faults in the figures, the chain being made good again; each returns its place."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.vocabulary.events import (
    BalanceCredited,
    RefundIssued,
    RefundSettled,
    ReservationCancelled,
    ReservationExchanged,
    ReservationPurchased,
)
from ledger.vocabulary.shapes import Parts, Side
from ledger.wire.avro.codec import decode_event
from tests.ledger.audit.recorded import Place, RecordedLog, event_at


def one_side_changed(s: RecordedLog) -> Place:
    partition, place = s.find(RefundIssued)
    body = decode_event(s.events(partition)[place].value).body
    assert isinstance(body, RefundIssued)
    first, *others = body.postings
    more = (replace(first, amount=first.amount + 1), *others)
    return event_at(s.forge(RefundIssued, postings=more))


def balanced_only_across_transactions(s: RecordedLog) -> Place:
    partition, place = s.find(ReservationExchanged)
    body = decode_event(s.events(partition)[place].value).body
    assert isinstance(body, ReservationExchanged)
    moved = tuple(
        replace(line, transaction=1) if line.side is Side.CREDIT else line for line in body.postings
    )
    return event_at(s.forge(ReservationExchanged, postings=moved))


def negative_posting(s: RecordedLog) -> Place:
    partition, place = s.find(RefundIssued)
    body = decode_event(s.events(partition)[place].value).body
    assert isinstance(body, RefundIssued)
    turned = tuple(replace(line, amount=-line.amount) for line in body.postings)
    return event_at(s.forge(RefundIssued, postings=turned))


def amount_changed(s: RecordedLog) -> Place:
    return event_at(s.forge(RefundIssued, amount=1))


def parts_changed(s: RecordedLog) -> Place:
    return event_at(s.forge(RefundIssued, parts=Parts(cash=20_000, gift=20_795)))


def negative_part(s: RecordedLog) -> Place:
    return event_at(s.forge(RefundIssued, parts=Parts(cash=-1, gift=40_797)))


def exchange_does_not_add_up(s: RecordedLog) -> Place:
    return event_at(s.forge(ReservationExchanged, payable=1))


def fund_overpaid(s: RecordedLog) -> Place:
    """Gift money comes back as cash; the sum is as it was."""
    return event_at(s.forge(RefundIssued, parts=Parts(cash=40_796, gift=0)))


def instance_overpaid(s: RecordedLog) -> Place:
    return event_at(s.forge(RefundIssued, gross=40_797, fee=1))


def ended_order_refunded_again(s: RecordedLog) -> Place:
    """The second return gives back the first order's money, not the renewal's."""
    parts = Parts(cash=20_000, gift=20_796)
    return event_at(s.forge(RefundIssued, 1, gross=40_796, amount=40_796, parts=parts))


def purchase_overpaid(s: RecordedLog) -> Place:
    """Ticket by ticket each is less than what was paid."""
    parts = Parts(cash=13_334, gift=6_666)
    return event_at(s.forge(RefundIssued, 5, gross=20_000, amount=20_000, parts=parts))


def reservation_overpaid(s: RecordedLog) -> Place:
    """More than the instalment, less than the whole price."""
    parts = Parts(original=10_001)
    return event_at(s.forge(RefundIssued, 6, gross=10_001, amount=10_001, parts=parts))


def more_given_back_than_held(s: RecordedLog) -> Place:
    return event_at(s.forge(ReservationCancelled, 2, quantity=3))


def reservation_begun_in_no_year(s: RecordedLog) -> Place:
    """Its instalments cannot be counted, which the first one to be given back needs."""
    s.forge(ReservationPurchased, starts_on=2**62)
    partition, place = s.find(ReservationCancelled)
    return event_at(s.events(partition)[place])


def reservation_without_a_month(s: RecordedLog) -> Place:
    """Its instalments have no amount."""
    s.forge(ReservationPurchased, term_months=0)
    partition, place = s.find(RefundIssued, 6)
    return event_at(s.events(partition)[place])


def settled_twice(s: RecordedLog) -> Place:
    partition, place = s.find(RefundSettled)
    return event_at(s.copy(partition, place, len(s.events(partition)), {}))


def paid_out_twice(s: RecordedLog) -> Place:
    partition, place = s.find(BalanceCredited)
    return event_at(s.copy(partition, place, place + 1, {}))


def paid_out_more_than_owed(s: RecordedLog) -> Place:
    return event_at(s.forge(BalanceCredited, cash=20_001))


def paid_out_as_another_fund(s: RecordedLog) -> Place:
    return event_at(s.forge(BalanceCredited, cash=0, gift=40_796))


def paid_out_in_another_currency(s: RecordedLog) -> Place:
    return event_at(s.forge(BalanceCredited, currency="USD"))


def settled_without_paying_out(s: RecordedLog) -> Place:
    partition, place = s.find(BalanceCredited)
    del s.events(partition)[place]
    s.reseal(partition)
    return event_at(s.events(partition)[place])


def settled_though_never_issued(s: RecordedLog) -> Place:
    return event_at(s.forge(RefundSettled, refund_id="r-99"))


def issued_twice(s: RecordedLog) -> Place:
    partition, place = s.find(RefundIssued, 5)
    body = decode_event(s.events(partition)[place].value).body
    assert isinstance(body, RefundIssued)
    partition, place = s.find(RefundIssued, 4)
    first = decode_event(s.events(partition)[place].value).body
    assert isinstance(first, RefundIssued)
    return event_at(s.forge(RefundIssued, 5, refund_id=first.refund_id))
