"""The web application over the module's ledger, asked in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from console.running.ledger_locator import Ledger
from console.web.application import application
from console.web.backend import Backend
from tests.console.ledgers import RunningLedger


@pytest.fixture(scope="module")
def client(live_ledger: RunningLedger) -> Iterator[TestClient]:
    """Answers as the served application does; a fault of ours is an answer too."""
    ledger = Ledger(
        bootstrap=live_ledger.kafka.bootstrap,
        database_url=live_ledger.database_url,
        partition_count=live_ledger.kafka.partition_count,
        prefix=live_ledger.kafka.prefix,
    )
    with TestClient(application(Backend(ledger)), raise_server_exceptions=False) as client:
        yield client
