"""Serves the web application of a test's ledger at a free port of the loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from console.commands.serve import listening_at
from console.running.ledger_locator import Ledger
from tests.console.ledgers import RunningLedger


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Where it answers."""
    with listening_at("127.0.0.1", 0) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        app.state.live.stopping = lambda: server.should_exit
        running = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        running.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            running.join()


def ledger_of(found: RunningLedger) -> Ledger:
    """Where a running ledger is, as the application is told."""
    return Ledger(
        bootstrap=found.kafka.bootstrap,
        database_url=found.database_url,
        partition_count=found.kafka.partition_count,
        prefix=found.kafka.prefix,
        security=found.kafka.security,
    )
