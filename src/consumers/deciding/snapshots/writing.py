"""Brings the snapshots up to date behind the decisions, from the files of the partitions.

A thread of its own does it, so that a slow or missing database never holds a decision up.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event as Flag
from threading import Lock, Thread

import structlog

from consumers.deciding.files import EVERYTHING, NOWHERE, Place, Status, note_owner, view_of
from consumers.deciding.snapshots.seam import (
    Claim,
    Draft,
    Followed,
    Kept,
    SnapshotLost,
    Snapshots,
)
from ledger.log.failpoints import passing

_LAST_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class SnapshotWriter:
    """Writes the snapshots of the followed partitions every few seconds.

    After an error it goes on at the next turn: what is missing is still in the file. Satisfies
    `consumers.deciding.snapshots.seam.Follower`.
    """

    def __init__(self, open_snapshots: Callable[[], Snapshots], every_seconds: float) -> None:
        self._open_snapshots = open_snapshots
        self._every_seconds = every_seconds
        self._snapshots: Snapshots | None = None
        self._followed: dict[int, Followed] = {}
        self._places: dict[str, Place] = {}
        self._lost: dict[int, SnapshotLost] = {}
        self._away = False
        self._stop = Flag()
        self._lock = Lock()
        self._thread = Thread(target=self._run, name="snapshots", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def follow(self, followed: Followed) -> None:
        """Write the snapshot of this partition from now on."""
        with self._lock:
            self._followed[followed.claim.partition] = followed

    def leave(self, partition: int) -> None:
        """Write it no more."""
        with self._lock:
            self._followed.pop(partition, None)
            self._lost.pop(partition, None)

    def check(self, partition: int) -> None:
        """Raises SnapshotLost if another process has taken the partition's snapshot over."""
        lost = self._lost.get(partition)
        if lost is not None:
            raise lost

    def write_all(self) -> None:
        """Write every snapshot that is behind its file."""
        with self._lock:
            followed = list(self._followed.values())
        for each in followed:
            self._write(each)

    def close(self) -> None:
        """Stop. What was not written yet is still in the files and in the log."""
        self._stop.set()
        self._thread.join(_LAST_SECONDS)

    def _run(self) -> None:
        while not self._stop.wait(self._every_seconds):
            self.write_all()
        if self._snapshots is not None:
            self._snapshots.close()

    def _write(self, followed: Followed) -> None:
        try:
            if self._snapshots is None:
                self._snapshots = self._open_snapshots()
            known = self._places.get(followed.claim.owner)
            self._places[followed.claim.owner] = write_snapshot(self._snapshots, followed, known)
        except SnapshotLost as error:
            with self._lock:
                if self._followed.get(followed.claim.partition) is followed:
                    self._lost[followed.claim.partition] = error
                    del self._followed[followed.claim.partition]
        except Exception as error:  # a snapshot may be late; the decisions go on without
            if not self._away:
                _log.warning("snapshots wait", reason=f"{type(error).__name__}: {error}".strip())
            self._away = True
        else:
            if self._away:
                _log.info("snapshots go on")
            self._away = False


def write_snapshot(snapshots: Snapshots, followed: Followed, known: Place | None = None) -> Place:
    """Bring a snapshot up to the state of its file; returns the place, `known` at the next turn.

    1. Look at the file as it is at one moment. 2. Write what changed since the snapshot's revision,
    or all of a file that the snapshot does not belong to. 3. Commit both, entities and place.
    4. Note in such a file that they belong together now. After a crash before 4 all of the file is
    written once more.
    """
    claim = followed.claim
    with view_of(followed.path) as view:
        status = view.status
        if status.place in (known, NOWHERE):
            return status.place
        with snapshots.writing(claim) as draft:
            since = _last_revision(draft, status, claim)
            if since is None:
                if status.partial:
                    raise SnapshotLost(f"partition {claim.partition}: its snapshot was deleted")
                draft.clear()
            draft.put(view.rows_since(EVERYTHING if since is None else since))
            passing("snapshot.rows")
            draft.move(Kept(place=status.place, owner=claim.owner, revision=status.revision))
            passing("snapshot.place")
    passing("snapshot.committed")
    if status.owner != claim.owner:
        note_owner(followed.path, claim.owner, status)
    return status.place


def _last_revision(draft: Draft, status: Status, claim: Claim) -> int | None:
    """The revision of the file that the snapshot has; None: it is not of this file."""
    if draft.kept is None or status.owner != claim.owner:
        return None
    return draft.kept.revision
