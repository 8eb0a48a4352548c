"""What a backlog of webhooks costs: a receiver that is away with a million events waiting for it.

Run it as `python -m benchmarks.webhooks [--events 1000000] [--accounts 100000] [--seconds 20]`. It
starts a stack of its own. First the receiver is away for so many seconds, then it is there: printed
are the most memory of the process and its processor time for each event that is taken.
"""

from __future__ import annotations

import argparse
import time
from contextlib import closing

import psycopg

from benchmarks.stacks import Stack, stack
from consumers.webhooks import keeping
from consumers.webhooks.bodies import body_of
from devstack.system.ports import take_ports
from ledger.log.seam import Topic
from tests.consumers.webhooks.bench import plain
from tests.consumers.webhooks.receivers import Receiver
from tests.projector.stories import told

PARTITIONS = 4
SENT_AT_A_TIME = 1_000
"""More than what can be on its way when the counting ends."""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    asked = parser.parse_args()
    port = take_ports({"receiver": 0})["receiver"]
    with stack(PARTITIONS) as running, psycopg.connect(running.database_url) as connection:
        connection.autocommit = True
        empty = running.peak_megabytes()["webhooks"]
        with closing(running.tools()) as tools:
            hook, _ = keeping.add(
                connection,
                f"http://127.0.0.1:{port}/",
                (),
                lambda: tools.end_offsets(Topic.EVENTS),
                plain,
            )
        fill(connection, hook, asked.events, asked.accounts)
        time.sleep(asked.seconds)
        print(f"no hook            {empty:8.0f} MB")
        print(f"receiver away      {running.peak_megabytes()['webhooks']:8.0f} MB")
        measure(running, connection, port, asked.seconds)


def fill(connection: psycopg.Connection, hook: str, events: int, accounts: int) -> None:
    """So many events wait."""
    body = max((body_of(event) for event in told().events[3:]), key=len)
    print(f"{events} events of {accounts} accounts, {len(body)} bytes each")
    connection.execute(
        "INSERT INTO webhooks.deliveries SELECT %s, 'a-' || n %% %s, n, 'msg_' || n, %s"
        " FROM generate_series(1, %s) AS n",
        (hook, accounts, body, events),
    )
    connection.execute(
        "INSERT INTO webhooks.queues (hook_id, account_id, due_at, waits_since)"
        " SELECT %s, 'a-' || n %% %s, 0, 0 FROM generate_series(1, %s) AS n",
        (hook, accounts, accounts),
    )


def measure(running: Stack, connection: psycopg.Connection, port: int, seconds: float) -> None:
    """The receiver is there for so long."""
    before, left = running.processor_seconds()["webhooks"], waiting(connection)
    receiver = Receiver(port=port)
    time.sleep(seconds)
    receiver.close()
    time.sleep(1)
    taken = left - waiting(connection)
    distinct = len({got.webhook_id for got in receiver.got})
    if not taken or not taken <= distinct <= taken + SENT_AT_A_TIME:
        raise SystemExit(f"{distinct} events came, and {taken} are noted as taken")
    spent = (running.processor_seconds()["webhooks"] - before) / taken * 1e6
    print(f"an event           {spent:8.0f} µs of processor time, by {taken} events")
    print(f"receiver is there  {running.peak_megabytes()['webhooks']:8.0f} MB")
    running.check_restarts()


def waiting(connection: psycopg.Connection) -> int:
    """Events that are not taken."""
    row = connection.execute("SELECT count(*) FROM webhooks.deliveries").fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    main()
