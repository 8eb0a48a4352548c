"""The snapshots in the simulated database, and the thread that writes them as its own process.

It may outlive its decider: so it is also the thread of one that was paused and writes late.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec.structs import replace
from psycopg import OperationalError

from consumers.deciding.files import Row
from consumers.deciding.snapshots import writing
from consumers.deciding.snapshots.seam import (
    Claim,
    Draft,
    Followed,
    Kept,
    SnapshotLost,
    SnapshotsUnavailable,
)
from tests.consumers.deciding.snapshots.in_memory import MemorySnapshots
from tests.simulation.database import Connection

if TYPE_CHECKING:
    from tests.simulation.scheduler import Process
    from tests.simulation.world import World


class SimulatedSnapshots:
    """Satisfies `consumers.deciding.snapshots.seam.Snapshots`; any request may fail."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process
        self._connection: Connection | None = None

    def take_over(self, claim: Claim) -> Kept | None:
        """Become the owner."""
        with self._asking("take over the snapshot") as rows:
            return rows.take_over(claim)

    def accounts(self, claim: Claim, account_ids: Sequence[str], most: int) -> list[Row]:
        """The entities of these accounts."""
        with self._asking("read accounts of the snapshot") as rows:
            return rows.accounts(claim, account_ids, most)

    def entity(self, claim: Claim, account_id: str, kind: str, entity_id: str) -> Row | None:
        """One entity."""
        with self._asking("read an entity of the snapshot") as rows:
            return rows.entity(claim, account_id, kind, entity_id)

    @contextmanager
    def writing(self, claim: Claim) -> Iterator[Draft]:
        """The row is locked: who takes the snapshot over meanwhile gets it after the commit, or
        instead of it.
        """
        shelf = self._world.database.rows.shelf
        with self._asking("begin to write the snapshot") as rows:
            before = shelf.snapshots.get(claim.partition)
            with rows.writing(claim) as draft:
                yield draft
                self._ask("commit the snapshot")
                now = self._world.database.rows.shelf
                if now is not shelf or now.snapshots.get(claim.partition) is not before:
                    raise SnapshotsUnavailable("somebody else was first")
        try:
            if self._connection is not None:
                self._connection.answered("commit the snapshot")
        except OperationalError as error:
            raise SnapshotsUnavailable(str(error)) from error

    def close(self) -> None:
        """Nothing to close."""

    @contextmanager
    def _asking(self, what: str) -> Iterator[MemorySnapshots]:
        self._ask(what)
        yield MemorySnapshots(self._world.database.rows.shelf)

    def _ask(self, what: str) -> None:
        try:
            if self._connection is None or self._connection.cut:
                self._connection = Connection(self._world, self._process)
            self._connection.ask(what)
        except OperationalError as error:
            raise SnapshotsUnavailable(str(error)) from error


class SimulatedFollower:
    """Satisfies `consumers.deciding.snapshots.seam.Follower` for one machine."""

    def __init__(self) -> None:
        self.followed: dict[int, Followed] = {}
        self.lost: dict[int, SnapshotLost] = {}

    def follow(self, followed: Followed) -> None:
        """Have the writer of this machine write it."""
        self.followed[followed.claim.partition] = followed

    def leave(self, partition: int) -> None:
        """No more."""
        self.followed.pop(partition, None)
        self.lost.pop(partition, None)

    def check(self, partition: int) -> None:
        """Raises SnapshotLost."""
        if partition in self.lost:
            raise self.lost[partition]


def writer(world: World, slot: str) -> Callable[[Process], None]:
    """Writes the snapshots of what the decider of this slot owns, now and then."""

    def main(process: Process) -> None:
        snapshots = SimulatedSnapshots(world, process)
        follower = world.followers[slot]
        while True:
            world.pause("wait before the next snapshot", rest=True)
            for partition, followed in list(follower.followed.items()):
                try:
                    writing.write_snapshot(snapshots, followed)
                except SnapshotLost as error:
                    if follower.followed.get(partition) is followed:
                        follower.lost[partition] = error
                        del follower.followed[partition]
                except (SnapshotsUnavailable, sqlite3.Error):
                    continue

    return main


def of_another_partition(world: World) -> None:
    """Somebody puts another partition's snapshot in the place of one."""
    snapshots = world.database.rows.shelf.snapshots
    if len(snapshots) > 1:
        here, there = world.chance.sample(sorted(snapshots), 2)
        snapshots[here] = replace(snapshots[there], owner="somebody")


def deleted(world: World) -> None:
    """Somebody deletes a snapshot."""
    snapshots = world.database.rows.shelf.snapshots
    if snapshots:
        del snapshots[world.chance.choice(sorted(snapshots))]
