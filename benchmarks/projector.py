"""How fast events become rows: projecting and rebuilding, beside a plain COPY of the same rows.

Run it as `python -m benchmarks.projector [--events N]`. It starts its own database, or takes the
one in DATABASE_URL, in which it makes and drops a database of its own. The rebuilt rows must be
the projected ones.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks import kit
from ledger.log.seam import Batch, LogRecord
from ledger.values.ids import partition_of
from ledger.values.instants import DAY
from ledger.vocabulary.events import InstanceOrderRecorded
from ledger.vocabulary.shapes import (
    Channel,
    Component,
    DurationDiscount,
    Funds,
    LadderStep,
    OrderKind,
    OrderLine,
)
from ledger.wire.avro.codec import decode_event
from projector.following.projection import Projection
from projector.migrations import migrate
from projector.rebuilding.rebuild import rebuild
from projector.rows.changes import TableChanges, fold
from projector.rows.writer import READ_MODELS, write
from projector.runner import run
from projector.views import VIEWS
from tests.projector.stories import START, Story, opened

PARTITIONS = 6
ACCOUNTS = 500
DATABASE = "refunds_bench_projecting"


class Records:
    """The events topic as lists in memory, so that no broker is measured."""

    topic_id = "bench"

    def __init__(self, values: Mapping[int, list[bytes]], stop: Flag) -> None:
        self._records = {
            partition: [
                LogRecord(partition=partition, offset=n, appended_at=0, key=b"", value=value)
                for n, value in enumerate(each)
            ]
            for partition, each in values.items()
        }
        self._stop = stop

    def ends(self) -> tuple[int, ...]:
        """Where each partition ends."""
        return tuple(len(each) for each in self._records.values())

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> dict[int, Batch]:
        """The next records of the first partition that has any; stops the run after the last."""
        del timeout_seconds
        for partition, position in positions.items():
            found = self._records[partition][position : position + max_records]
            if found:
                end = position + len(found)
                return {partition: Batch(records=tuple(found), next_position=end)}
        self._stop.set()
        return {}

    def close(self) -> None:
        """Nothing to let go of."""


def main() -> None:
    """Make the events, measure each step, print the rates and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    events = parser.parse_args().events
    story = story_of(events)
    values = [value for each in story.values.values() for value in each]
    count = len(values)
    decoding = _spent(lambda: _decode(values))
    folded = _folded(story)
    with database() as conninfo:
        migrate(conninfo)
        copying = _spent(lambda: _copy(conninfo, folded))
        _empty(conninfo)
        stop = Flag()
        source = Records(story.values, stop)
        projection = Projection(conninfo=conninfo)
        projecting = _spent(lambda: run(projection, lambda: source, stop))
        rebuilding = _spent(lambda: rebuild(conninfo, source, VIEWS))
        verifying = _spent(lambda: _rebuild_compared(conninfo, source))
    rows = sum(len(table.inserts) for table in folded)
    print(f"{count} events, {rows} rows")
    figures: dict[str, object] = {"rows": rows, "peak_megabytes": round(kit.peak_megabytes())}
    for name, (seconds, cpu) in (
        ("decoding alone", decoding),
        ("COPY of the same rows", copying),
        ("projecting", projecting),
        ("rebuilding", rebuilding),
        ("rebuilding --verify", verifying),
    ):
        rate, each = count / seconds, cpu / count * 1e6
        print(f"{name:<22} {seconds:6.2f} s  {rate:9,.0f} events/s  {each:5.0f} µs of CPU an event")
        figures[name] = {"events_a_second": round(rate), "microseconds": round(each, 1)}
    print(f"projecting / COPY      {projecting[0] / copying[0]:6.2f}")
    print(f"rebuilding / COPY      {rebuilding[0] / copying[0]:6.2f}")
    kit.keep("projector", settings={"events": count, "accounts": ACCOUNTS}, figures=figures)


def _rebuild_compared(conninfo: str, source: Records) -> None:
    if rebuild(conninfo, source, VIEWS, verify=True).divergences:
        raise SystemExit("a rebuild gave other rows than the projector")


def story_of(events: int) -> Story:
    """Accounts, then orders of theirs by turns."""
    story = Story(PARTITIONS)
    for account in range(ACCOUNTS):
        story.command(f"acct-{account}", opened())
    for number in range(events):
        story.command(f"acct-{number % ACCOUNTS}", _order(number))
    assert partition_of(b"acct-1", PARTITIONS) < PARTITIONS
    return story


def _order(number: int) -> InstanceOrderRecorded:
    ladder = (LadderStep(from_hours=0, hourly=420_000), LadderStep(from_hours=96, hourly=210_000))
    line = OrderLine(
        instance_id=f"ins-{number:08d}",
        product="cvm-s5-medium",
        region="ap-guangzhou",
        paid=Funds(cash=20_000, gift=20_796, voucher=10_000),
        components=tuple(
            Component(name=name, list_monthly=51_000_000, payg=ladder)
            for name in ("compute", "disk", "bandwidth")
        ),
        duration_discounts=(DurationDiscount(from_months=12, factor="0.83"),),
    )
    return InstanceOrderRecorded(
        order_id=f"order-{number:08d}",
        kind=OrderKind.NEW,
        channel=Channel.STANDARD,
        starts_at=START,
        ends_at=START + 365 * DAY,
        delivered_at=START,
        lines=(line,),
        currency="CNY",
    )


def _folded(story: Story) -> tuple[TableChanges, ...]:
    return fold(change for event in story.events for v in VIEWS for change in v.changes(event))


def _copy(conninfo: str, folded: tuple[TableChanges, ...]) -> None:
    with psycopg.connect(conninfo) as connection:
        connection.execute("SET synchronous_commit = off")
        write(connection, folded)


def _empty(conninfo: str) -> None:
    with psycopg.connect(conninfo) as connection:
        connection.execute("SET session_replication_role = replica")  # a trigger keeps the events
        for view in VIEWS:
            connection.execute(
                sql.SQL("TRUNCATE {}").format(sql.Identifier(READ_MODELS, view.TABLE.name))
            )


def _decode(values: list[bytes]) -> None:
    for value in values:
        decode_event(value)


def _spent(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of this process's CPU: on a busy machine they differ."""
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - cpu


@contextmanager
def database() -> Iterator[str]:
    """A database of its own, dropped at the end."""
    with _server() as server, psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        admin.execute(f"CREATE DATABASE {DATABASE}".encode())
        try:
            yield make_conninfo(server, dbname=DATABASE)
        finally:
            admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())


@contextmanager
def _server() -> Iterator[str]:
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    from devstack import destroy, start_services
    from devstack.system.process_identity import myself

    home = Path(tempfile.mkdtemp(prefix="refunds-bench-"))
    try:
        yield start_services(home, myself()).database_url
    finally:
        destroy(home)


if __name__ == "__main__":
    main()
