"""A broker or a database that is away: the answer says so, with the command id to look up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from msgspec.structs import replace

from console.running.origins.changes import start_required
from console.running.origins.key_files import key_file
from console.running.origins.origin_folder import OriginFolder
from console.running.origins.own_signature import CONSOLE
from tests.console.ledgers import RunningLedger
from tests.console.web.conftest import asked_by_anybody
from tests.console.web.serving import ledger_of
from tests.console.web.test_api import OPENING, give
from tests.console.web.test_batches import line, send

pytestmark = pytest.mark.timeout(300)
NOBODY = "127.0.0.1:9"


@pytest.fixture
def without_brokers(live_ledger: RunningLedger) -> Iterator[TestClient]:
    """The database answers, and no broker does."""
    with asked_by_anybody(replace(ledger_of(live_ledger), bootstrap=NOBODY)) as client:
        yield client


def test_a_command_without_brokers_is_told_with_its_id(without_brokers: TestClient) -> None:
    found = give(without_brokers, "away-1", "OpenAccount", OPENING, "open")
    assert found.status_code == 503
    assert found.json()["command_id"] == "open"
    assert "/v1/accounts/away-1/commands/open" in found.json()["detail"]
    assert without_brokers.get("/v1/accounts").status_code == 200


def test_nothing_is_published_unsigned_where_it_would_be_lost(
    live_ledger: RunningLedger, tmp_path: Path
) -> None:
    folder = OriginFolder(tmp_path / "origins")
    list(start_required(folder))
    key_file(folder.path, CONSOLE, "k1").unlink()
    with asked_by_anybody(replace(ledger_of(live_ledger), origins=folder.path)) as client:
        found = give(client, "unsigned-1", "OpenAccount", OPENING, "open")
        (told,) = send(client, line("unsigned-2", "open", "OpenAccount", OPENING))
    assert found.status_code == told["status"] == 503
    assert "no valid key of origin 'console' is here" in found.json()["detail"]
    assert "no valid key of origin 'console' is here" in told["detail"]


def test_each_line_of_a_batch_without_brokers_is_told_with_its_id(
    without_brokers: TestClient,
) -> None:
    lines = [line(f"away-{number}", "open", "OpenAccount", OPENING) for number in range(3)]
    found = send(without_brokers, *lines)
    assert [(each["line"], each["status"]) for each in found] == [(1, 503), (2, 503), (3, 503)]
    assert [each["account"] for each in found] == [json.loads(each)["account"] for each in lines]
