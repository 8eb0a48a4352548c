"""Running the command line in this process, and ledgers for it to talk to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from devstack import Services
from tests import services as real
from tests.console.ledgers import RunningLedger, running_ledger
from tests.console.virtual_terminal import Terminal


@pytest.fixture
def terminal(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Terminal]:
    """A terminal in a folder where nothing runs."""
    for name in ("KAFKA_BOOTSTRAP", "DATABASE_URL", "REFUNDS_PREFIX", "REFUNDS_PARTITIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REFUNDS_HOME", str(tmp_path / "home"))
    yield Terminal(capfd, monkeypatch)
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def sandbox_ledger(
    services: Services, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningLedger]:
    """A sandbox with all its processes, for the tests of a module."""
    with real.fresh_database(services.database_url) as url:
        folder = tmp_path_factory.mktemp("sandbox")
        with running_ledger(services.bootstrap, url, folder, sandbox=True) as found:
            yield found


@pytest.fixture(scope="module")
def live_ledger(
    services: Services, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningLedger]:
    """A ledger in the world's own time, for the tests of a module."""
    with real.fresh_database(services.database_url) as url:
        folder = tmp_path_factory.mktemp("live")
        with running_ledger(services.bootstrap, url, folder, sandbox=False) as found:
            yield found
