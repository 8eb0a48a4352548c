"""Whatever arrives, every good record is decided and every bad one set aside with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer, errors

from devstack import Services
from ledger.log.kafka.client.settings import producer_options
from ledger.log.seam import Outgoing, Topic
from tests.consumers.ledgers import opening, record
from tests.consumers.processes.stacks import PARTITIONS, Stack, refundctl, running_stack
from tests.hostile.real_stack import run_on_a_stack
from tests.hostile.run import compared, run, stream
from tests.waiting import wait_until

SOME = 900


@pytest.fixture
def stack(services: Services, tmp_path: Path) -> Iterator[Stack]:
    """A stack of the test's own; `services` only counts it among the tests on real ones."""
    del services
    with running_stack(tmp_path / "home") as running:
        yield running


@pytest.mark.parametrize("seed", [2, 3])
def test_every_record_becomes_what_it_must_and_the_bad_ones_change_nothing(seed: int) -> None:
    tally = run(SOME, seed)
    assert tally.sent == SOME + SOME // 3
    assert tally.decided > SOME // 5
    assert len(tally.reasons) > 8


@pytest.mark.parametrize(
    ("place", "blind"),
    [
        ("ledger.wire.avro.codec._rewritten", lambda *_: Anything()),
        ("ledger.wire.avro.codec.problems_of", lambda *_: ()),
        ("consumers.deciding.recording.partition_of", lambda *_: Anything()),
    ],
    ids=["not re-encoded", "ranges unchecked", "partition unchecked"],
)
def test_a_reader_that_believes_too_much_is_found_out(
    monkeypatch: pytest.MonkeyPatch, place: str, blind: object
) -> None:
    monkeypatch.setattr(place, blind)
    with pytest.raises(AssertionError, match="record"):
        run(SOME, 1)


def test_a_reader_that_believes_too_little_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.wire.avro.codec.MAX_COMMAND_BYTES", 100)
    monkeypatch.setattr("ledger.wire.avro.codec._LIMITS", {"commands": 100, "events": 900_000})
    with pytest.raises(AssertionError, match="TOO_LARGE"):
        run(SOME, 1)


def test_on_a_real_stack_no_process_dies_and_no_partition_stops(stack: Stack) -> None:
    sent = list(stream(2_000, seed=20_261_124))
    for start in range(0, len(sent), 1_000):
        stack.tools.publish(sent[start : start + 1_000])
    packed = _packed(stack, bytes(8_000_000))
    stack.tools.publish([record(opening(f"acct-last-{n}"), PARTITIONS) for n in range(20)])
    wait_until(stack.decided, "every command to be decided")
    tally = compared(stack.tools)
    assert tally.reasons.total() > 1_000
    assert isinstance(packed, errors.KafkaError)
    assert {each.name: each.restarts for each in stack.status().processes if each.restarts} == {}
    assert refundctl(stack.home, "audit", "verify") == ""


def test_a_decider_that_takes_too_much_memory_is_found_out(services: Services) -> None:
    del services
    with pytest.raises(AssertionError, match=r"the decider had \d+ MB"):
        run_on_a_stack(300, 1, most_megabytes=1.0)


def _packed(stack: Stack, value: bytes) -> object:
    """Publish a value that is small only while it is compressed; what the broker said."""
    options = {**producer_options(stack.settings), "max_request_size": 2 * len(value)}
    producer = KafkaProducer(**options, compression_type="gzip")
    sent = Outgoing(topic=Topic.COMMANDS, partition=0, key=b"acct-x", value=value)
    future = producer.send(
        stack.settings.topic_name(sent.topic), value, sent.key, partition=sent.partition
    )
    producer.flush()
    producer.close()
    return future.exception


class Anything:
    """Equal to whatever it is compared with."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]  # never a key
