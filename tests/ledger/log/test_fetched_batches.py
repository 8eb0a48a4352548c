"""Our reading of Kafka's batches, compared with the client's own."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition, errors
from kafka.consumer.fetcher import Fetcher
from kafka.record.memory_records import MemoryRecords, MemoryRecordsBuilder

from ledger.log.kafka.client.fetched_batches import FetchedBatches, records_of
from ledger.log.packed_headers import PackedHeaders, header_named
from ledger.log.seam import LogRecord

PLACE = TopicPartition("events", 3)
GZIP = 1

_bytes = st.none() | st.binary(max_size=300)
_headers = st.lists(st.tuples(st.text(max_size=70), _bytes), max_size=6)
_records = st.lists(st.tuples(st.none() | st.integers(0, 2**41), _bytes, _bytes, _headers))


def built(records: Sequence[tuple[Any, ...]], compression: int = 0) -> bytes:
    """A batch as a producer sends it."""
    builder = MemoryRecordsBuilder(2, compression, 2**30)
    for at, key, value, headers in records:
        builder.append(at, key, value, headers)
    builder.close()
    return bytes(builder.buffer())


def first_batch(data: bytes) -> Any:
    return MemoryRecords(data).next_batch()


def by_the_client(data: bytes) -> list[LogRecord]:
    return [
        LogRecord(
            partition=found.partition,
            offset=found.offset,
            appended_at=found.timestamp * 1000,
            key=found.key,
            value=found.value,
            headers=tuple((name, value or b"") for name, value in found.headers),
        )
        for found in Fetcher.PartitionRecords(0, PLACE, MemoryRecords(data)).take(None)
    ]


@given(_records, _records, st.sampled_from((0, GZIP)))
def test_records_are_those_that_the_client_reads(
    first: list[tuple[Any, ...]], second: list[tuple[Any, ...]], compression: int
) -> None:
    data = built(first, compression) + built(second, compression)
    ours = FetchedBatches(0, PLACE, MemoryRecords(data))
    theirs = Fetcher.PartitionRecords(0, PLACE, MemoryRecords(data))
    assert ours.take(None) == by_the_client(data)
    theirs.take(None)
    assert ours.next_fetch_offset == theirs.next_fetch_offset


def test_reading_begins_in_the_middle_of_a_batch() -> None:
    data = built([(None, None, b"%d" % number, []) for number in range(5)])
    found = FetchedBatches(3, PLACE, MemoryRecords(data)).take(None)
    assert [each.value for each in found] == [b"3", b"4"]


def test_a_batch_with_a_wrong_checksum_is_not_read() -> None:
    data = bytearray(built([(None, b"key", b"value", [])]))
    data[-3] ^= 1
    with pytest.raises(errors.CorruptRecordError, match="checksum"):
        FetchedBatches(0, PLACE, MemoryRecords(bytes(data))).take(None)


@pytest.mark.parametrize("damaged", [b"\x10\x00\x00", b"\xff\xff\xff\xff\x0f"])
def test_a_batch_that_is_cut_off_is_not_read(damaged: bytes) -> None:
    batch = first_batch(built([(None, None, gzip.compress(b"value"), [])]))
    batch._buffer, batch._pos = damaged, 0
    with pytest.raises(errors.CorruptRecordError):
        records_of(batch, 0)


@given(_headers)
def test_packed_headers_are_the_headers(headers: list[tuple[str, bytes | None]]) -> None:
    (record,) = records_of(first_batch(built([(None, None, b"", headers)])), 0)
    expected = tuple((name, value or b"") for name, value in headers)
    assert record.headers == expected
    assert expected == record.headers
    assert (len(record.headers), record.headers[1:]) == (len(expected), expected[1:])
    assert hash(record.headers) == hash(expected)
    assert repr(record.headers) == repr(expected)


def test_a_header_is_found_by_its_name() -> None:
    headers = [("ce_id", b"traceparent"), ("traceparent", b"00-1"), ("traceparent", b"00-2")]
    (record,) = records_of(first_batch(built([(None, None, b"", headers)])), 0)
    assert isinstance(record.headers, PackedHeaders)
    assert header_named(record.headers, "traceparent") == b"00-1"
    assert header_named(record.headers, "ce_source") is None
    assert header_named(tuple(headers), "ce_id") == b"traceparent"
