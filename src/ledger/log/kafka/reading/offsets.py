"""Reads end offsets of topics and committed offsets of groups, over one connection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kafka import IsolationLevel, KafkaAdminClient, OffsetSpec, TopicPartition

from ledger.log.kafka.client.connection import ask, ask_coordinator, open_client
from ledger.log.kafka.client.settings import KafkaSettings, admin_options
from ledger.log.seam import Topic


class Offsets:
    """Reads through an admin client; each takes a few milliseconds."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self.admin: Any = open_client(KafkaAdminClient, settings, admin_options(settings))

    def ends(self, topic: Topic, partitions: list[int]) -> dict[int, int]:
        """The high watermarks: after the last record, open transactions included."""
        return self._ends(topic, partitions, IsolationLevel.READ_UNCOMMITTED)

    def stable_ends(self, topic: Topic, partitions: list[int]) -> dict[int, int]:
        """The last stable offsets: before the first record of the oldest open transaction."""
        return self._ends(topic, partitions, IsolationLevel.READ_COMMITTED)

    def committed(self, group: str, topic: Topic) -> dict[int, int]:
        """Committed offsets of a group, without those of an open transaction."""
        name = self._settings.group_name(group)
        places = [self._place(topic, p) for p in range(self._settings.partition_count)]
        found = ask_coordinator(
            self._settings,
            f"committed offsets of {name}",
            self.admin,
            lambda: self.admin.list_group_offsets({name: places}),
        )
        offsets = {place.partition: each.offset for place, each in found[name].items()}
        return {partition: offset for partition, offset in offsets.items() if offset >= 0}

    def close(self) -> None:
        """Close the connections."""
        self.admin.close()

    def _ends(
        self, topic: Topic, partitions: list[int], isolation: IsolationLevel
    ) -> dict[int, int]:
        places = [self._place(topic, partition) for partition in partitions]
        found = ends_of(self._settings, self.admin, places, isolation)
        return {place.partition: offset for place, offset in found.items()}

    def _place(self, topic: Topic, partition: int) -> TopicPartition:
        return TopicPartition(self._settings.topic_name(topic), partition)


def ends_of(
    settings: KafkaSettings,
    admin: Any,
    places: Iterable[TopicPartition],
    isolation: IsolationLevel,
) -> dict[TopicPartition, int]:
    """The end offsets of partitions of any topics, for a reader with this isolation level."""
    specs = dict.fromkeys(places, OffsetSpec.LATEST)
    topics = ", ".join(sorted({place.topic for place in specs}))
    found = ask(
        settings,
        f"end of {topics}",
        lambda: admin.list_partition_offsets(specs, isolation_level=isolation),
    )
    return {place: each.offset for place, each in found.items()}
