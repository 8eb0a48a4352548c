"""Asks the brokers about themselves: version, clock, disks, open transactions, certificates."""

from __future__ import annotations

import contextlib
from typing import Any

from kafka import IsolationLevel, KafkaAdminClient, TopicPartition
from msgspec import Struct

from ledger.log.kafka.client.access_check import certificate_shown
from ledger.log.kafka.client.connection import addresses, ask, open_client
from ledger.log.kafka.client.settings import KafkaSettings, admin_options
from ledger.log.kafka.reading.offsets import ends_of
from ledger.log.seam import Topic
from ledger.values.instants import Instant

_MILLI = 1_000


class Disk(Struct, frozen=True, kw_only=True):
    """Where a broker keeps records."""

    broker: int
    folder: str
    total_bytes: int
    usable_bytes: int


class OpenTransaction(Struct, frozen=True, kw_only=True):
    """A transaction in a partition that was neither committed nor aborted, and its last record."""

    topic: str
    partition: int
    producer_id: int
    written_at: Instant


class Examination:
    """Asks over one admin's connection. Raises LogUnavailable, also where asking is not allowed."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._admin: Any = open_client(KafkaAdminClient, settings, admin_options(settings))

    def version(self) -> tuple[int, ...]:
        """The version of the protocol that the brokers speak, such as (4, 3)."""
        found: tuple[int, ...] = self._admin._manager.broker_version_data.broker_version
        return found

    def clock(self) -> Instant:
        """The clock of the active controller.

        It states the time at which it has last fetched from itself, which is the present.
        """
        found = ask(self._settings, "the controllers", self._admin.describe_metadata_quorum)
        (quorum,) = (each for topic in found["topics"] for each in topic["partitions"])
        leader = quorum["leader_id"]
        (said,) = (
            each["last_caught_up_timestamp"]
            for each in quorum["current_voters"]
            if each["replica_id"] == leader
        )
        return int(said) * _MILLI

    def disks(self) -> tuple[Disk, ...]:
        """The folders of all brokers; those whose size a broker does not tell are left out."""
        names = [self._settings.topic_name(topic) for topic in Topic]
        found = ask(self._settings, "the disks", lambda: self._admin.describe_log_dirs(names))
        return tuple(
            Disk(
                broker=broker["broker"],
                folder=each["log_dir"],
                total_bytes=each["total_bytes"],
                usable_bytes=each["usable_bytes"],
            )
            for broker in found
            for each in broker["log_dirs"]
            if each.get("total_bytes", -1) > 0
        )

    def open_transactions(self) -> tuple[OpenTransaction, ...]:
        """Those in the ledger's topics now."""
        places = [
            TopicPartition(self._settings.topic_name(topic), partition)
            for topic in Topic
            for partition in range(self._settings.partition_count)
        ]
        stable, end = (
            ends_of(self._settings, self._admin, places, level)
            for level in (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED)
        )
        unstable = [place for place in places if stable[place] < end[place]]
        if not unstable:
            return ()
        found = ask(
            self._settings, "transactions", lambda: self._admin.describe_producers(unstable)
        )
        return tuple(
            OpenTransaction(
                topic=place.topic,
                partition=place.partition,
                producer_id=producer.producer_id,
                written_at=producer.last_timestamp * _MILLI,
            )
            for place, state in found.items()
            for producer in state.active_producers
            if producer.current_transaction_start_offset >= 0
        )

    def close(self) -> None:
        """Close the connection."""
        self._admin.close()


def certificates_shown(settings: KafkaSettings) -> dict[str, bytes]:
    """The certificate that each bootstrap broker shows, in DER, also one that is not accepted.

    None without TLS; brokers that do not answer are left out.
    """
    found = {}
    if settings.security.protocol.has_tls:
        for host, port in addresses(settings):
            with contextlib.suppress(OSError):
                found[f"{host}:{port}"] = certificate_shown(
                    settings.security, host, port, settings.connect_timeout_seconds
                )
    return found
