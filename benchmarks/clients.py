"""What another client library would bring: reading, copying and deciding on a real log, by client.

Run it as `python -m benchmarks.clients [--commands N] [--transaction N]`, with confluent-kafka
(librdkafka) on the path. The clients take turns in one process, on a broker of their own, with the
same commands in topics of their own. `ours` is `KafkaLog`; `librdkafka reads` replaces the fetching
only, `librdkafka writes` the transactions only, `librdkafka` both (see `benchmarks.librdkafka`).
`no client` decides on a log in memory: the limit for every client.

The processor time is that of this process, not of the broker. The main thread's is told apart: the
threads of librdkafka need no lock of the interpreter, so on more cores they are not in its way.
What was written is counted.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

from kafka import TopicPartition
from msgspec import Struct
from msgspec.structs import replace

from benchmarks import kit
from benchmarks.copy import events_of, read_copies
from benchmarks.deciding import PARTITIONS, ledger, world_of
from benchmarks.librdkafka import (
    PATIENCE_SECONDS,
    Librdkafka,
    LibrdkafkaReads,
    LibrdkafkaWrites,
    librdkafka,
    open_reader,
    record_of,
)
from benchmarks.mix import commands
from consumers.deciding.decider import GROUP, PartitionDecider
from consumers.deciding.store import Store
from devstack import services
from ledger.log.kafka import KafkaLog, KafkaSettings, KafkaTools, create_topics
from ledger.log.kafka.client.fetched_batches import open_consumer
from ledger.log.kafka.client.settings import reader_options
from ledger.log.packed_headers import header_named
from ledger.log.seam import CommitResult, Topic

ROUNDS = 5
WARM_UP = 2_000
NO_CLIENT, OURS = "no client", "ours"
Opener = Callable[[KafkaSettings], KafkaLog]
Round = Callable[[], int]


class Spent(Struct, frozen=True, kw_only=True):
    """Microseconds of processor time a command: of all threads, and of the main thread alone."""

    process: float
    main: float


class Asked(Struct, frozen=True, kw_only=True):
    """How many commands, and how many of them at most in a transaction."""

    commands: int
    size: int

    @property
    def given(self) -> int:
        """The commands of the mix, with those that open the accounts."""
        return sum(1 for _ in commands(self.commands, 0, PARTITIONS))


def main() -> None:
    """Read, copy and decide with each client; print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=20_000)
    parser.add_argument("--transaction", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    told = parser.parse_args()
    asked = Asked(commands=told.commands, size=told.transaction)
    library = librdkafka()
    openers: dict[str, Opener] = {
        OURS: lambda settings: KafkaLog(settings, GROUP, Topic.COMMANDS, "only"),
        "librdkafka reads": partial(LibrdkafkaReads, library),
        "librdkafka writes": partial(LibrdkafkaWrites, library),
        "librdkafka": partial(Librdkafka, library),
    }
    with services() as found:
        figures: dict[str, object] = {"fetch": _fetched(library, found.bootstrap, asked)}
        for work in (_reading, _copying, _deciding):
            figures[work.__name__[1:]] = _by_turns(
                work, found.bootstrap, openers, asked, told.rounds
            )
    settings = {
        "commands": asked.commands,
        "transaction": asked.size,
        "partitions": PARTITIONS,
        "rounds": told.rounds,
        "confluent-kafka": library.version(),
        "librdkafka": library.libversion()[0],
    }
    kit.keep("clients", settings=settings, figures={"microseconds_a_command": figures})


def _by_turns(
    work: Callable[[KafkaLog, Asked], Iterator[Round]],
    bootstrap: str,
    openers: dict[str, Opener],
    asked: Asked,
    rounds: int,
) -> dict[str, object]:
    """One kind of work by each client; the first turn of each is short and not counted."""
    ways: dict[str, Callable[[Asked], Spent]] = {
        name: partial(_on_kafka, work, bootstrap, opener) for name, opener in openers.items()
    }
    if work is _deciding:
        ways[NO_CLIENT] = _without_client
    runs: dict[str, list[Spent]] = {name: [] for name in ways}
    for way in ways.values():
        way(replace(asked, commands=WARM_UP))
    for _ in range(rounds):
        for name, way in ways.items():
            gc.collect()
            runs[name].append(way(asked))
    return {name: _told(work.__name__, name, found, runs[OURS]) for name, found in runs.items()}


def _told(work: str, name: str, found: list[Spent], ours: list[Spent]) -> dict[str, float]:
    """The figures of one client. `saved`: the median of what it saved in each turn."""
    process, own = [each.process for each in found], [each.main for each in found]
    saved = median(a.process - b.process for a, b in zip(ours, found, strict=True))
    told = {
        "process": round(min(process), 1),
        "at_worst": round(max(process), 1),
        "main_thread": round(min(own), 1),
        "saved": round(saved, 1),
        "saved_share": round(saved / median(each.process for each in ours), 3),
    }
    print(
        f"{work[1:]:<10}{name:<20}", *(f"{key} {value}" for key, value in told.items()), flush=True
    )
    return told


def _on_kafka(
    work: Callable[[KafkaLog, Asked], Iterator[Round]], bootstrap: str, opener: Opener, asked: Asked
) -> Spent:
    settings = _published(bootstrap, asked)
    log = opener(settings)
    while len(log.owned(0.1)) < PARTITIONS:
        pass
    with contextmanager(work)(log, asked) as one_round:
        spent = _spent(asked.given, one_round)
    log.close()
    expected = 0 if work is _reading else asked.given
    if work is _deciding:  # a return is written as two events, and a partition is opened by one
        expected += asked.commands // 10 + PARTITIONS
    tools = KafkaTools(settings)
    written = events_of(tools, expected)
    tools.close()
    if written != expected:
        raise SystemExit(f"{written} events instead of {expected}")
    return spent


def _published(bootstrap: str, asked: Asked) -> KafkaSettings:
    """Topics of their own, with all commands."""
    settings = KafkaSettings(
        bootstrap=bootstrap, partition_count=PARTITIONS, prefix=f"clients-{uuid4().hex[:8]}."
    )
    create_topics(settings)
    tools = KafkaTools(settings)
    tools.publish(list(commands(asked.commands, time.time_ns() // 1_000, PARTITIONS)))
    tools.close()
    return settings


def _spent(total: int, one_round: Round) -> Spent:
    """Go on until everything is done. Ends the program if nothing comes for long."""
    done, give_up = 0, time.monotonic() + PATIENCE_SECONDS
    process, own = time.process_time(), time.thread_time()
    while done < total:
        found = one_round()
        done += found
        if found:
            give_up = time.monotonic() + PATIENCE_SECONDS
        elif time.monotonic() > give_up:
            raise SystemExit(f"{done} of {total} commands, and no more come")
    process, own = time.process_time() - process, time.thread_time() - own
    return Spent(process=process / done * 1e6, main=own / done * 1e6)


def _fetched(library: Any, bootstrap: str, asked: Asked) -> dict[str, float]:
    """Reading alone, in no group: each record made into one of ours, and a header looked for."""
    settings = _published(bootstrap, asked)
    topic, total = settings.topic_name(Topic.COMMANDS), asked.given

    def ours() -> None:
        consumer = open_consumer(settings, reader_options(settings))
        places = [TopicPartition(topic, each) for each in range(PARTITIONS)]
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        done = 0
        while done < total:
            for records in consumer.poll(timeout_ms=200).values():
                done += len(records)
                for each in records:
                    header_named(each.headers, "traceparent")
        consumer.close(autocommit=False)

    def other(headers: bool) -> None:
        consumer = open_reader(library, settings)
        consumer.assign([library.TopicPartition(topic, each, 0) for each in range(PARTITIONS)])
        done = 0
        while done < total:
            for each in consumer.consume(4_000, 0.2):
                done += 1
                found = record_of(each, headers)
                header_named(found.headers, "traceparent")
        consumer.close()

    ways: dict[str, Callable[[], object]] = {
        OURS: ours,
        "librdkafka": partial(other, True),
        "librdkafka, no headers": partial(other, False),
    }
    timings = kit.interleaved(ways)
    told = {name: timing.microseconds(asked.given) for name, timing in timings.items()}
    print("fetching  ", told, flush=True)
    return told


def _reading(log: KafkaLog, asked: Asked) -> Iterator[Round]:
    positions = [0] * PARTITIONS

    def one_round() -> int:
        log.owned(0.2)
        return sum(len(read_copies(log, each, positions, asked.size)) for each in range(PARTITIONS))

    yield one_round


def _copying(log: KafkaLog, asked: Asked) -> Iterator[Round]:
    positions = [0] * PARTITIONS
    for partition in range(PARTITIONS):
        log.fence(partition)

    def one_round() -> int:
        log.owned(0.2)
        begun: dict[int, int] = {}
        for partition in range(PARTITIONS):
            copies = read_copies(log, partition, positions, asked.size)
            if copies:
                log.begin_commit(partition, copies, positions[partition], "")
                begun[partition] = len(copies)
        for partition in begun:
            if log.finish_commit(partition) is not CommitResult.OK:
                raise SystemExit("a commit failed; see the broker's log")
        return sum(begun.values())

    yield one_round


def _deciding(log: KafkaLog, asked: Asked) -> Iterator[Round]:
    world = world_of(PARTITIONS, max_batch=asked.size)
    with tempfile.TemporaryDirectory(prefix="refunds-bench-") as folder:
        stores = [Store(Path(folder), each, world.events_topic_id) for each in range(PARTITIONS)]
        deciders = [PartitionDecider(log, each, store, world) for each, store in enumerate(stores)]
        for decider in deciders:
            decider.restore()

        def one_round() -> int:
            log.owned(0.2)
            done = sum(decider.begin() for decider in deciders)
            for decider in deciders:
                decider.finish()
            return done

        yield one_round
        for decider in deciders:
            decider.close()


def _without_client(asked: Asked) -> Spent:
    with ledger(asked.commands) as made:
        world = replace(made.world, max_batch=asked.size)
        deciders = [
            PartitionDecider(made.log, each, store, world) for each, store in enumerate(made.stores)
        ]
        for decider in deciders:
            decider.restore()
        return _spent(asked.given, lambda: sum(decider.step(0.0) for decider in deciders))


if __name__ == "__main__":
    main()
