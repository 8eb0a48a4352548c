"""Single records of the log are found by their offset and by their number, between its gaps."""

from __future__ import annotations

from contextlib import closing

import pytest
from fastapi.testclient import TestClient

from console.web.log_records import LogRecords
from ledger.log.kafka import KafkaTools
from ledger.log.seam import Topic
from tests.console.ledgers import RunningLedger
from tests.console.web.test_api import OPENING, give

pytestmark = pytest.mark.timeout(300)


def test_every_event_is_found_by_its_number_and_by_its_offset(
    client: TestClient, live_ledger: RunningLedger
) -> None:
    for number in range(12):
        give(client, f"numbers-{number}", "OpenAccount", OPENING, "open")
    with (
        closing(KafkaTools(live_ledger.kafka)) as tools,
        closing(LogRecords(live_ledger.kafka)) as records,
    ):
        places: dict[int, int] = {}
        for record in tools.replay(Topic.EVENTS):
            number = places.setdefault(record.partition, 0)
            (found, *_) = records.numbered(record.partition, number)
            assert found == record
            (found, *_) = records.at(Topic.EVENTS, record.partition, record.offset)
            assert found == record
            places[record.partition] += 1
        assert sum(places.values()) >= 12
        ends = tools.end_offsets(Topic.EVENTS)
        assert any(ends[partition] > count for partition, count in places.items()), "no gaps"
        for partition, count in places.items():
            assert not records.numbered(partition, count)
            assert not records.at(Topic.EVENTS, partition, ends[partition])
