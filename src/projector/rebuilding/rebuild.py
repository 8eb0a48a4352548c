"""Builds read models again from the first event, in shadow tables, and swaps them in.

Readers and the projector continue meanwhile. Live rows are never patched.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import stamina
import structlog
from msgspec import Struct
from psycopg import Connection, IsolationLevel
from psycopg.errors import LockNotAvailable, QueryCanceled

from ledger.log.seam import EventSource
from projector.following import checkpoint
from projector.following.projection import BETWEEN_BATCHES, SESSION, Projection
from projector.progress import Progress
from projector.rebuilding import completeness, shadow_tables
from projector.rebuilding.backfill import REBUILDER, Backfill
from projector.rebuilding.byte_compare import first_difference
from projector.rebuilding.shadow_tables import BESIDE
from projector.reconciling.reconcile import Divergence
from projector.rows.writer import READ_MODELS
from projector.views import View

_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('refund-ledger:rebuild', 0))"
_CODE = Path(__file__).parents[1]
_READERS_SECONDS = 600.0

log = structlog.get_logger()


class RebuildUnderWay(Exception):
    """Another process is rebuilding read models of this database."""


class RebuildStalled(Exception):
    """The new tables are filled but the swap is blocked; the message says by whom."""


class Rebuilt(Struct, frozen=True, kw_only=True):
    """What a rebuild did, up to which offset of each partition. `divergences` are the differences
    from the old tables; None if no comparison was requested.
    """

    views: tuple[str, ...]
    positions: dict[int, int]
    events: int
    seconds: float
    divergences: tuple[Divergence, ...] | None


def rebuild(
    conninfo: str,
    source: EventSource,
    views: Sequence[View],
    tell: Callable[[Progress], None] = lambda _: None,
    *,
    verify: bool = False,
    max_records: int = 5_000,
) -> Rebuilt:
    """Fill these views again in shadow tables and swap them, while the projector continues.

    1. Take the lock of rebuilds. 2. Continue with the tables of an interrupted run of the same
    code, or create new ones. 3. Fold the log to the projector's position, batch by batch. 4.
    Collect the planner's statistics; they belong to the tables and stay with them. 5. To compare,
    stop the projector between two batches, fold up to its exact position and take a snapshot; then
    let it continue, and compare in the snapshot. 6. Stop it again, fold up to its position, and
    swap in one transaction. If readers block the swap, let both continue, and try again.

    After a crash before 6, tables and checkpoints agree, and the next run continues with them; step
    6 is one transaction.

    Raises RebuildUnderWay, RebuildStalled, WrongDatabase, WrongWorld, BrokenLog, LogUnavailable.
    """
    began = time.monotonic()
    projection = Projection(
        conninfo=conninfo,
        consumer=REBUILDER,
        schema=BESIDE,
        views=tuple(views),
        max_records=max_records,
    )
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(SESSION)
        connection.execute("SET lock_timeout = '60s'")
        shadow_tables.act_as_owner(connection)
        # 1
        _be_the_only_one(connection)
        # 2
        resumed = _begin(connection, projection, source.topic_id)
        folding = Backfill(connection, projection, source, tell, resumed=resumed)
        # 3
        folding.reach_the_projector()
        # 4
        shadow_tables.analyze(connection, [view.TABLE.name for view in views])
        # 5
        divergences = _compared(connection, folding, projection) if verify else None
        # 6
        _swap(connection, folding, views)
        return Rebuilt(
            views=tuple(view.TABLE.name for view in views),
            positions=checkpoint.positions(folding.places),
            events=folding.events,
            seconds=time.monotonic() - began,
            divergences=divergences,
        )


def plan_for(views: Sequence[View], topic_id: str) -> str:
    """The identity of a rebuild's tables: which views, which topic, which code."""
    digest = sha256()
    for file in sorted(
        [*_CODE.glob("rows/*.py"), *_CODE.glob("following/*.py"), *_CODE.glob("views/*.py")]
    ):
        digest.update(file.read_bytes())
    names = ", ".join(view.TABLE.name for view in views)
    return f"Being filled: {names}; topic id {topic_id}; code {digest.hexdigest()}"


def _be_the_only_one(connection: Connection[Any]) -> None:
    row = connection.execute(_TRY_LOCK).fetchone()
    if row is None or not row[0]:
        raise RebuildUnderWay("another rebuild of these read models is running; wait for it to end")


def _begin(connection: Connection[Any], projection: Projection, topic_id: str) -> bool:
    """Create the shadow tables; True if an interrupted run left usable ones."""
    plan = plan_for(projection.views, topic_id)
    if shadow_tables.plan_of(connection) == plan:
        return True
    with connection.transaction():
        shadow_tables.make(connection, [view.TABLE.name for view in projection.views], plan)
        _forget_places(connection)
    return False


def _forget_places(connection: Connection[Any]) -> None:
    connection.execute("DELETE FROM consumers.checkpoints WHERE consumer = %s", (REBUILDER,))


def _compared(
    connection: Connection[Any], folding: Backfill, projection: Projection
) -> tuple[Divergence, ...]:
    with psycopg.connect(projection.conninfo) as snapshot:
        snapshot.isolation_level = IsolationLevel.REPEATABLE_READ
        snapshot.read_only = True
        with _projector_held(connection):
            folding.meet_the_projector()
            shadow_tables.act_as_owner(snapshot)  # the first statement takes the snapshot
        tables = [view.TABLE for view in projection.views]
        found = [first_difference(snapshot, table, BESIDE, READ_MODELS) for table in tables]
        return tuple(each for each in found if each is not None)


def _swap(connection: Connection[Any], folding: Backfill, views: Sequence[View]) -> None:
    names = [view.TABLE.name for view in views]
    try:
        for attempt in stamina.retry_context(
            on=(LockNotAvailable, QueryCanceled),
            attempts=None,
            timeout=_READERS_SECONDS,
            wait_initial=0.1,
            wait_max=5.0,
        ):
            with attempt, _projector_held(connection):
                folding.meet_the_projector()
                with connection.transaction():
                    shadow_tables.put_in_place(connection, names)
                    _forget_places(connection)
                    completeness.note(connection, views)
    except (LockNotAvailable, QueryCanceled) as error:
        raise RebuildStalled(
            f"the new tables are filled, but for {_READERS_SECONDS:.0f} s a reader has kept a "
            "transaction open on the old ones; end it (see pg_stat_activity) and run the rebuild "
            "again: it continues from here"
        ) from error


@contextmanager
def _projector_held(connection: Connection[Any]) -> Iterator[None]:
    """Stop the projector between two batches. The lock ends with the connection."""
    connection.execute(f"SELECT pg_advisory_lock({BETWEEN_BATCHES})".encode())
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(f"SELECT pg_advisory_unlock({BETWEEN_BATCHES})".encode())
