"""The clock of a sandbox is shown and advanced by HTTP; a ledger in real time has none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.console.ledgers import RunningLedger
from tests.console.web.conftest import asked_by_anybody
from tests.console.web.serving import ledger_of

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def sandbox(sandbox_ledger: RunningLedger) -> Iterator[TestClient]:
    """The application over a sandbox."""
    with asked_by_anybody(ledger_of(sandbox_ledger)) as client:
        yield client


def test_a_sandbox_is_advanced_and_never_back(sandbox: TestClient) -> None:
    target = "2031-02-01T00:00:00Z"
    assert sandbox.post("/v1/clock", json={"to": target}).json() == {"sandbox_at": target}
    assert sandbox.get("/v1/clock").json() == {"sandbox_at": target}
    back = sandbox.post("/v1/clock", json={"to": "2031-01-31T00:00:00Z"})
    assert back.status_code == 409
    assert sandbox.get("/v1/clock").json() == {"sandbox_at": target}
    assert sandbox.post("/v1/clock", json={"to": "tomorrow"}).status_code == 400


def test_real_time_is_not_set(client: TestClient) -> None:
    assert client.get("/v1/clock").json() == {"sandbox_at": None}
    assert client.post("/v1/clock", json={"to": "2031-02-01T00:00:00Z"}).status_code == 409
