"""What the log itself costs: a copy of commands to events that decides nothing, exactly once.

Run it as `python -m benchmarks.copy [--records N] [--transaction N ...]`. Three ways take turns in
one process, on a broker of its own. The client alone: its consumer, its transactional producer, and
a future for each record. Ours: `KafkaLog`, one partition. Ours, four partitions: one is read while
the others are committed. Each way reads all records, writes them with five headers, and commits the
offset with them; then the copy is counted. The processor time is that of this process, not of the
broker.
"""

from __future__ import annotations

import argparse
import gc
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.structs import ConsumerGroupMetadata

from benchmarks import kit
from devstack import services
from ledger.log.kafka import KafkaLog, KafkaSettings, KafkaTools, create_topics
from ledger.log.kafka.client.settings import reader_options, transactional_options
from ledger.log.seam import CommitResult, Outgoing, Topic

PARTITIONS = 4
ROUNDS = 3
_VALUE = os.urandom(500)
_HEADERS = (
    ("ce_specversion", b"1.0"),
    ("ce_id", b"01997c5e-6a39-7b43-8d5e-3a1f6f7c9b10"),
    ("ce_source", b"/refunds/accounts/acct-1"),
    ("ce_type", b"refunds.commands.RecordInstanceOrder"),
    ("content-type", b"application/avro"),
)


def main() -> None:
    """Copy by each way with each size of a transaction; print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--transaction", type=int, nargs="+", default=[1_000, 5_000])
    asked = parser.parse_args()
    figures: dict[str, object] = {}
    with services() as found:
        for size in asked.transaction:
            best: dict[str, float] = {}
            for _ in range(ROUNDS):
                for name, way in _WAYS.items():
                    seconds = _copied(found.bootstrap, way, asked.records, size)
                    each = round(seconds / asked.records * 1e6, 1)
                    best[name] = min(each, best.get(name, each))
            for name, each in best.items():
                print(f"{size} records a transaction, {name}: {each} µs a record")
            figures[str(size)] = best
    settings = {"records": asked.records, "value_bytes": len(_VALUE), "rounds": ROUNDS}
    kit.keep("copy", settings=settings, figures={"microseconds_a_record": figures})


def _copied(bootstrap: str, way: Callable[..., float], count: int, size: int) -> float:
    """The processor seconds of one way, in topics of its own."""
    settings = KafkaSettings(
        bootstrap=bootstrap, partition_count=PARTITIONS, prefix=f"copy-{uuid4().hex[:8]}."
    )
    create_topics(settings)
    tools = KafkaTools(settings)
    tools.publish([_record(number, way is _WAYS["ours, 4 partitions"]) for number in range(count)])
    gc.collect()
    seconds = way(settings, count, size)
    copies = events_of(tools, count)
    tools.close()
    if copies != count:
        raise SystemExit(f"{copies} copies of {count} records")
    return seconds


def events_of(tools: KafkaTools, count: int) -> int:
    """How many events there are: as soon as there are `count`, else after ten seconds. The broker
    writes the last markers after it has confirmed the commit.
    """
    give_up = time.monotonic() + 10.0
    while (found := sum(1 for _ in tools.replay(Topic.EVENTS))) < count:
        if time.monotonic() > give_up:
            break
        time.sleep(0.1)
    return found


def _record(number: int, spread: bool) -> Outgoing:
    return Outgoing(
        topic=Topic.COMMANDS,
        partition=number % PARTITIONS if spread else 0,
        key=b"acct-1",
        value=_VALUE,
        headers=_HEADERS,
    )


def _by_the_client(settings: KafkaSettings, count: int, size: int) -> float:
    place = TopicPartition(settings.topic_name(Topic.COMMANDS), 0)
    target, group = settings.topic_name(Topic.EVENTS), settings.group_name("copy")
    consumer: Any = KafkaConsumer(**{**reader_options(settings), "max_poll_records": size})
    consumer.assign([place])
    consumer.seek(place, 0)
    producer: Any = KafkaProducer(**transactional_options(settings, f"{group}-0"))
    producer.init_transactions()

    def copy() -> None:
        done = 0
        while done < count:
            records = consumer.poll(timeout_ms=1_000).get(place, ())
            if not records:
                continue
            producer.begin_transaction()
            futures = [
                producer.send(target, each.value, each.key, each.headers, 0) for each in records
            ]
            producer.flush()
            for future in futures:
                future.get(timeout=0)
            done = records[-1].offset + 1
            offsets = {place: OffsetAndMetadata(done, "", -1)}
            producer.send_offsets_to_transaction(
                offsets, ConsumerGroupMetadata(group, -1, "", None)
            )
            producer.commit_transaction()

    seconds = kit.processor_seconds(copy)
    producer.close()
    consumer.close()
    return seconds


def _ours(partitions: int, settings: KafkaSettings, count: int, size: int) -> float:
    log = KafkaLog(settings, "copy", Topic.COMMANDS, "only")
    while len(log.owned(0.1)) < PARTITIONS:
        pass
    for partition in range(partitions):
        log.fence(partition)
    positions = [0] * partitions

    def copy() -> None:
        while sum(positions) < count:
            log.owned(0.2)
            begun = [p for p in range(partitions) if _begin(log, p, positions, size)]
            for partition in begun:
                if log.finish_commit(partition) is not CommitResult.OK:
                    raise SystemExit("a commit failed; see the broker's log")

    seconds = kit.processor_seconds(copy)
    log.close()
    return seconds


def _begin(log: KafkaLog, partition: int, positions: list[int], size: int) -> bool:
    copies = read_copies(log, partition, positions, size)
    if copies:
        log.begin_commit(partition, copies, positions[partition], "")
    return bool(copies)


def read_copies(log: KafkaLog, partition: int, positions: list[int], size: int) -> list[Outgoing]:
    """The next commands of a partition as events with five headers; its position moves on."""
    batch = log.read(Topic.COMMANDS, partition, positions[partition], size, 0.0)
    positions[partition] = batch.next_position
    return [
        Outgoing(
            topic=Topic.EVENTS,
            partition=partition,
            key=each.key,
            value=each.value,
            headers=_HEADERS,
        )
        for each in batch.records
    ]


_WAYS: dict[str, Callable[[KafkaSettings, int, int], float]] = {
    "the client alone": _by_the_client,
    "ours": partial(_ours, 1),
    "ours, 4 partitions": partial(_ours, PARTITIONS),
}

if __name__ == "__main__":
    main()
