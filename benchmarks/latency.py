"""How long a command takes from published to shown, at some rates that come whatever happens.

Run it as `python -m benchmarks.latency --capacity C [--shares 0.1 0.5 0.8] [--seconds S]`, with
the rate that `benchmarks.whole` decides. Commands are due at fixed instants (an open loop); each
latency counts from the instant a command was due, so that a stall is paid by all that came during
it. A command is shown once the projector's position is past the last event of its outcome; the
position is read every few milliseconds. The first seconds are left out: the processes warm up.
"""

from __future__ import annotations

import argparse
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple

import psycopg
from msgspec import Struct, structs

from benchmarks import kit
from benchmarks.mix import commands
from benchmarks.stacks import Stack, stack
from ledger.log.kafka import KafkaTools
from ledger.log.kafka.reading.offsets import Offsets
from ledger.log.seam import Outgoing, Topic
from ledger.wire.avro.codec import decode_event
from projector.asking.queries import positions

TICK_SECONDS = 0.01
POLL_SECONDS = 0.002
COMMITTED_POLL_SECONDS = 0.02
"""The broker has to answer these looks, so there are few: a stage is known to 20 ms."""
WARM_UP_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
PERCENTILES = (50.0, 90.0, 99.0, 99.9)
STAGES = ("published", "decided", "shown")


Place = tuple[int, int]
"""Partition and offset of a command."""


class Due(NamedTuple):
    """When a command was due, and when the broker had it, in seconds of the monotonic clock."""

    at: float
    appended: float


class Latency(Struct, frozen=True, kw_only=True):
    """Milliseconds from due to shown at one rate, by percentile; `stages` are the medians.

    `used` are the microseconds of processor time of each process for a command.
    """

    rate: float
    commands: int
    percentiles: dict[str, float]
    most: float
    stages: dict[str, float]
    used: dict[str, float]


class _Watcher:
    """Notes when a position in each partition was first seen to be past an offset."""

    def __init__(
        self, partitions: int, look: Callable[[], Mapping[int, int]], seconds: float
    ) -> None:
        self._look = look
        self._seconds = seconds
        self._seen: dict[int, tuple[list[int], list[float]]] = {
            partition: ([], []) for partition in range(partitions)
        }
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._stop.set()
        self._thread.join()

    def past(self, partition: int, offset: int) -> float:
        """When the position was first seen to be past the offset."""
        offsets, instants = self._seen[partition]
        return instants[bisect_left(offsets, offset + 1)]

    def reached(self) -> dict[int, int]:
        """The last position seen of each partition."""
        return {partition: seen[0][-1] for partition, seen in self._seen.items() if seen[0]}

    def _watch(self) -> None:
        while not self._stop.is_set():
            now = time.monotonic()
            for partition, position in self._look().items():
                offsets, instants = self._seen[partition]
                if not offsets or offsets[-1] < position:
                    offsets.append(position)
                    instants.append(now)
            time.sleep(self._seconds)


@contextmanager
def _watchers(made: Stack) -> Iterator[tuple[_Watcher, _Watcher]]:
    """What is committed to the events topic, and what is shown."""
    partitions = range(made.kafka.partition_count)
    offsets = Offsets(made.kafka)
    with psycopg.connect(made.database_url, autocommit=True) as connection:
        committed = _Watcher(
            len(partitions),
            lambda: offsets.stable_ends(Topic.EVENTS, list(partitions)),
            COMMITTED_POLL_SECONDS,
        )
        shown = _Watcher(len(partitions), lambda: positions(connection), POLL_SECONDS)
        try:
            yield committed, shown
        finally:
            committed.close()
            shown.close()
            offsets.close()


def main() -> None:
    """Measure each share of the capacity on one stack; print and keep the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--capacity", type=float, required=True, help="commands a second")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.1, 0.5, 0.8])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--partitions", type=int, default=4)
    asked = parser.parse_args()
    found = []
    for share in asked.shares:
        with stack(asked.partitions) as made:
            one = measure(made, share * asked.capacity, asked.seconds)
        told = ", ".join(f"p{name} {ms:.0f} ms" for name, ms in one.percentiles.items())
        print(f"{share:4.0%} of capacity, {one.rate:.0f} a second: {told}, most {one.most:.0f} ms")
        print(
            "     medians: " + ", ".join(f"{name} {ms:.0f} ms" for name, ms in one.stages.items())
        )
        print("     used: " + ", ".join(f"{name} {us:.0f} µs" for name, us in one.used.items()))
        found.append({"share": share, **structs.asdict(one)})
    settings = {"capacity": asked.capacity, "partitions": asked.partitions}
    kit.keep("latency", settings=settings, figures={"rates": found})


def measure(made: Stack, rate: float, seconds: float) -> Latency:
    """Publish at the rate for so long after warming up, and find out when each was shown."""
    tools, partitions = made.tools(), made.kafka.partition_count
    count = int(rate * (seconds + WARM_UP_SECONDS))
    records = list(islice(commands(count, time.time_ns() // 1000, partitions), count))
    with _watchers(made) as (committed, shown):
        before = made.processor_seconds()
        due = publish(tools, records, rate)
        after = made.processor_seconds()
        last = _last_events(tools, due)
        for each in (shown, committed):
            _await(each, last)
    tools.close()
    made.check_restarts()
    first = min(each.at for each in due.values()) + WARM_UP_SECONDS
    places = [place for place, each in due.items() if each.at >= first]
    instants = [
        (*due[place], min(committed.past(place[0], last[place]), seen), seen)
        for place in places
        for seen in [shown.past(place[0], last[place])]
    ]
    measured = sorted((instant[-1] - instant[0]) * 1000 for instant in instants)
    return Latency(
        rate=round(rate, 1),
        commands=len(measured),
        percentiles={f"{each:g}": kit.percentile(measured, each) for each in PERCENTILES},
        most=round(measured[-1], 1),
        stages={
            name: kit.percentile(sorted((one[to] - one[to - 1]) * 1000 for one in instants), 50.0)
            for to, name in enumerate(STAGES, start=1)
        },
        used={name: round((after[name] - each) / count * 1e6) for name, each in before.items()},
    )


def publish(
    tools: KafkaTools, records: Sequence[Outgoing], rate: float, tick_seconds: float = TICK_SECONDS
) -> dict[Place, Due]:
    """Send what is due, tick by tick."""
    due: dict[Place, Due] = {}
    behind = time.time() - time.monotonic()
    start, sent = time.monotonic(), 0
    while sent < len(records):
        now = time.monotonic()
        ready = min(len(records), int((now - start) * rate) + 1)
        for number, place in enumerate(tools.publish(records[sent:ready]), start=sent):
            appended = place.appended_at / 1_000_000 - behind
            due[place.partition, place.offset] = Due(start + number / rate, appended)
        sent = ready
        time.sleep(max(0.0, tick_seconds - (time.monotonic() - now)))
    return due


def _last_events(tools: KafkaTools, due: Mapping[Place, Due]) -> dict[Place, int]:
    """The place of a command → the offset of the last event of its outcome."""
    found: dict[Place, int] = {}
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not due.keys() <= found.keys():
        if time.monotonic() > give_up:
            raise SystemExit(f"gave up: {len(due.keys() - found.keys())} commands have no outcome")
        for record in tools.replay(Topic.EVENTS):
            meta = decode_event(record.value).meta
            found[record.partition, meta.source_offset] = record.offset
    return found


def _await(watcher: _Watcher, last: Mapping[Place, int]) -> None:
    """Wait until every outcome was seen: a look at what is committed may come after it is shown."""
    goals: dict[int, int] = {}
    for (partition, _), offset in last.items():
        goals[partition] = max(offset, goals.get(partition, 0))
    give_up = time.monotonic() + PATIENCE_SECONDS
    while any(watcher.reached().get(place, 0) <= goal for place, goal in goals.items()):
        if time.monotonic() > give_up:
            raise SystemExit("gave up: not every outcome was seen")
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main()
