"""Which records a decider takes: commands of this ledger, under their key, in their partition."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ledger.log.seam import LogRecord
from ledger.values.ids import partition_of
from ledger.vocabulary.envelope import GivenCommand
from ledger.wire.avro.codec import (
    Unreadable,
    UnreadableRecord,
    decode_command,
    read_command,
    wrong_key,
)


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


def examined(
    found: LogRecord, taker: Taker
) -> tuple[GivenCommand | None, tuple[UnreadableRecord, ...]]:
    """The command in a record, and every fault; the first is the one that `readable` raises.

    None, and one fault, if the value cannot be read. A wrong key hides neither a wrong partition
    nor a wrong clock.
    """
    try:
        given = read_command(found.value)
    except UnreadableRecord as fault:
        return None, (fault,)
    key_fault = wrong_key(found.key, given)
    misplaced = tuple(_misplaced(found, given, taker))
    return given, misplaced if key_fault is None else (key_fault, *misplaced)


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
