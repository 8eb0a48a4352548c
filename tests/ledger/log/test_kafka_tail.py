"""The tail on a real broker: every partition at once, from wherever the caller stands."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.log.kafka import TopicTail
from ledger.log.seam import LogRecord, Topic
from tests.ledger.log.worlds import KafkaWorld, event

START = {0: 0, 1: 0, 2: 0}


@pytest.fixture
def tail(kafka_world: KafkaWorld) -> Iterator[TopicTail]:
    found = TopicTail(kafka_world.settings, Topic.EVENTS)
    yield found
    found.close()


def read_to_the_end(
    tail: TopicTail, positions: dict[int, int], max_records: int = 1_000
) -> tuple[dict[int, list[LogRecord]], dict[int, int]]:
    """All records from these positions on, and the positions after them."""
    ends, records = tail.ends(), {partition: list[LogRecord]() for partition in positions}
    for _ in range(200):
        if all(positions[partition] >= end for partition, end in enumerate(ends)):
            return records, positions
        batches = tail.read(positions, max_records, 1.0)
        assert sum(len(batch.records) for batch in batches.values()) <= max_records
        for partition, batch in batches.items():
            records[partition].extend(batch.records)
        positions = positions | {p: batch.next_position for p, batch in batches.items()}
    raise AssertionError(f"stuck at {positions}, ends {ends}")


def test_every_partition_is_read_in_order(kafka_world: KafkaWorld, tail: TopicTail) -> None:
    kafka_world.tools.publish([event(b"%d" % n, n % 3) for n in range(30)])
    records, _ = read_to_the_end(tail, START, max_records=7)
    assert [[record.value for record in each] for each in records.values()] == [
        [b"%d" % n for n in range(30) if n % 3 == partition] for partition in range(3)
    ]


def test_a_reading_goes_on_from_its_caller_s_positions(
    kafka_world: KafkaWorld, tail: TopicTail
) -> None:
    kafka_world.tools.publish([event(b"a"), event(b"b"), event(b"c")])
    read_to_the_end(tail, START)
    records, _ = read_to_the_end(tail, {**START, 0: 1})
    assert [record.value for record in records[0]] == [b"b", b"c"]


def test_what_was_aborted_is_passed_over(kafka_world: KafkaWorld, tail: TopicTail) -> None:
    kafka_world.abort([event(b"never")])
    records, positions = read_to_the_end(tail, START)
    assert records[0] == []
    assert positions[0] == tail.ends()[0] > 0


def test_an_open_transaction_is_not_read(kafka_world: KafkaWorld, tail: TopicTail) -> None:
    kafka_world.tools.publish([event(b"a")])
    producer = kafka_world.leave_open("open", [event(b"not yet")])
    batches = tail.read(START, 1_000, 1.0)
    assert [record.value for record in batches[0].records] == [b"a"]
    assert tail.read({**START, 0: 1}, 1_000, 0.2) == {}
    producer.abort_transaction()
    producer.close()


def test_the_topic_says_its_own_id(kafka_world: KafkaWorld, tail: TopicTail) -> None:
    assert tail.topic_id == str(kafka_world.topic_ids[Topic.EVENTS])
