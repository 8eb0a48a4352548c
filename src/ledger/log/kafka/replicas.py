"""The state of the replicas: the running brokers, and partitions with missing replicas."""

from __future__ import annotations

from typing import Any

from kafka import KafkaAdminClient
from msgspec import Struct

from ledger.log.kafka.client.connection import ask, open_client
from ledger.log.kafka.client.settings import KafkaSettings, admin_options
from ledger.log.seam import Topic


class Replicas(Struct, frozen=True, kw_only=True):
    """`brokers` are running. Each of `under_replicated` (`topic/partition`) has a missing replica
    now; those of `unwritable` cannot be written, because too few replicas are in sync.
    """

    brokers: int
    replication: int
    under_replicated: tuple[str, ...]
    unwritable: tuple[str, ...]


def replicas(settings: KafkaSettings) -> Replicas:
    """Ask the brokers. Raises LogUnavailable."""
    admin: Any = open_client(KafkaAdminClient, settings, admin_options(settings))
    try:
        names = [settings.topic_name(topic) for topic in Topic]
        topics = ask(settings, "describing topics", lambda: admin.describe_topics(names))
        cluster = ask(settings, "describing the cluster", admin.describe_cluster)
    finally:
        admin.close()
    found = [
        (f"{topic['name']}/{each['partition_index']}", each)
        for topic in topics
        for each in topic["partitions"]
    ]
    replication = max((len(each["replica_nodes"]) for _, each in found), default=0)
    in_step = max(1, replication - 1)
    return Replicas(
        brokers=sum(not each.get("is_fenced") for each in cluster["brokers"]),
        replication=replication,
        under_replicated=_with_fewer(found, replication),
        unwritable=_with_fewer(found, in_step),
    )


def _with_fewer(found: list[tuple[str, Any]], copies: int) -> tuple[str, ...]:
    return tuple(sorted(name for name, each in found if len(each["isr_nodes"]) < copies))
