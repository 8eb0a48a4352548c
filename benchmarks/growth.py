"""What a long life costs: one account with many refunds, many events.

Run it as `python -m benchmarks.growth [hot|events ...]`; without a name both run. `hot` gives one
account N refunds by invoice within a year and compares the last thousand with the first; `events`
compares the first hundred thousand events of open accounts with those after a million. A decider
with its file is fed by a log that keeps nothing, so that its memory is the decider's own. Only the
processor time of this process counts. For many accounts see `benchmarks.accounts`.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import kit
from benchmarks.accounts import Forgetting
from benchmarks.deciding import START, world_of
from benchmarks.log_files import follow_ups
from benchmarks.mix import commands
from consumers.deciding.decider import PartitionDecider
from consumers.deciding.store import Store
from consumers.follow_ups import command_record
from ledger.log.seam import Batch, LogRecord, Outgoing, Topic
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
ACCOUNTS = 100_000
"""Of the ledger with many events."""


class Feed(Forgetting):
    """One partition, in which a STEP passes between two commands; refunds are settled if asked."""

    def __init__(self, given: Iterator[Outgoing], settle: bool) -> None:
        super().__init__(given, 1)
        self._settle = settle
        self._ahead: list[Outgoing] = []
        self.position = 0

    def read(
        self, topic: Topic, partition: int, position: int, max_records: int, timeout_seconds: float
    ) -> Batch:
        """The next commands; or the first event."""
        if topic is Topic.EVENTS:
            return super().read(topic, partition, position, max_records, timeout_seconds)
        taken = self._ahead + list(itertools.islice(self._given, max_records - len(self._ahead)))
        self._ahead = []
        first, self.position = self.position, self.position + len(taken)
        records = tuple(_found(each, place) for place, each in enumerate(taken, start=first))
        return Batch(records=records, next_position=self.position)

    def begin_commit(
        self, partition: int, records: Sequence[Outgoing], next_offset: int, metadata: str
    ) -> None:
        """Answer each refund with the command that settles it."""
        super().begin_commit(partition, records, next_offset, metadata)
        for each in records:
            assert each.topic is Topic.EVENTS, "a dead letter"
            if self._settle:
                self._ahead += _reactions(each)


def main() -> None:
    """Run what is asked for; print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", nargs="*", choices=["hot", "events", []])
    parser.add_argument("--refunds", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=5_000_000)
    asked = parser.parse_args()
    figures: dict[str, object] = {}
    for name in asked.questions or ["hot", "events"]:
        figures[name] = hot(asked.refunds) if name == "hot" else many_events(asked.events)
    figures["peak_megabytes"] = round(kit.peak_megabytes())
    print(f"peak memory {figures['peak_megabytes']} MB")
    settings = {"refunds": asked.refunds, "events": asked.events}
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


def many_events(events: int) -> dict[str, object]:
    """µs an event from 10,000 to 100,000 after all accounts are open, which costs less than other
    events, and in each million after the first.
    """
    found: dict[str, object] = {}
    with _Ledger(commands(10 * events, START, 1, ACCOUNTS), settle=False) as ledger:
        ledger.decide_until(ACCOUNTS + 10_000)
        early = ledger.microseconds_until(ACCOUNTS + 100_000)
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

    def microseconds_of(self, commands: int) -> float:
        """What each of the next commands costs."""
        goal, start = self._feed.position + commands, time.process_time()
        while self._feed.position < goal and self._decider.step(0):
            pass
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
    return [*follow_ups(recorded, 1)] if isinstance(recorded.body, RefundIssued) else []


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
