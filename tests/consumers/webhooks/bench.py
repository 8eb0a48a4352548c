"""A courier on a real database, a log in memory, and a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection

from consumers.webhooks import keeping
from consumers.webhooks.courier import Courier
from consumers.webhooks.hooks import Secret
from consumers.webhooks.sending import Sender, Sending
from consumers.webhooks.table import Recorded, WebhookTable
from consumers.webhooks.targets import CheckedNetwork
from ledger.values.instants import SECOND, Instant
from projector.migrations import migrate
from tests.projector.stories import START, MemorySource, Story, refused
from tests.waiting import PATIENCE_SECONDS

PARTITIONS = 3


def plain(hook_id: str, number: int, secret: bytes) -> Secret:
    """A secret as it is stored without a master key."""
    del hook_id
    return Secret(number=number, stored=secret, wrapped=False)


def unwrap(hook_id: str, secret: Secret) -> bytes:
    """The other way round."""
    del hook_id
    return secret.stored


class Bench:
    """What a test needs of the webhooks."""

    def __init__(self, connection: Connection[Any]) -> None:
        self.connection = connection
        self.now: Instant = START
        self.source = MemorySource(PARTITIONS)
        self.told: list[tuple[str, Recorded]] = []
        self._story = Story(PARTITIONS)
        self._published = dict.fromkeys(range(PARTITIONS), 0)
        self._commands = 0
        self._publish()
        self.sender = self._new_sender()
        self.courier = self.new_courier()

    def new_courier(self) -> Courier:
        """As after a start of the process."""
        table = WebhookTable(self.connection)
        return Courier(table, self.source, self.sender, _Clock(self), lambda: 0.5, self._tell)

    def killed(self) -> None:
        """The process is killed, and another one starts."""
        self.sender.close()
        self.sender = self._new_sender()
        self.courier = self.new_courier()
        self.courier.look()

    def add(self, url: str, *events: str) -> str:
        """A new hook, which the courier knows a second later."""
        hook_id, _ = keeping.add(self.connection, url, events, self.source.ends, plain)
        self.forward(SECOND)
        return hook_id

    def record(self, account: str, count: int = 1) -> None:
        """So many events of an account."""
        for _ in range(count):
            self._commands += 1
            name = f"c-{self._commands}"
            self._story.command(account, refused("ReturnInstance", name), command_id=name)
        self._publish()

    def record_all(self, accounts: Sequence[str]) -> None:
        """An event of each."""
        for account in accounts:
            self.record(account)

    def forward(self, by: Instant) -> None:
        """Move the clock."""
        self.now += by
        self.courier.look()

    def settle(self) -> None:
        """Everything that is due now is sent, and recorded."""
        busy = 1
        while busy:
            busy = self.courier.follow(0.0) + self.courier.send()
            if self.courier.sending:
                busy += self.courier.finish(PATIENCE_SECONDS)

    def queues(self, hook_id: str) -> dict[str, tuple[str, int]]:
        """State and failures in a row, by account."""
        rows = self.connection.execute(
            "SELECT account_id, state, failures FROM webhooks.queues WHERE hook_id = %s", (hook_id,)
        )
        return {account: (state, failures) for account, state, failures in rows}

    def waiting(self) -> int:
        """Deliveries of all hooks."""
        row = self.connection.execute("SELECT count(*) FROM webhooks.deliveries").fetchone()
        assert row is not None
        return int(row[0])

    def _tell(self, hook_id: str, recorded: Recorded) -> None:
        self.told.append((hook_id, recorded))

    def _publish(self) -> None:
        values = self._story.values
        self.source.append({p: each[self._published[p] :] for p, each in values.items()})
        self._published = {p: len(each) for p, each in values.items()}

    def _new_sender(self) -> Sender:
        return Sender(Sending(network=CheckedNetwork(()), clock=_Clock(self), unwrap=unwrap))


class _Clock:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def now(self) -> Instant:
        return self._bench.now


@contextmanager
def bench_on(database: str) -> Iterator[Bench]:
    """On a database of the test's own."""
    migrate(database)
    with psycopg.connect(database, autocommit=True) as connection:
        bench = Bench(connection)
        try:
            yield bench
        finally:
            bench.sender.close()
