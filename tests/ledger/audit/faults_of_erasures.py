"""Faults of erasures, the chain being made good again; each returns its place.

They are planted in a log with two erasures, which takes the place of the one given.
"""

from __future__ import annotations

from functools import cache

from msgspec.structs import replace

from ledger.vocabulary.commands import Command, EraseSubject, OpenAccount, RefundMarketplaceManually
from ledger.vocabulary.envelope import CommandMeta, GivenCommand, RecordedEvent
from ledger.vocabulary.events import Event, RefundIssued, SubjectErased
from ledger.vocabulary.sealing import AccountKey, sealed_command
from ledger.vocabulary.shapes import AccountType
from tests.ledger.audit.ledgers import BILLING, ONLINE, SUPPORT, MemoryLedger
from tests.ledger.audit.recorded import Place, RecordedLog, event_at
from tests.ledger.rules.marketplace.stories import purchase

UNDER_KEY_1 = "sealed:1:1:AAAA"


@cache
def _log() -> RecordedLog:
    ledger = _erased_once("p-1")
    give = ledger.give
    give(ONLINE, "t-late", SUPPORT, _ticket("t-late", 1))
    give(ONLINE, "t-2", SUPPORT, _ticket("t-2", 2))
    give(ONLINE, "e-again", SUPPORT, EraseSubject(key_number=1))
    give(ONLINE, "e-2", SUPPORT, EraseSubject(key_number=2))
    give(ONLINE, "t-3", SUPPORT, _ticket("t-3", 3))
    return ledger.recorded()


def _erased_once(purchase_id: str) -> MemoryLedger:
    ledger = MemoryLedger()
    give = ledger.give
    opened = OpenAccount(account_type=AccountType.ONLINE, us_government=False, currency="CNY")
    give(ONLINE, "open", BILLING, opened)
    give(ONLINE, "bought", BILLING, purchase(purchase_id))
    give(ONLINE, "t-1", SUPPORT, _ticket("t-1", 1, purchase_id))
    give(ONLINE, "e-1", SUPPORT, EraseSubject(key_number=1))
    return ledger


def log_with_an_id_like_a_text() -> RecordedLog:
    """A publisher chooses the ids; this one has the form of a text under the destroyed key."""
    ledger = _erased_once(UNDER_KEY_1)
    ledger.give(ONLINE, "t-2", SUPPORT, _ticket("t-2", 2, UNDER_KEY_1))
    return ledger.recorded()


def log_with_erasures() -> RecordedLog:
    """Texts under keys 1, 2 and 3, of which the first two are destroyed; one comes too late."""
    return _log().copied()


def number_left_out(s: RecordedLog) -> Place:
    return _forged(s, SubjectErased, 1, key_number=3)


def number_named_twice(s: RecordedLog) -> Place:
    return _forged(s, SubjectErased, 1, key_number=1)


def destroyed_key_used(s: RecordedLog) -> Place:
    return _forged(s, RefundIssued, 1, ticket=UNDER_KEY_1)


def destroyed_key_in_the_working(s: RecordedLog) -> Place:
    """The field itself names the newest key."""
    _begin(s)
    partition, place = s.find(RefundIssued, 2)

    def step_of(body: RefundIssued) -> RefundIssued:
        steps = [
            replace(step, inputs={**step.inputs, "ticket": UNDER_KEY_1}) for step in body.working
        ]
        return replace(body, working=tuple(steps))

    def changed(event: RecordedEvent) -> RecordedEvent:
        assert isinstance(event.body, RefundIssued)
        return replace(event, body=step_of(event.body))

    s.alter(partition, place, changed)
    s.reseal(partition)
    return event_at(s.events(partition)[place])


def _forged(s: RecordedLog, kind: type[Event], nth: int, **changes: object) -> Place:
    _begin(s)
    return event_at(s.forge(kind, nth, **changes))


def _begin(s: RecordedLog) -> None:
    other = log_with_erasures()
    s.records, s.decided = other.records, other.decided


def _ticket(command_id: str, number: int, purchase_id: str = "p-1") -> Command:
    asked = RefundMarketplaceManually(
        purchase_id=purchase_id, ticket=f"of {command_id}", amount=1, currency="CNY"
    )
    meta = CommandMeta(command_id=command_id, account_id=ONLINE, actor=SUPPORT)
    key = AccountKey(number=number, secret=bytes([number]) * 32)
    return sealed_command(GivenCommand(meta=meta, body=asked), key).body
