"""A sandbox in which the example files were submitted, and its pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import psycopg
import pytest
from fastapi.testclient import TestClient

from console.commands.submit import outcomes_of
from console.submitting.command_files import commands_in
from console.submitting.live_listener import Listener
from console.web.application import application
from console.web.pages.rendering.environment import Look
from tests.console.ledgers import RunningLedger
from tests.console.web.conftest import TESTING, asked_by_anybody
from tests.console.web.serving import ledger_of
from tests.console.web.walk.seen import SeenBackend
from tests.house.tree import ROOT

FILES = (
    "01-five-days",
    "04-averted-destruction",
    "10-marketplace-approved",
    "20-reservation-refund",
    "24-reservation-exchange",
    "31-settlement-invoice",
    "34-settlement-card-changed",
    "35-corrections",
    "41-downgrades",
    "44-gateway-two-answers",
    "45-what-may-be-done",
)


@pytest.fixture(scope="module")
def storied(sandbox_ledger: RunningLedger) -> RunningLedger:
    """The ledger, at the end of the last story."""
    listener = Listener(sandbox_ledger.kafka)
    with psycopg.connect(sandbox_ledger.database_url, autocommit=True) as connection:
        try:
            for name in FILES:
                path = ROOT / "examples" / f"{name}.jsonl"
                with commands_in(path, require_at=True) as commands:
                    commands.look(lambda _, __: None)
                    found = outcomes_of(
                        connection,
                        listener,
                        commands.lines(),
                        nullcontext,
                        sandbox=True,
                        referred=commands.survey.referred,
                    )
                    assert len(list(found)) > 1
        finally:
            listener.close()
    return sandbox_ledger


@pytest.fixture(scope="module")
def backend(storied: RunningLedger) -> SeenBackend:
    """It remembers what the pages ask the database."""
    return SeenBackend(ledger_of(storied))


@pytest.fixture(scope="module")
def pages(backend: SeenBackend) -> Iterator[TestClient]:
    """Its pages, open."""
    app = application(backend, everything_open=True, hosts=TESTING)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def hushed(storied: RunningLedger) -> Iterator[TestClient]:
    """Its pages, read only and incognito."""
    look = Look(read_only=True, incognito=True)
    with asked_by_anybody(ledger_of(storied), look) as client:
        yield client
