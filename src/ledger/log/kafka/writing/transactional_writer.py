"""The only producer that may write the results of a source partition, in transactions.

A commit has two steps: after `begin` the transaction is under way on the network thread, and
`finish` waits for its result. Between the two this thread can work on other partitions.

1. Nothing is aborted here. After any error the result is UNKNOWN or FENCED and the process ends;
   the next owner's fence ends the transaction.
2. After a slow commit, or if a connection was replaced since the last one began, the producer is
   replaced. In this version of the protocol a delayed commit request could end the next
   transaction. And a broker that died may have left the last one hanging, and then the next one
   would decide its result. So the next begins only when the last is known to have ended on the same
   connections. The new producer fences any other process that has become the writer. So it writes
   only if the group's offset is still the one that was committed here; otherwise another process
   has taken over the partition.
3. Transactions that hang in spite of the fence are ended before anything is written: see `hanging`.

What holds within a transaction: see `transaction`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any

from kafka import OffsetAndMetadata, TopicPartition, errors
from msgspec import Struct

from ledger.log.failpoints import passing
from ledger.log.kafka.client.settings import KafkaSettings
from ledger.log.kafka.writing.hanging_transactions import HangingTransactions
from ledger.log.kafka.writing.transaction import Producer, Reconnected, Requests, fence
from ledger.log.seam import CommitResult, Committed, LogUnavailable, Outgoing

_log = logging.getLogger(__name__)
_SHUT_OUT = (
    errors.ProducerFencedError,
    errors.InvalidProducerEpochError,
    errors.FencedInstanceIdError,
    errors.CommitFailedError,
)


class TransactionalWriter:
    """Writes for one source partition of one group. Constructing it fences: no earlier writer can
    commit. Raises LogUnavailable.

    `committed` reads the group's stable offset of the source; `hanging` ends hanging transactions;
    `guard` is used around every call that could hang; `seconds` is the monotonic clock.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        group: str,
        source: TopicPartition,
        requests: Requests,
        committed: Callable[[], Committed | None],
        hanging: HangingTransactions,
        guard: Callable[[str], AbstractContextManager[None]],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._source = source
        self._requests = requests
        self._committed = committed
        self._last: Committed | None = None
        self._hanging = hanging
        self._guard = guard
        self._seconds = seconds
        self._transactional_id = f"{settings.group_name(group)}-{source.partition}"
        self._begun: _Begun | None = None
        self._retire = False
        self._used: set[object] = set()
        self._open()

    @property
    def producer_id(self) -> int:
        """The producer id at the brokers."""
        return self._producer.identity.producer_id

    def begin(
        self, records: Sequence[Outgoing], next_offset: int, metadata: str, membership: Any
    ) -> None:
        """Begin a transaction of the records and the offset, for the group given by `membership`.
        Raises LogUnavailable if it cannot begin.
        """
        if self._begun is not None:
            raise ValueError(f"{self._transactional_id}: the last commit is not finished")
        begun = _Begun(
            records=records,
            next=Committed(offset=next_offset, metadata=metadata),
            membership=membership,
            started=self._seconds(),
            connections=self._requests.connections(),
        )
        if self._retire or not self._used <= begun.connections:
            begun.shut_out = not self._renewed()
            begun.connections = self._requests.connections()
        if not begun.shut_out:
            self._start(begun)
        self._begun = begun

    def finish(self) -> CommitResult:
        """The result of the transaction that was begun; waits for it."""
        begun, self._begun = self._begun, None
        if begun is None:
            raise ValueError(f"{self._transactional_id}: no commit was begun")
        what = f"commit of {self._transactional_id} at {begun.next.offset}"
        if begun.shut_out:
            return CommitResult.FENCED
        with self._guard(what):
            try:
                self._wait(begun)
            except Exception as error:  # after any error the process ends; see rule 1
                result = CommitResult.FENCED if shut_out(error) else CommitResult.UNKNOWN
                _log.error("%s: %s: %r", what, result.name, error)
                return result
        slow = self._seconds() - begun.started > self._settings.slow_commit_seconds
        self._last = begun.next
        self._used = self._requests.connections()
        self._retire = slow or not begun.connections <= self._used
        return CommitResult.OK

    def _start(self, begun: _Begun) -> None:
        place = OffsetAndMetadata(begun.next.offset, begun.next.metadata, -1)
        begun.result = self._requests.start(
            self._producer.transaction(
                begun.records, {self._source: place}, begun.membership, self._used
            )
        )

    def _wait(self, begun: _Begun) -> None:
        """If a connection was replaced before the transaction began, begin it again, once."""
        patience = self._settings.delivery_timeout_ms / 1000
        assert begun.result is not None
        try:
            begun.result.result(patience)
        except Reconnected:
            if not self._renewed():
                raise errors.ProducerFencedError from None
            begun.connections = self._requests.connections()
            self._start(begun)
            begun.result.result(patience)

    def _renewed(self) -> bool:
        """See rule 2. False if another process has taken over."""
        self._open()
        return self._committed() == self._last

    def _open(self) -> None:
        """Fence: stop this id's earlier producers, and end their open or hanging transactions."""
        settings, name = self._settings, self._transactional_id
        with self._guard(f"fence of {name}"):
            try:
                work = fence(settings, self._requests, name)
                identity = self._requests.start(work).result(settings.delivery_timeout_ms / 1000)
            except (errors.KafkaError, TimeoutError) as error:
                raise LogUnavailable(f"fence of {name}: {error!r}") from error
            self._hanging.end(name, identity.producer_id, identity.epoch)
        self._producer = Producer(settings, self._requests, identity)
        self._retire, self._used = False, set()
        passing("writer.fenced")


class _Begun(Struct, kw_only=True, eq=False):
    """A transaction that is under way. `shut_out`: another process has taken over the partition."""

    records: Sequence[Outgoing]
    next: Committed
    membership: Any
    started: float
    connections: set[object]
    shut_out: bool = False
    result: Future[None] | None = None


def shut_out(error: BaseException | None) -> bool:
    """Whether an error, or its cause, says that another owner has taken over."""
    if error is None:
        return False
    causes = [cause for cause in error.args if isinstance(cause, BaseException)]
    return isinstance(error, _SHUT_OUT) or any(map(shut_out, [error.__cause__, *causes]))
