"""An audit from the place where a clean one ended finds what an audit of the whole log finds."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from ledger.audit import (
    AuditReport,
    Begin,
    Divergence,
    Place,
    PlaceRefused,
    audit,
    place_of,
    place_to_bytes,
)
from ledger.log.seam import Topic
from ledger.values.instants import DAY
from ledger.vocabulary.commands import OpenAccount
from ledger.vocabulary.events import RefundIssued
from ledger.vocabulary.shapes import AccountType
from ledger.wire.avro.codec import decode_event
from tests.bodies import line, order, paid, returning
from tests.ledger.audit import faults_of_letters as letters
from tests.ledger.audit.ledgers import BILLING, START, SUPPORT, MemoryLedger
from tests.ledger.audit.recorded import RecordedLog

ACCOUNTS = tuple(f"a-{number}" for number in range(6))
NEW = ACCOUNTS[0]
YEAR = 365 * DAY


def begun() -> MemoryLedger:
    """A ledger with some accounts; one command of each cannot be read."""
    return begun_with(MemoryLedger())


def begun_with(ledger: MemoryLedger) -> MemoryLedger:
    """The same in a ledger that may have some of it."""
    online = OpenAccount(account_type=AccountType.ONLINE, us_government=False, currency="CNY")
    for account in ACCOUNTS:
        ledger.give(account, "open", BILLING, online)
        first = order(f"o-{account}", line(f"i-{account}", paid(20_000)), starts_at=START)
        ledger.give(account, "order", BILLING, first)
        ledger.garbage(account)
    return ledger


def continued(ledger: MemoryLedger) -> RecordedLog:
    """One of its accounts returns what it bought before, and a new one comes."""
    ledger.give(NEW, "return", SUPPORT, returning(f"i-{NEW}"))
    ledger.give(NEW, "return", SUPPORT, returning(f"i-{NEW}"))
    ledger.garbage(NEW)
    online = OpenAccount(account_type=AccountType.ONLINE, us_government=False, currency="CNY")
    ledger.give("b-1", "open", BILLING, online)
    return ledger.recorded()


def sealed(log: RecordedLog, begins: Mapping[int, Begin] | None = None) -> AuditReport:
    return audit(log, "anybody", begins=begins, sealed=True)


def first_ends(ledger: MemoryLedger) -> dict[int, Begin]:
    report = sealed(ledger.recorded())
    assert report.divergences == ()
    assert len(report.ends) == 2
    return report.ends


def found(log: RecordedLog, begins: Mapping[int, Begin] | None = None) -> dict[str, Divergence]:
    report = audit(log, "anybody", begins=begins)
    return {each.check: each for each in report.divergences}


def test_only_accounts_with_something_new_are_looked_at_again() -> None:
    ledger = begun()
    ends = first_ends(ledger)
    log = continued(ledger)
    whole, part = sealed(log), sealed(log, ends)
    assert part.divergences == ()
    others = len(ACCOUNTS) - 1
    assert part.left_out == (3 * others, 2 * others + 2)  # of each partition the opening, too
    assert part.commands == whole.commands - part.left_out[0]
    assert part.events == whole.events - part.left_out[1]
    assert part.dead_letters == whole.dead_letters - others


def test_a_partition_without_a_command_begins_behind_its_opening() -> None:
    ledger = MemoryLedger()
    online = OpenAccount(account_type=AccountType.ONLINE, us_government=False, currency="CNY")
    ledger.give(NEW, "open", BILLING, online)
    ends = first_ends(ledger)
    assert min(each.commands for each in ends.values()) == 0
    assert found(continued(begun_with(ledger)), ends) == {}


def test_it_ends_where_an_audit_of_the_whole_log_ends() -> None:
    ledger = begun()
    ends = first_ends(ledger)
    log = continued(ledger)
    assert sealed(log, ends).ends == sealed(log).ends != ends


def test_a_fault_behind_the_place_is_found_as_in_the_whole_log() -> None:
    ledger = begun()
    ends = first_ends(ledger)
    changes: tuple[dict[str, object], ...] = (
        {"amount": 1},
        {"refund_id": "another"},
        {"postings": ()},
    )
    for change in changes:
        log = continued(ledger)
        log.forge(RefundIssued, 0, **change)
        assert found(log, ends) == found(log) != {}


def test_a_fault_that_the_earlier_records_show_is_found() -> None:
    """The new event has the id of one before the place."""
    ledger = begun()
    ends = first_ends(ledger)
    log = continued(ledger)
    partition, _ = log.find(RefundIssued)
    old = next(
        decode_event(each.value)
        for each in log.events(partition)
        if each.offset < ends[partition].events and each.key == NEW.encode()
    )
    log.forge_meta(RefundIssued, event_id=old.meta.event_id)
    assert found(log, ends)["causes_exist"].found == f"event id {old.meta.event_id} once more"


def test_the_checks_of_the_log_go_on_from_the_last_event_before_the_place() -> None:
    ledger = begun()
    ends = first_ends(ledger)
    falsified = {
        number: replace(
            each, last_hash=bytes(32), log_sequence=1, recorded_at=START + YEAR, edition=3
        )
        for number, each in ends.items()
    }
    told = found(continued(ledger), falsified)
    assert told.keys() == {"hash_chain", "gapless_sequences", "instants", "same_verdict"}


@pytest.mark.parametrize("topic", list(Topic))
def test_a_record_that_was_changed_before_the_place_is_refused(topic: Topic) -> None:
    ledger = begun()
    ends = first_ends(ledger)
    log = continued(ledger)
    partition = next(number for number, each in enumerate(log.records[topic]) if each)
    log.records[topic][partition][0] = replace(log.records[topic][partition][0], appended_at=1)
    with pytest.raises(PlaceRefused, match=f"of {topic}: the records before offset"):
        sealed(log, ends)


def closed(reason: str | None, *, later_letters: bool) -> RecordedLog:
    """Its first letter is closed, before or after the other letters; without a reason it is not."""
    log = begun().recorded()
    found = log.letters(0)
    later = found[1:] if later_letters else []
    del found[len(found) - len(later) :]
    if reason is not None:
        letters.closed(log, reason=reason)
    found += [replace(each, offset=each.offset + 100) for each in later]
    return log


@pytest.mark.parametrize("later_letters", [True, False])
@pytest.mark.parametrize("reason", ["another", None], ids=["changed", "gone"])
def test_a_resolution_that_was_changed_before_the_place_is_refused(
    reason: str | None, *, later_letters: bool
) -> None:
    ends = sealed(closed("a load test", later_letters=later_letters)).ends
    again = sealed(closed("a load test", later_letters=later_letters), ends)
    assert (again.divergences, again.ends) == ((), ends)
    with pytest.raises(PlaceRefused, match=f"of {Topic.DEAD_LETTERS}"):
        sealed(closed(reason, later_letters=later_letters), ends)


def test_a_resolution_behind_a_letter_that_is_not_decided_is_behind_the_place() -> None:
    log = closed("a load test", later_letters=False)
    *_, last_letter, resolution = log.letters(0)
    decided = max(each.offset for each in log.commands(0) if each.value == last_letter.value)
    log.decided[0] = decided
    ends = sealed(log).ends
    assert ends[0].dead_letters <= last_letter.offset < resolution.offset
    log.decided[0] = decided + 1
    assert sealed(log, ends).ends == sealed(log).ends


def test_a_log_that_ends_before_the_place_is_refused() -> None:
    ends = first_ends(begun())
    with pytest.raises(PlaceRefused, match="it is of another log"):
        sealed(MemoryLedger().recorded(), ends)


def test_an_audit_that_is_not_clean_ends_nowhere() -> None:
    log = continued(begun())
    log.forge(RefundIssued, amount=1)
    assert sealed(log).ends == {}


def test_a_place_is_read_from_its_file_and_a_changed_file_is_refused() -> None:
    place = Place(audited_at="2026-11-30T00:00:00Z", release="0.3.0", ends=first_ends(begun()))
    content = place_to_bytes(place)
    assert place_of(content) == place
    with pytest.raises(PlaceRefused, match="was changed"):
        place_of(content.replace(b'"release": "0.3.0"', b'"release": "0.3.1"'))
    with pytest.raises(PlaceRefused, match="is no place of an audit"):
        place_of(b"{}")
