"""The only producer of a transactional id that writes without a group's offsets.

It follows the same rules as `transactional_writer`: every send is finished before the commit, the
producer's id and epoch must not change, and after any error the producer is not used again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from kafka import errors

from ledger.log.kafka.client.connection import close_producer
from ledger.log.kafka.client.records import check_outgoing, send_all
from ledger.log.kafka.client.settings import KafkaSettings
from ledger.log.kafka.client.watchdog import Watchdog, end_process
from ledger.log.kafka.reading.offsets import Offsets
from ledger.log.kafka.writing.hanging_transactions import HangingTransactions
from ledger.log.kafka.writing.transactional_producer import (
    connections_of,
    fenced_producer,
    identity_of,
)
from ledger.log.kafka.writing.transactional_writer import shut_out
from ledger.log.seam import LogUnavailable, MemberReplaced, Outgoing, Published, Topic, WrongWorld

_POLL_SECONDS = 0.05
_CLEANUP_SECONDS = 15.0
"""The broker checks every ten seconds for transactions that have timed out."""


class KafkaOnlyWriter:
    """Satisfies `ledger.log.seam.OnlyWriter`. Opening it fences all earlier writers of the name.

    Raises LogUnavailable if brokers do not answer. `on_hang` ends the process, except in tests.
    """

    def __init__(
        self, settings: KafkaSettings, name: str, on_hang: Callable[[str], None] = end_process
    ) -> None:
        self._settings = settings
        self._name = settings.group_name(name)
        self._watchdog = Watchdog(settings.watchdog_seconds, on_hang)
        self._offsets = Offsets(settings)
        self._hanging = HangingTransactions(settings, self._offsets.admin)
        self._used: set[Any] = set()
        with self._watchdog.guard(f"fence of {self._name}"):
            try:
                self._producer: Any = fenced_producer(settings, self._name)
            except LogUnavailable:
                self._let_go()
                raise
            self._identity = identity_of(self._producer)
            try:
                self._hanging.end(self._name, *self._identity)
            except (LogUnavailable, WrongWorld):
                self.close()
                raise

    def await_settled(self, topic: Topic) -> None:
        """Wait until the last stable offsets have reached the present high watermarks."""
        partitions = list(range(self._settings.partition_count))
        ends = self._offsets.ends(topic, partitions)
        patience = self._settings.transaction_timeout_ms / 1000 + _CLEANUP_SECONDS
        deadline = time.monotonic() + patience
        while True:
            stable = self._offsets.stable_ends(topic, partitions)
            late = [place for place in partitions if stable[place] < ends[place]]
            if not late:
                return
            if time.monotonic() >= deadline:
                raise LogUnavailable(
                    f"{self._settings.topic_name(topic)}: a transaction has been open in "
                    f"partitions {late} for {patience:g} s; check the decider, and try again"
                )
            time.sleep(_POLL_SECONDS)

    def write(
        self,
        first: Sequence[Outgoing],
        then: Callable[[tuple[Published, ...]], Sequence[Outgoing]],
    ) -> tuple[Published, ...]:
        """In one transaction; see `ledger.log.seam.OnlyWriter`."""
        check_outgoing(self._settings, first)
        self._await_last()
        with self._watchdog.guard(f"transaction of {self._name}"):
            try:
                self._producer.begin_transaction()
                places = self._settled(first)
                self._settled(then(places))
                self._check_identity()
                self._producer.commit_transaction()
                self._check_identity()
                self._used = connections_of(self._producer)
            except errors.KafkaError as error:
                if shut_out(error):
                    raise MemberReplaced(
                        f"another process writes as {self._name} now, and this one wrote nothing "
                        "more; run it again"
                    ) from error
                raise LogUnavailable(
                    f"it is not known whether {self._name} wrote its records: {error!r}; run it "
                    "again, it reads in the log what was written"
                ) from error
        return places

    def close(self) -> None:
        """Close the connections, without a commit."""
        with self._watchdog.guard(f"close of {self._name}"):
            close_producer(self._producer)
            self._let_go()

    def _let_go(self) -> None:
        self._offsets.close()
        self._watchdog.close()

    def _await_last(self) -> None:
        """See rule 2 of the writer: the next transaction must not end a hanging one."""
        if not self._hanging.may_follow(self._name, self._producer, self._used):
            raise LogUnavailable(
                f"{self._name} has lost a broker since its last write; run it again, it reads in "
                "the log what was written"
            )

    def _settled(self, records: Sequence[Outgoing]) -> tuple[Published, ...]:
        """Send, and wait until every record has its offset; KafkaError if one fails."""
        futures = send_all(self._producer, self._settings, records)
        if futures:
            self._producer.flush(timeout=self._settings.delivery_timeout_ms / 1000)
        acks = [future.get(timeout=0) for future in futures]
        return tuple(
            Published(partition=ack.partition, offset=ack.offset, appended_at=ack.timestamp * 1000)
            for ack in acks
        )

    def _check_identity(self) -> None:
        current = identity_of(self._producer)
        if current != self._identity:
            raise errors.KafkaError(f"producer id and epoch {self._identity} became {current}")
