"""Faults in what a gateway said, the chain being made good again; each returns its place.

They are planted in the log of an example with two answers, which takes the place of the one given.
"""

from __future__ import annotations

from msgspec.structs import replace

from ledger.vocabulary.events import (
    CardRefundRequested,
    Event,
    GatewayAnswerRecorded,
    RefundHeld,
    RefundOverpaid,
    RefundSettled,
)
from ledger.vocabulary.shapes import GatewayAnswer
from ledger.wire.avro.codec import decode_event
from tests.ledger.audit.recorded import Place, RecordedLog, event_at
from tests.ledger.audit.test_examples import EXAMPLES, played


def answers(s: RecordedLog) -> None:
    """The log takes the place of the one given."""
    (example,) = (file for file in EXAMPLES if file.stem == "44-gateway-two-answers")
    other = played(example)
    s.records, s.decided = other.records, other.decided


def _forge(s: RecordedLog, kind: type[Event], nth: int, **changes: object) -> Place:
    answers(s)
    return event_at(s.forge(kind, nth, **changes))


def _dropped(s: RecordedLog, kind: type[Event], nth: int) -> tuple[int, int]:
    """One event is not there; where it stood."""
    answers(s)
    partition, place = s.find(kind, nth)
    del s.events(partition)[place]
    s.reseal(partition)
    return partition, place


def attempt_numbered_wrong(s: RecordedLog) -> Place:
    return _forge(s, CardRefundRequested, 3, attempt=3)


def asked_again_without_an_answer(s: RecordedLog) -> Place:
    _dropped(s, RefundHeld, 0)
    partition, place = s.find(CardRefundRequested, 3)
    return event_at(s.events(partition)[place])


def answer_of_none(s: RecordedLog) -> Place:
    return _forge(s, RefundOverpaid, 0, attempt=3)


def answer_of_attempt_0(s: RecordedLog) -> Place:
    return _forge(s, RefundOverpaid, 0, attempt=0)


def payment_booked_twice(s: RecordedLog) -> Place:
    return _forge(s, RefundOverpaid, 0, gateway_reference="g-2001")


def said_twice(s: RecordedLog) -> Place:
    return _forge(s, RefundOverpaid, 0, gateway_reference="g-2001", attempt=1)


def failure_of_what_was_confirmed(s: RecordedLog) -> Place:
    return _forge(s, GatewayAnswerRecorded, 0, attempt=1)


def payment_only_recorded(s: RecordedLog) -> Place:
    return _forge(s, GatewayAnswerRecorded, 0, answer=GatewayAnswer.CONFIRMED)


def overpaid_more_than_owed(s: RecordedLog) -> Place:
    return _forge(s, RefundOverpaid, 0, amount=1)


def overpaid_of_the_wrong_account(s: RecordedLog) -> Place:
    answers(s)
    partition, place = s.find(RefundOverpaid)
    body = decode_event(s.events(partition)[place].value).body
    assert isinstance(body, RefundOverpaid)
    debit, credit = body.postings
    owed = (replace(debit, account="refund_payable"), credit)
    return event_at(s.forge(RefundOverpaid, postings=owed))


def overpaid_while_it_was_owed(s: RecordedLog) -> Place:
    partition, place = _dropped(s, RefundSettled, 0)
    rest = s.events(partition)[place:]
    return event_at(next(e for e in rest if isinstance(decode_event(e.value).body, RefundOverpaid)))
