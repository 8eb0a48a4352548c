"""Faults between commands, events and dead letters, and in time; each returns its place."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.log.seam import Topic
from ledger.values.ids import derived_id
from ledger.vocabulary.commands import OpenAccount
from ledger.vocabulary.events import (
    AccountOpened,
    BalanceCredited,
    CommandRefused,
    InstanceIsolated,
    InstanceRestored,
    RefundIssued,
    RefundSettled,
)
from ledger.vocabulary.shapes import AccountType
from ledger.wire.avro.codec import decode_command, decode_event
from tests.ledger.audit.ledgers import BILLING, ONLINE, value_of
from tests.ledger.audit.recorded import Place, RecordedLog, event_at, put


def command_gone(s: RecordedLog) -> Place:
    partition, place = s.find(AccountOpened)
    del s.commands(partition)[0]
    return event_at(s.events(partition)[place])


def command_changed(s: RecordedLog) -> Place:
    opened = OpenAccount(account_type=AccountType.EA, us_government=False, currency="CNY")
    put(s, Topic.COMMANDS, 0, 0, value=value_of(ONLINE, "open", opened, BILLING))
    partition, place = s.find(AccountOpened)
    return event_at(s.events(partition)[place])


def command_unreadable(s: RecordedLog) -> Place:
    put(s, Topic.COMMANDS, 0, 0, value=b"rubbish")
    partition, place = s.find(AccountOpened)
    return event_at(s.events(partition)[place])


def other_command_id(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(InstanceRestored, causation_id="c-99"))


def other_actor(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(InstanceRestored, actor=BILLING))


def other_approval(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(InstanceRestored, approved_by="nobody"))


def other_digest(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(InstanceRestored, command_digest=bytes(32)))


def other_source_partition(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(InstanceRestored, source_partition=1))


def cause_renamed(s: RecordedLog) -> Place:
    """The refund that a settlement answers goes by another id now."""
    s.forge_meta(RefundIssued, event_id=derived_id("another"))
    partition, place = s.find(BalanceCredited)
    return event_at(s.events(partition)[place])


def event_id_reused(s: RecordedLog) -> Place:
    partition, place = s.find(InstanceIsolated)
    used = decode_event(s.events(partition)[place].value).meta.event_id
    return event_at(s.forge_meta(InstanceRestored, event_id=used))


def outcome_dropped(s: RecordedLog) -> Place:
    """A refusal never was, and the chain says so too."""
    partition, place = s.find(CommandRefused)
    source = decode_event(s.events(partition)[place].value).meta.source_offset
    del s.events(partition)[place]
    s.reseal(partition)
    return (Topic.COMMANDS, partition, source)


def last_outcome_dropped(s: RecordedLog) -> Place:
    """Only the decider's own offset tells that the last command was decided."""
    source = decode_event(s.events(1)[-1].value).meta.source_offset
    while decode_event(s.events(1)[-1].value).meta.source_offset == source:
        del s.events(1)[-1]
    return (Topic.COMMANDS, 1, source)


def half_an_outcome(s: RecordedLog) -> Place:
    partition, place = s.find(RefundSettled)
    source = decode_event(s.events(partition)[place].value).meta.source_offset
    del s.events(partition)[place]
    s.reseal(partition)
    return (Topic.COMMANDS, partition, source)


def decided_twice(s: RecordedLog) -> Place:
    """The redelivery of a return led to a second isolation."""
    partition, place = s.find(InstanceIsolated)
    meta = decode_event(s.events(partition)[place].value).meta
    again = next(
        record.offset
        for record in s.commands(partition)
        if record.offset > meta.source_offset
        and decode_command(record.key, record.value or b"").meta.command_id == meta.causation_id
    )
    later = next(
        number
        for number, record in enumerate(s.events(partition))
        if decode_event(record.value).meta.source_offset > again
    )
    return event_at(s.copy(partition, place, later, {"source_offset": again, "count": 1}))


def one_event_too_many(s: RecordedLog) -> Place:
    partition, place = s.find(RefundSettled)
    return event_at(s.copy(partition, place, place + 1, {}))


def outcome_moved_to_the_end(s: RecordedLog) -> Place:
    partition, place = s.find(CommandRefused)
    found = s.events(partition)
    source = decode_event(found[place].value).meta.source_offset
    found.append(replace(found[place], offset=found[-1].offset + 5))
    del found[place]
    s.reseal(partition)
    return (Topic.COMMANDS, partition, source)


def letter_changed(s: RecordedLog) -> Place:
    return put(s, Topic.DEAD_LETTERS, 0, 0, value=b"other rubbish")


def letter_of_another_key(s: RecordedLog) -> Place:
    return put(s, Topic.DEAD_LETTERS, 0, 0, key=b"acct-9")


def letter_without_the_original_headers(s: RecordedLog) -> Place:
    headers = s.letters(0)[0].headers[1:]
    return put(s, Topic.DEAD_LETTERS, 0, 0, headers=headers)


def letter_of_no_command(s: RecordedLog) -> Place:
    return put(s, Topic.DEAD_LETTERS, 0, 0, headers=_renamed(s, "offset", b"9999"))


def letter_of_another_topic(s: RecordedLog) -> Place:
    return put(s, Topic.DEAD_LETTERS, 0, 0, headers=_renamed(s, "topic", b"refunds.events.v1"))


def letter_without_a_reason(s: RecordedLog) -> Place:
    headers = _renamed(s, "exception.class.name", b"BAD_LUCK")
    return put(s, Topic.DEAD_LETTERS, 0, 0, headers=headers)


def letter_sent_twice(s: RecordedLog) -> Place:
    letter = s.letters(0)[0]
    s.letters(0).append(replace(letter, offset=letter.offset + 2))
    return (Topic.DEAD_LETTERS, 0, letter.offset + 2)


def letter_of_a_decided_command(s: RecordedLog) -> Place:
    command = s.commands(0)[0]
    source = str(command.offset).encode()
    headers = (*command.headers, *_renamed(s, "offset", source)[1:])
    return put(s, Topic.DEAD_LETTERS, 0, 0, key=command.key, value=command.value, headers=headers)


def letter_lost(s: RecordedLog) -> Place:
    source = dict(s.letters(0)[0].headers)["__connect.errors.offset"]
    s.letters(0).clear()
    return (Topic.COMMANDS, 0, int(source))


def _renamed(s: RecordedLog, name: str, value: bytes) -> tuple[tuple[str, bytes], ...]:
    name = f"__connect.errors.{name}"
    return tuple((n, value if n == name else was) for n, was in s.letters(0)[0].headers)


def back_in_time(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(InstanceRestored, recorded_at=1, occurred_at=1))


def later_than_its_command(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(RefundIssued, -1, recorded_at=2**52))


def occurred_in_the_future(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(InstanceRestored, occurred_at=2**52))


def after_the_year_9999(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(InstanceRestored, recorded_at=2**62, occurred_at=2**62))


def occurred_after_the_year_9999(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(InstanceRestored, occurred_at=2**62))


def before_the_year_1(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(InstanceRestored, recorded_at=-(2**62)))
