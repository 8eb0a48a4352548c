"""The web application over the module's ledger, asked in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from console.running.ledger_locator import Ledger
from console.web.application import AS_USUAL, application
from console.web.backend import Backend
from console.web.pages.rendering.environment import Look
from tests.console.ledgers import RunningLedger
from tests.console.web.serving import ledger_of, served

TESTING = frozenset({"testserver"})
"""The host that a test client asks for."""


@pytest.fixture(scope="module")
def client(live_ledger: RunningLedger) -> Iterator[TestClient]:
    """Nobody has to sign in; a fault of ours is an answer too."""
    with asked_by_anybody(ledger_of(live_ledger)) as client:
        yield client


@pytest.fixture(scope="module")
def locked(live_ledger: RunningLedger) -> Iterator[TestClient]:
    """As it is served without --open."""
    backend = Backend(ledger_of(live_ledger))
    with TestClient(application(backend), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def url(live_ledger: RunningLedger) -> Iterator[str]:
    """Where the API is served to whoever asks."""
    app = application(Backend(ledger_of(live_ledger)), everything_open=True)
    with served(app) as found:
        yield found


def asked_by_anybody(ledger: Ledger, look: Look = AS_USUAL) -> TestClient:
    """The application over a ledger: nobody has to sign in, and a fault of ours is an answer."""
    app = application(Backend(ledger), everything_open=True, hosts=TESTING, look=look)
    return TestClient(app, raise_server_exceptions=False)
