"""The snapshots of a decider's partitions: where it reads them, and what writes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.running.ledger_locator import Ledger
    from consumers.deciding.snapshots.seam import Snapshots
    from consumers.deciding.snapshots.writing import SnapshotWriter


@contextmanager
def snapshots_of(
    ledger: Ledger, every_seconds: float
) -> Iterator[tuple[Snapshots | None, SnapshotWriter | None]]:
    """Both, as long as the decider runs; neither if they are turned off."""
    from consumers.deciding.snapshots.postgres import PostgresSnapshots
    from consumers.deciding.snapshots.writing import SnapshotWriter

    if not every_seconds:
        yield None, None
        return
    url = ledger.database_url
    with (
        closing(PostgresSnapshots(url)) as snapshots,
        closing(
            SnapshotWriter(lambda: PostgresSnapshots.for_writing(url), every_seconds)
        ) as writer,
    ):
        writer.start()
        yield snapshots, writer
