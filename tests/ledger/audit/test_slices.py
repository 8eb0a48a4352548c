"""An audit by slices of accounts finds what one of all accounts finds, and at the same place."""

from __future__ import annotations

from functools import cache

import pytest
from msgspec.structs import replace

from ledger.audit import Divergence, audit
from ledger.audit.account_spool import AccountSpool
from ledger.audit.evidence import SeenCommand, SeenDeadLetter, SeenEvent
from ledger.audit.reading import replayed
from ledger.audit.replay import audited_partitions
from ledger.vocabulary.commands import OpenAccount
from ledger.vocabulary.events import InstanceOrderRecorded, RefundSettled
from ledger.vocabulary.shapes import AccountType
from ledger.wire.avro.codec import decode_event
from tests.bodies import line, order, paid, returning
from tests.ledger.audit.ledgers import BILLING, START, SUPPORT, MemoryLedger
from tests.ledger.audit.recorded import RecordedLog, event_at

ACCOUNTS = tuple(f"a-{number}" for number in range(8))
ONE_SLICE, MANY_SLICES = 1_000_000, 1


@cache
def clean() -> RecordedLog:
    """Several accounts in each partition, their commands by turns; one of each cannot be read."""
    ledger = MemoryLedger()
    online = OpenAccount(account_type=AccountType.ONLINE, us_government=False, currency="CNY")
    for account in ACCOUNTS:
        ledger.give(account, "open", BILLING, online)
    for account in ACCOUNTS:
        first = order(f"o-{account}", line(f"i-{account}", paid(20_000)), starts_at=START)
        ledger.give(account, "order", BILLING, first)
        ledger.garbage(account)
    for account in ACCOUNTS:
        ledger.give(account, "return", SUPPORT, returning(f"i-{account}"))
        ledger.give(account, "return", SUPPORT, returning(f"i-{account}"))
    return ledger.recorded()


def found(log: RecordedLog, slice_records: int) -> dict[str, Divergence]:
    report = audit(log, "anybody", slice_records=slice_records)
    return {each.check: each for each in report.divergences}


@pytest.mark.parametrize("slice_records", [ONE_SLICE, 10, MANY_SLICES])
def test_a_clean_log_is_found_clean(slice_records: int) -> None:
    assert found(clean().copied(), slice_records) == {}


@pytest.mark.parametrize("slice_records", [ONE_SLICE, MANY_SLICES])
def test_the_first_fault_in_the_log_is_told_whatever_slice_it_is_in(slice_records: int) -> None:
    """The partition's refunds are all settled too early: any slice would tell of its own."""
    log = clean().copied()
    partition, _ = log.find(RefundSettled)
    settled = [
        (place, record)
        for place, record in enumerate(log.events(partition))
        if isinstance(decode_event(record.value).body, RefundSettled)
    ]
    assert len({record.key for _, record in settled}) > 1
    for place, _ in settled:
        log.alter(partition, place, lambda e: replace(e, meta=replace(e.meta, occurred_at=1)))
    log.reseal(partition)
    told = found(log, slice_records)["same_verdict"]
    assert (told.topic, told.partition, told.offset) == event_at(settled[0][1])


def test_an_event_apart_from_its_command_is_found_though_its_account_shows_it_next_to_it() -> None:
    """Between the two are only other accounts' records."""
    log = clean().copied()
    partition, place = log.find(InstanceOrderRecorded)
    event = log.events(partition)[place]
    log.events(partition)[place : place + 2] = [log.events(partition)[place + 1], event]
    told = found(log, MANY_SLICES)
    assert told["one_outcome_per_command"] == found(log, ONE_SLICE)["one_outcome_per_command"]
    assert told["one_outcome_per_command"].found == "none"


def test_a_spool_gives_back_what_it_was_given_without_the_bytes() -> None:
    log = clean().copied()
    (audited, _) = audited_partitions(log, "anybody")
    spool = AccountSpool(0, slices=5)
    given: dict[int, object] = {}
    for number, seen in enumerate(replayed(log, audited)):
        spool.put(number, seen)
        if isinstance(seen, SeenDeadLetter):
            given[number] = seen.source_offset
        elif isinstance(seen, SeenEvent):
            given[number] = (seen.record.offset, seen.meta, seen.body)
        elif isinstance(seen, SeenCommand) and seen.given is not None:
            given[number] = (seen.record.offset, seen.given, seen.digest, seen.due)
    back: dict[int, object] = {}
    for number, seen in (item for each in range(5) for item in spool.take(each)):
        match seen:
            case SeenDeadLetter():
                back[number] = seen.source_offset
            case SeenEvent():
                back[number] = (seen.record.offset, seen.meta, seen.body)
            case SeenCommand():
                back[number] = (seen.record.offset, seen.given, seen.digest, seen.due)
            case _:
                raise AssertionError(seen)
    spool.close()
    assert back == given
