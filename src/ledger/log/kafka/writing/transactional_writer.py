"""The only producer that may write the results of a source partition, in transactions.

The client is used only in ways that were found to be safe:

1. Nothing is in flight at commit: every send is finished first, because a batch that failed inside
   a transaction does not prevent the client from committing the rest.
2. The producer id and epoch must be the same before and after, because the client can get a new
   epoch during a transaction and then report a commit that it never sent.
3. Nothing is retried or aborted here. After any error the result is UNKNOWN or FENCED and the
   process ends; the next owner's fence ends the transaction.
4. After a slow commit, or if a connection was replaced since the last one began, the producer is
   replaced. In this version of the protocol a delayed commit request could end the next
   transaction. And a broker that died may have left the last one hanging, and then the next one
   would decide its result. So the next begins only when the last is known to have ended on the same
   connections. The new producer fences any other process that has become the writer. So it writes
   only if the group's offset is still the one that was committed here; otherwise another process
   has taken over the partition.
5. Transactions that hang in spite of the fence are ended before anything is written: see `hanging`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from kafka import OffsetAndMetadata, TopicPartition, errors

from ledger.log.failpoints import passing
from ledger.log.kafka.client.connection import close_producer
from ledger.log.kafka.client.records import send_all
from ledger.log.kafka.client.settings import KafkaSettings
from ledger.log.kafka.writing.hanging_transactions import HangingTransactions
from ledger.log.kafka.writing.transactional_producer import (
    connections_of,
    fenced_producer,
    identity_of,
    open_producer,
)
from ledger.log.seam import CommitResult, Committed, LogUnavailable, Outgoing, WrongWorld

_log = logging.getLogger(__name__)
_SHUT_OUT = (
    errors.ProducerFencedError,
    errors.InvalidProducerEpochError,
    errors.FencedInstanceIdError,
    errors.CommitFailedError,
)


class TransactionalWriter:
    """Writes for one source partition of one group. Constructing it fences: no earlier writer can
    commit.

    `committed` reads the group's stable offset of the source; `hanging` ends hanging transactions;
    `guard` is used around every call that could hang; `new_producer` and `seconds` give the client
    and the monotonic clock.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        group: str,
        source: TopicPartition,
        committed: Callable[[], Committed | None],
        hanging: HangingTransactions,
        guard: Callable[[str], AbstractContextManager[None]],
        new_producer: Callable[[KafkaSettings, str], Any] = open_producer,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._source = source
        self._committed = committed
        self._last: Committed | None = None
        self._hanging = hanging
        self._guard = guard
        self._new_producer = new_producer
        self._seconds = seconds
        self._transactional_id = f"{settings.group_name(group)}-{source.partition}"
        self._retire = False
        self._used: set[Any] = set()
        self._open()

    @property
    def producer_id(self) -> int:
        """The producer id at the brokers."""
        return self._identity[0]

    def commit(
        self, records: Sequence[Outgoing], next_offset: int, metadata: str, membership: Any
    ) -> CommitResult:
        """In one transaction: records, then the offset for the group given by `membership`. Raises
        LogUnavailable if the transaction could not begin.
        """
        if self._retire or not self._may_follow():
            self.close()
            self._open()
            if self._committed() != self._last:
                return CommitResult.FENCED
        what = f"commit of {self._transactional_id} at {next_offset}"
        offsets = {self._source: OffsetAndMetadata(next_offset, metadata, -1)}
        started = self._seconds()
        connections = self._connections()
        with self._guard(what):
            try:
                self._write(records, offsets, membership)
                connections |= self._connections()
                passing("writer.offsets")
                self._producer.commit_transaction()
                passing("writer.committed")
                self._check_identity()
            except Exception as error:  # after any error the process ends; see rule 3
                result = CommitResult.FENCED if shut_out(error) else CommitResult.UNKNOWN
                _log.error("%s: %s: %r", what, result.name, error)
                return result
        slow = self._seconds() - started > self._settings.slow_commit_seconds
        self._last = Committed(offset=next_offset, metadata=metadata)
        self._used = self._connections()
        self._retire = slow or not connections <= self._used
        return CommitResult.OK

    def close(self) -> None:
        """Close the connections, without a commit."""
        with self._guard(f"close of {self._transactional_id}"):
            close_producer(self._producer)

    def _open(self) -> None:
        """Fence: stop this id's earlier producers, and end their open or hanging transactions."""
        with self._guard(f"fence of {self._transactional_id}"):
            self._producer: Any = fenced_producer(
                self._settings, self._transactional_id, self._new_producer
            )
            self._identity = identity_of(self._producer)
            try:
                self._hanging.end(self._transactional_id, *self._identity)
            except (LogUnavailable, WrongWorld):
                close_producer(self._producer)
                raise
        self._retire, self._used = False, set()
        passing("writer.fenced")

    def _write(
        self,
        records: Sequence[Outgoing],
        offsets: dict[TopicPartition, OffsetAndMetadata],
        membership: Any,
    ) -> None:
        producer, settings = self._producer, self._settings
        producer.begin_transaction()
        futures = send_all(producer, settings, records)
        passing("writer.sent")
        if futures:
            producer.flush(timeout=settings.delivery_timeout_ms / 1000)
        for future in futures:
            future.get(timeout=0)
        passing("writer.settled")
        producer.send_offsets_to_transaction(offsets, membership)
        self._check_identity()

    def _check_identity(self) -> None:
        current = identity_of(self._producer)
        if current != self._identity:
            raise errors.KafkaError(f"producer id and epoch {self._identity} became {current}")

    def _may_follow(self) -> bool:
        """See rule 4."""
        return self._hanging.may_follow(self._transactional_id, self._producer, self._used)

    def _connections(self) -> set[Any]:
        return connections_of(self._producer)


def shut_out(error: BaseException | None) -> bool:
    """Whether an error, or its cause, says that another owner has taken over."""
    if error is None:
        return False
    causes = [cause for cause in error.args if isinstance(cause, BaseException)]
    return isinstance(error, _SHUT_OUT) or any(map(shut_out, [error.__cause__, *causes]))
