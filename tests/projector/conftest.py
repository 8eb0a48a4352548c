"""What the projector's tests share: a migrated database, and one pass over a source."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Event as Flag
from typing import Any

import psycopg
import pytest
from psycopg import sql

from ledger.log.seam import Batch
from projector.following.projection import Projection
from projector.migrations import migrate
from projector.rows.writer import READ_MODELS
from projector.runner import run
from projector.views import VIEWS
from tests.projector.stories import MemorySource

PASSING_TRIGGERS = "SET session_replication_role = replica"
"""For a test that plants a fault which the database itself refuses."""


@pytest.fixture
def migrated(database: str) -> str:
    """The conninfo of a database with all tables and views, empty."""
    migrate(database)
    return database


class OnePass:
    """A source that tells the projector to stop once there is nothing more to read."""

    def __init__(self, source: MemorySource, stop: Flag) -> None:
        self._source = source
        self._stop = stop

    @property
    def topic_id(self) -> str:
        return self._source.topic_id

    def ends(self) -> tuple[int, ...]:
        return self._source.ends()

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> Mapping[int, Batch]:
        found = self._source.read(positions, max_records, timeout_seconds)
        if not found:
            self._stop.set()
        return found

    def close(self) -> None:
        self._source.close()


def catch_up(conninfo: str, source: MemorySource, max_records: int = 5_000) -> None:
    """Project all there is, through the runner, then stop."""
    stop = Flag()
    projection = Projection(conninfo=conninfo, max_records=max_records)
    run(projection, lambda: OnePass(source, stop), stop)


def dump(conninfo: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every read model and checkpoint, in order of their keys."""
    with psycopg.connect(conninfo) as connection:
        found = {
            view.TABLE.name: connection.execute(
                sql.SQL("SELECT * FROM {} ORDER BY {}").format(
                    sql.Identifier(READ_MODELS, view.TABLE.name),
                    sql.SQL(", ").join(map(sql.Identifier, view.TABLE.key)),
                )
            ).fetchall()
            for view in VIEWS
        }
        found["checkpoints"] = connection.execute(
            "SELECT * FROM consumers.checkpoints ORDER BY consumer, partition"
        ).fetchall()
        return found
