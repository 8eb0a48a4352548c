"""The reactor: reads the events of a partition and sends the follow-up commands of the reactions.

Follow-ups and the offset are committed in one transaction. If an offset is lost, the same commands
are sent again with the same ids, and the decider skips the duplicates.
"""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from consumers.deciding.decider import CommitLost
from consumers.follow_ups import command_record, follow_up
from consumers.reactions import REACTIONS
from ledger.log.failpoints import passing
from ledger.log.seam import CommitResult, Log, LogRecord, Outgoing, Topic
from ledger.origins.signing import Signer, Signing, unsigned
from ledger.wire.avro.codec import decode_event, event_name_of

GROUP = "refunds.reactions"
MAX_BATCH = 2_000
_REACTED_TO = frozenset(kind.__name__ for _, kinds in REACTIONS for kind in kinds)

_log = structlog.get_logger(__name__)


class PartitionReactor:
    """Owns one partition of the events for the reactions."""

    def __init__(
        self, log: Log, partition: int, *, sandbox: bool, signing: Signing = unsigned
    ) -> None:
        self._log = log
        self._partition = partition
        self._sandbox = sandbox
        self._signing = signing
        self._position = 0
        self._committed: int | None = None
        self._begun: int | None = None

    def restore(self) -> None:
        """Fence the earlier owner, and continue from its offset; without one, from the first
        event.
        """
        self._log.fence(self._partition)
        committed = self._log.committed(self._partition)
        self._position = 0 if committed is None else committed.offset
        self._committed = None if committed is None else committed.offset
        _log.info("reacting", partition=self._partition, offset=self._position)

    def restoring(self) -> Iterator[None]:
        """The same, for `consumers.runner`: it is one slice."""
        self.restore()
        yield

    def step(self, timeout_seconds: float) -> int:
        """Begin and finish: for whoever works on one partition only."""
        done = self.begin(timeout_seconds)
        self.finish()
        return done

    def begin(self, timeout_seconds: float = 0.0) -> int:
        """React to the next events of the partition; returns how many were read.

        1. Read a batch. 2. Call the reactions for every event. 3. Begin to commit commands and
        offset. `finish`: 4. Wait for the commit.
        A crash before 3 leaves nothing, and the same batch is read again; between 3 and 4 it leaves
        nothing or everything.
        """
        batch = self._log.read(
            Topic.EVENTS, self._partition, self._position, MAX_BATCH, timeout_seconds
        )
        if not batch.records and batch.next_position == self._committed:
            return 0
        passing("reactor.read")
        signer = self._signing()
        outgoing = [each for found in batch.records for each in self._react(found, signer)]
        passing("reactor.reacted")
        self._log.begin_commit(self._partition, outgoing, batch.next_position, "")
        self._begun = batch.next_position
        return len(batch.records)

    def finish(self) -> None:
        """Wait for the commit that was begun, if there is one."""
        begun, self._begun = self._begun, None
        if begun is None:
            return
        result = self._log.finish_commit(self._partition)
        if result is not CommitResult.OK:
            raise CommitLost(f"partition {self._partition}: commit result {result.name}")
        passing("reactor.committed")
        self._position = self._committed = begun

    def close(self) -> None:
        """Nothing to close."""

    def _react(self, found: LogRecord, signer: Signer | None) -> list[Outgoing]:
        if event_name_of(found.value) not in _REACTED_TO:
            return []
        recorded = decode_event(found.value)
        at = recorded.meta.recorded_at if self._sandbox else None
        return [
            command_record(
                follow_up(recorded.meta, reaction.__name__, index, body, sandbox_at=at),
                self._log.partition_count,
                signer,
            )
            for reaction, kinds in REACTIONS
            if isinstance(recorded.body, kinds)
            for index, body in enumerate(reaction(recorded))
        ]
