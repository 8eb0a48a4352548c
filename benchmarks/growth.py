"""What a long life costs: one account with many refunds, many accounts, many events.

Run it as `python -m benchmarks.growth [hot|accounts|events ...]`; without a name all three run.
`hot` gives one account N refunds by invoice within a year and compares the last thousand with the
first; `accounts` compares a ledger of 1,000 accounts with one of a million; `events` compares the
first hundred thousand events of a ledger with those after a million. A decider with its file is
fed by a log that keeps nothing, so that its memory is the decider's own. Only the processor time of
this process counts.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import kit
from benchmarks.deciding import START, world_of
from benchmarks.mix import commands
from consumers.deciding.decider import PartitionDecider
from consumers.deciding.store import Store
from consumers.follow_ups import command_record, follow_up
from consumers.reactions import REACTIONS
from ledger.log.seam import Batch, CommitResult, Committed, LogRecord, Outgoing, Topic
from ledger.values.instants import Instant, day_of
from ledger.vocabulary.commands import (
    Command,
    OpenAccount,
    RecordReservationPurchase,
    RefundReservation,
)
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.events import RefundIssued
from ledger.vocabulary.shapes import (
    AccountType,
    Actor,
    BillingPlan,
    Payment,
    PaymentMethod,
    Role,
)
from ledger.wire.avro.codec import decode_event

STEP: Instant = 200_000_000
"""Between two commands: 100,000 refunds of the hot account take less than a year."""
BATCH = 1_000


class Feed:
    """A log that reads commands from an iterator and keeps only how many events it was given.

    It satisfies `ledger.log.seam.Log` for one partition that nobody owned before.
    """

    source = Topic.COMMANDS
    partition_count = 1

    def __init__(self, given: Iterator[Outgoing], settle: bool) -> None:
        self._given = given
        self._settle = settle
        self._ahead: list[Outgoing] = []
        self._first: LogRecord | None = None
        self.position = 0
        self.events = 0

    def owned(self, timeout_seconds: float) -> frozenset[int]:
        """The one partition."""
        return frozenset({0})

    def fence(self, partition: int) -> None:
        """Nobody else writes."""

    def committed(self, partition: int) -> Committed | None:
        """Nothing was decided before."""
        return None

    def high_watermark(self, topic: Topic, partition: int) -> int:
        """Of the events: 1 once the ledger is opened, since only the first is ever read back."""
        return int(self._first is not None)

    def read(
        self, topic: Topic, partition: int, position: int, max_records: int, timeout_seconds: float
    ) -> Batch:
        """The next commands; or the first event."""
        if topic is Topic.EVENTS:
            assert self._first is not None
            return Batch(records=(self._first,), next_position=1)
        taken = self._ahead + list(itertools.islice(self._given, max_records - len(self._ahead)))
        self._ahead = []
        first, self.position = self.position, self.position + len(taken)
        records = tuple(_found(each, place) for place, each in enumerate(taken, start=first))
        return Batch(records=records, next_position=self.position)

    def begin_commit(
        self, partition: int, records: Sequence[Outgoing], next_offset: int, metadata: str
    ) -> None:
        """Count the events; answer each refund with the command that settles it."""
        for each in records:
            assert each.topic is Topic.EVENTS, "a dead letter"
            if self._first is None:
                self._first = _found(each, 0)
            if self._settle:
                self._ahead += _reactions(each)
        self.events += len(records)

    def finish_commit(self, partition: int) -> CommitResult:
        """It is written."""
        return CommitResult.OK

    def close(self) -> None:
        """Nothing to close."""


def main() -> None:
    """Run what is asked for; print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", nargs="*", choices=["hot", "accounts", "events", []])
    parser.add_argument("--refunds", type=int, default=100_000)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=5_000_000)
    asked = parser.parse_args()
    figures: dict[str, object] = {}
    for name in asked.questions or ["hot", "accounts", "events"]:
        match name:
            case "hot":
                figures[name] = hot(asked.refunds)
            case "accounts":
                figures[name] = many_accounts(asked.accounts)
            case _:
                figures[name] = many_events(asked.events)
    figures["peak_megabytes"] = round(kit.peak_megabytes())
    print(f"peak memory {figures['peak_megabytes']} MB")
    settings = {"refunds": asked.refunds, "accounts": asked.accounts, "events": asked.events}
    kit.keep("growth", settings=settings, figures=figures)


def hot(refunds: int) -> dict[str, float]:
    """One account: µs for each refund with its purchase and settlement, first and last thousand."""
    with _Ledger(_hot_account(refunds), settle=True) as ledger:
        rounds = range(refunds // BATCH)
        spent = [3 * ledger.microseconds_of(3 * BATCH) for _ in rounds]
    first, last = min(spent[:3]), min(spent[-3:])
    print(
        f"refund 1 to 1,000 of an account: {first:.0f} µs; the last 1,000 of {refunds}: {last:.0f}"
    )
    print(f"the last cost {last / first:.2f} times as much")
    return {"first": round(first, 1), "last": round(last, 1), "ratio": round(last / first, 3)}


def many_accounts(accounts: int) -> dict[str, float]:
    """µs a command in ledgers of 1,000 accounts and of many, as many commands in each."""
    spent = {}
    count = max(100_000, accounts)
    for number in (1_000, accounts):
        with _Ledger(commands(count, START, 1, number), settle=False) as ledger:
            ledger.decide(number)  # the accounts are opened
            spent[number] = ledger.microseconds_of(count)
            print(f"{number:>9} accounts: {spent[number]:6.1f} µs a command")
    ratio = spent[1_000] / spent[accounts]
    print(f"the rate with {accounts} accounts is {ratio:.0%} of that with 1,000")
    return {"few": round(spent[1_000], 1), "many": round(spent[accounts], 1), "ratio": ratio}


def many_events(events: int) -> dict[str, object]:
    """µs an event from 10,000 to 100,000, and in each million after the first."""
    found: dict[str, object] = {}
    with _Ledger(commands(10 * events, START, 1, 100_000), settle=False) as ledger:
        ledger.decide_until(10_000)
        early = ledger.microseconds_until(100_000)
        ledger.decide_until(1_000_000)
        late = [ledger.microseconds_until(goal) for goal in range(2_000_000, events + 1, 1_000_000)]
    print(f"events 10,000 to 100,000: {early:.1f} µs each; later millions: {late}")
    found["early"], found["later"] = early, late
    found["ratio"] = ratio = early / max(late)
    print(f"the rate after a million events is {ratio:.0%} of that at the beginning")
    return found


class _Ledger:
    """A decider of one partition with its file in a folder of its own."""

    def __init__(self, given: Iterator[Outgoing], *, settle: bool) -> None:
        self._feed = Feed(given, settle)
        self._folder = tempfile.TemporaryDirectory(prefix="refunds-bench-")
        world = world_of(1, max_batch=BATCH)
        self._store = Store(Path(self._folder.name), 0, world.events_topic_id)
        self._decider = PartitionDecider(self._feed, 0, self._store, world)

    def __enter__(self) -> _Ledger:
        self._decider.restore()
        return self

    def __exit__(self, *_: object) -> None:
        self._decider.close()
        self._folder.cleanup()

    def decide(self, goal: int) -> None:
        """Decide until so many commands were decided."""
        while self._feed.position < goal and self._decider.step(0):
            pass

    def microseconds_of(self, commands: int) -> float:
        """What each of the next commands costs."""
        goal, start = self._feed.position + commands, time.process_time()
        self.decide(goal)
        return (time.process_time() - start) / commands * 1e6

    def decide_until(self, events: int) -> None:
        """Decide until so many events were written."""
        while self._feed.events < events and self._decider.step(0):
            pass

    def microseconds_until(self, events: int) -> float:
        """What each event costs from here to there."""
        before, start = self._feed.events, time.process_time()
        self.decide_until(events)
        return round((time.process_time() - start) / (self._feed.events - before) * 1e6, 1)


def _hot_account(refunds: int) -> Iterator[Outgoing]:
    """An account that buys by invoice and returns what it bought, again and again: 0.10 each."""
    opening = OpenAccount(
        account_type=AccountType.PAYG_INVOICE, us_government=False, currency="USD"
    )
    yield _record("open", opening, Role.BILLING)
    for number in range(refunds):
        yield _record(f"buy-{number}", _purchase(f"r-{number}", number), Role.BILLING)
        refund = RefundReservation(reservation_id=f"r-{number}", usd_rate="1", acknowledged=True)
        yield _record(f"refund-{number}", refund, Role.SUPPORT)


def _purchase(reservation_id: str, number: int) -> RecordReservationPurchase:
    """Of every ten on one invoice; the credits of earlier refunds pay for some."""
    return RecordReservationPurchase(
        reservation_id=reservation_id,
        product_type="VM",
        sku="small",
        region="eu-1",
        quantity=1,
        term_months=12,
        starts_on=day_of(START, "UTC"),
        total=10,
        billing_plan=BillingPlan.UPFRONT,
        payment=Payment(method=PaymentMethod.INVOICE, invoice_id=f"inv-{number}"),
        owners=("owner",),
        currency="USD",
    )


def _record(command_id: str, body: Command, role: Role) -> Outgoing:
    meta = CommandMeta(
        command_id=command_id, account_id="acct-hot", actor=Actor(id="bench", role=role)
    )
    return command_record(GivenCommand(meta=meta, body=body), 1)


def _reactions(written: Outgoing) -> list[Outgoing]:
    """The commands that the reactions send because of an event."""
    assert written.value is not None
    recorded = decode_event(written.value)
    if not isinstance(recorded.body, RefundIssued):
        return []
    return [
        command_record(follow_up(recorded.meta, reaction.__name__, index, body, sandbox_at=None), 1)
        for reaction, kinds in REACTIONS
        if isinstance(recorded.body, kinds)
        for index, body in enumerate(reaction(recorded))
    ]


def _found(record: Outgoing, offset: int) -> LogRecord:
    return LogRecord(
        partition=0,
        offset=offset,
        appended_at=START + offset * STEP // 3,
        key=record.key,
        value=record.value,
        headers=record.headers,
    )


if __name__ == "__main__":
    main()
