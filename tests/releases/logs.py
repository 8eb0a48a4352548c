"""Reads a log of a release: every record as it stood in its topic, in `<version>.jsonl`."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

from consumers.deciding.decider import GROUP, PartitionDecider, World
from consumers.deciding.store import Store
from ledger.log.memory import MemoryCluster
from ledger.log.seam import LogRecord, Outgoing, Topic
from ledger.terms.table import released_terms
from ledger.values.instants import Instant
from ledger.vocabulary.events import LedgerOpened
from ledger.wire.avro.codec import decode_event

FOLDER = Path(__file__).parent
AFTER: Instant = 1_752_100_000_000_000
"""After the last record of every log here."""


def records_of(release: str) -> dict[Topic, list[LogRecord]]:
    """The records of the one partition of each topic."""
    found: dict[Topic, list[LogRecord]] = {topic: [] for topic in Topic}
    for line in (FOLDER / f"{release}.jsonl").read_text("utf-8").splitlines():
        raw = json.loads(line)
        found[Topic(raw["topic"])].append(
            LogRecord(
                partition=0,
                offset=raw["offset"],
                appended_at=raw["at"],
                key=None if raw["key"] is None else raw["key"].encode(),
                value=b64decode(raw["value"]),
                headers=tuple((name, value.encode()) for name, value in raw["headers"]),
            )
        )
    return found


class Continued:
    """A broker that has the log of a release, and this version's decider on it."""

    def __init__(self, release: str) -> None:
        self.now = AFTER
        self.cluster = MemoryCluster(1, lambda: self.now)
        for topic, records in records_of(release).items():
            partition = self.cluster._log(topic, 0)
            for record in records:
                partition.end = record.offset
                outgoing = Outgoing(
                    topic=topic,
                    partition=0,
                    key=record.key,
                    value=record.value,
                    headers=record.headers,
                )
                partition.append(outgoing, record.appended_at)
        first = next(iter(self.cluster.replay(Topic.EVENTS)))
        opened = decode_event(first.value).body
        assert isinstance(opened, LedgerOpened)
        world = World(opened=opened, terms=released_terms())
        store = Store(None, 0, world.events_topic_id)
        log = self.cluster.consumer(GROUP, Topic.COMMANDS)
        self.decider = PartitionDecider(log, 0, store, world)
        self.decider.restore()

    def decided(self) -> None:
        """Decide all there is."""
        while self.decider.step(0):
            pass
