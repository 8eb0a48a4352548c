"""A backlog on a real broker: partitions are read side by side, each to its end.

The long ones hold more than the client once handed out at a poll, the short ones end first. Where
there is more to read, a reader waits for it; one that gets nothing stands still.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from ledger.log.kafka import TopicTail
from ledger.log.seam import Batch, Topic
from tests.ledger.log.worlds import PARTITIONS, KafkaWorld, await_owned, command, event

LONG, SHORT = 12_000, 100
MAX_BATCH = 500
FEW_BUFFERED = 1_000
PATIENCE_SECONDS = 10.0


def test_a_long_partition_is_read_on_when_the_short_ones_are_at_their_ends(
    kafka_world: KafkaWorld,
) -> None:
    ends = {0: LONG, 1: SHORT, 2: SHORT}
    *_, last = member_rounds(kafka_world, ends)
    assert last == ends


def test_a_member_reads_equal_backlogs_side_by_side(kafka_world: KafkaWorld) -> None:
    ends = dict.fromkeys(range(PARTITIONS), LONG)
    spread = [apart(positions) for positions in member_rounds(kafka_world, ends)]
    assert max(spread) <= MAX_BATCH


def test_a_tail_reads_equal_backlogs_side_by_side(kafka_world: KafkaWorld) -> None:
    ends = dict.fromkeys(range(PARTITIONS), LONG)
    spread = [apart(positions) for positions in tail_rounds(kafka_world, ends)]
    # A poll can come while the client puts down the first partitions of a fetch; the next has all.
    assert max(spread) <= 3 * MAX_BATCH


def member_rounds(world: KafkaWorld, ends: Mapping[int, int]) -> Iterator[dict[int, int]]:
    """As the deciders do: a poll, then a batch of every partition. The positions after each."""
    world.tools.publish([command(b"%d" % n, p) for p in ends for n in range(ends[p])])
    log = world.consumer("decider", Topic.COMMANDS, max_buffered_records=FEW_BUFFERED)
    await_owned([log], [PARTITIONS])
    positions = dict.fromkeys(ends, 0)
    while positions != ends:
        assert log.owned(0.0) == positions.keys()
        for partition in [p for p in ends if positions[p] < ends[p]]:
            position = positions[partition]
            batch = log.read(Topic.COMMANDS, partition, position, MAX_BATCH, PATIENCE_SECONDS)
            assert batch.records, f"{partition} stands still: {positions}, ends {ends}"
            positions[partition] = after(position, batch)
        yield dict(positions)


def tail_rounds(world: KafkaWorld, ends: Mapping[int, int]) -> Iterator[dict[int, int]]:
    """As the projector does. The positions after each reading."""
    world.tools.publish([event(b"%d" % n, p) for p in ends for n in range(ends[p])])
    settings = replace(world.settings, max_buffered_records=2 * LONG)
    tail = TopicTail(settings, Topic.EVENTS)
    positions = dict.fromkeys(ends, 0)
    while positions != ends:
        batches = tail.read(positions, MAX_BATCH, PATIENCE_SECONDS)
        assert batches, f"stands still: {positions}, ends {ends}"
        positions |= {p: after(positions[p], batch) for p, batch in batches.items()}
        yield positions
    tail.close()


def after(position: int, batch: Batch) -> int:
    """Where the batch ends, once it is seen to be whole."""
    numbers = [record.offset for record in batch.records]
    assert numbers == list(range(position, batch.next_position))
    return batch.next_position


def apart(positions: Mapping[int, int]) -> int:
    return max(positions.values()) - min(positions.values())
