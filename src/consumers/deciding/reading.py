"""Which records a decider takes: commands of this ledger, under their key, in their partition."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ledger.log.seam import LogRecord
from ledger.values.ids import partition_of
from ledger.vocabulary.envelope import GivenCommand
from ledger.wire.avro.codec import Unreadable, UnreadableRecord, decode_command, read_command


class Taker(Struct, frozen=True, kw_only=True):
    """What of a ledger a record must go with."""

    partition_count: int
    sandbox: bool


def readable(found: LogRecord, taker: Taker) -> GivenCommand:
    """The command in a record; UnreadableRecord, with the first fault, where it is none to take."""
    given = decode_command(found.key, found.value)
    for fault in _misplaced(found, given, taker):
        raise fault
    return given


def faults_of(found: LogRecord, taker: Taker) -> tuple[UnreadableRecord, ...]:
    """Every fault of a record, the one that `readable` raises first. Behind what cannot be read
    nothing more is seen; a wrong key hides neither a wrong partition nor a wrong clock.
    """
    try:
        given = decode_command(found.key, found.value)
    except UnreadableRecord as fault:
        if fault.reason is not Unreadable.WRONG_KEY:
            return (fault,)
        return (fault, *_misplaced(found, read_command(found.value), taker))
    return tuple(_misplaced(found, given, taker))


def _misplaced(found: LogRecord, given: GivenCommand, taker: Taker) -> Iterator[UnreadableRecord]:
    """What is wrong with where, or under which clock, a well-formed command stands."""
    account_id = given.meta.account_id
    home = partition_of(account_id.encode(), taker.partition_count)
    if home != found.partition:
        yield UnreadableRecord(
            Unreadable.WRONG_PARTITION,
            f"account {account_id} belongs to partition {home}, by Java's murmur2",
        )
    if taker.sandbox != (given.meta.sandbox_at is not None):
        yield UnreadableRecord(
            Unreadable.WRONG_CLOCK,
            "a sandbox takes only commands with sandbox_at"
            if taker.sandbox
            else "sandbox_at is for a sandbox; this ledger uses the broker's append time",
        )
