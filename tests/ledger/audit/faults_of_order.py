"""Faults in the bytes and the order of a log. Each returns the place at which it is to be found."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.log.seam import Topic
from ledger.vocabulary.events import LedgerOpened, MarketplacePurchaseRecorded, RefundSettled
from tests.ledger.audit.recorded import Place, RecordedLog, event_at, put, with_body, with_meta


def unknown_schema(s: RecordedLog) -> Place:
    return put(s, Topic.EVENTS, 0, 4, value=b"\xc3\x01" + bytes(8) + b"rest")


def torn_body(s: RecordedLog) -> Place:
    value = s.events(0)[-1].value or b""
    return put(s, Topic.EVENTS, 0, -1, value=value[:60])


def trailing_byte(s: RecordedLog) -> Place:
    return put(s, Topic.EVENTS, 0, -1, value=(s.events(0)[-1].value or b"") + b"\x00")


def overlong_number(s: RecordedLog) -> Place:
    """The count of postings, 0, written in two bytes: fastavro reads it all the same."""
    partition, place = s.find(RefundSettled, -1)
    value = s.events(partition)[place].value or b""
    ending = b"\x00" + b"\x06USD"
    assert value.endswith(ending)
    longer = value.removesuffix(ending) + b"\x80\x00" + b"\x06USD"
    return put(s, Topic.EVENTS, partition, place, value=longer)


def opening_gone(s: RecordedLog) -> Place:
    del s.events(0)[0]
    return event_at(s.events(0)[0])


def nothing_opened(s: RecordedLog) -> Place:
    s.events(1).clear()
    return (Topic.EVENTS, 1, 0)


def opened_twice(s: RecordedLog) -> Place:
    return event_at(s.copy(1, 0, 3, {}))


def other_partition_count(s: RecordedLog) -> Place:
    return event_at(s.forge(LedgerOpened, 1, partition_count=3))


def partition_of_another_ledger(s: RecordedLog) -> Place:
    return event_at(s.forge(LedgerOpened, 1, topic_ids={"refunds.events.v1": "another"}))


def other_key(s: RecordedLog) -> Place:
    return put(s, Topic.EVENTS, 0, 5, key=b"acct-9")


def other_partition(s: RecordedLog) -> Place:
    """Everything of one partition in the place of the other's."""
    for topic in Topic:
        found = s.records[topic]
        found[1] = [replace(each, partition=1) for each in found[0]]
    return event_at(s.events(1)[1])


def event_dropped(s: RecordedLog) -> Place:
    del s.events(0)[5]
    return event_at(s.events(0)[5])


def events_swapped(s: RecordedLog) -> Place:
    found = s.events(0)
    first, second = found[7], found[8]
    found[7], found[8] = (
        replace(second, offset=first.offset),
        replace(first, offset=second.offset),
    )
    return event_at(found[7])


def event_doubled(s: RecordedLog) -> Place:
    found = s.events(0)
    found.append(replace(found[-1], offset=found[-1].offset + 5))
    return event_at(found[-1])


def account_sequence_skipped(s: RecordedLog) -> Place:
    last = len(s.events(0)) - 1
    return event_at(s.alter(0, last, lambda event: with_meta(event, sequence=99)))


def chain_broken(s: RecordedLog) -> Place:
    """An amount is changed, and nothing else: the next event tells."""
    partition, place = s.find(MarketplacePurchaseRecorded)
    s.alter(partition, place, lambda event: with_body(event, vendor_id="v-9"))
    return event_at(s.events(partition)[place + 1])
