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
    """Nobody has to sign in; a fault of ours is an answer too."""
    backend = Backend(ledger_of(live_ledger))
    with TestClient(application(backend, everything_open=True), raise_server_exceptions=False) as c:
        yield c


@pytest.fixture(scope="module")
def locked(live_ledger: RunningLedger) -> Iterator[TestClient]:
    """As it is served without --open."""
    backend = Backend(ledger_of(live_ledger))
    with TestClient(application(backend), raise_server_exceptions=False) as client:
        yield client


def ledger_of(live_ledger: RunningLedger) -> Ledger:
    """Where a running ledger is, as the application is told."""
    return Ledger(
        bootstrap=live_ledger.kafka.bootstrap,
        database_url=live_ledger.database_url,
        partition_count=live_ledger.kafka.partition_count,
        prefix=live_ledger.kafka.prefix,
        security=live_ledger.kafka.security,
    )
