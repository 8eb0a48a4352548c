"""Detects partitions that no member of a group owns, although no rebalance is running.

A partition moves in two rebalances: its owner releases it in the first and requests the second. If
the owner dies in between, it returns with its static member id, gets the assignment of the first
rebalance without a new one, and the partition has no owner. So a member that does not own all
partitions checks this regularly, and requests a rebalance.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from ledger.log.kafka.client.connection import ask_coordinator
from ledger.log.kafka.client.settings import KafkaSettings
from ledger.log.seam import LogUnavailable, Topic

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 5.0


class UnownedPartitions:
    """Checks one group's assignments of one topic; takes milliseconds every few seconds."""

    def __init__(self, settings: KafkaSettings, group: str, source: Topic, admin: Any) -> None:
        self._settings = settings
        self._group = settings.group_name(group)
        self._topic = settings.topic_name(source)
        self._admin = admin
        self._next_look = 0.0

    def found(self) -> bool:
        """Whether a check was due and found partitions without an owner."""
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + _EVERY_SECONDS
        try:
            orphans = self._orphans()
        except LogUnavailable as error:
            _log.warning("checking group %s for partitions without owner: %s", self._group, error)
            return False
        if orphans:
            _log.warning("group %s: no owner of %s of %s", self._group, orphans, self._topic)
        return bool(orphans)

    def _orphans(self) -> list[int]:
        described = ask_coordinator(
            self._settings,
            f"members of {self._group}",
            self._admin,
            lambda: self._admin.describe_groups([self._group])[self._group],
        )
        if described["group_state"] != "Stable":
            return []
        orphans = set(range(self._settings.partition_count))
        for member in described["members"]:
            for share in (member["member_assignment"] or {}).get("assigned_partitions", ()):
                if share["topic"] == self._topic:
                    orphans -= set(share["partitions"])
        return sorted(orphans)
