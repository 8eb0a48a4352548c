"""The local disks: a store for each slot and partition, which can be lost, or be an old one.

In a quarter of the seeds the stores are the real ones, on files kept in memory. In the others a
plain dictionary stands in for them, which is several times as fast, and has no snapshots.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import TypeVar, cast

from consumers.deciding.files import path_in
from consumers.deciding.recording import ChainEnd
from consumers.deciding.snapshots.seam import Follower, Snapshots
from consumers.deciding.store import Place, Store
from ledger.state import Change, Key
from ledger.state.entities import Entity
from tests.simulation.faults import Faults

E = TypeVar("E", bound=Entity)
Image = tuple[dict[Key, Entity], Place]
"""What is on a disk: the entities, and how far they were folded."""


class DictStore:
    """A store whose disk is a dictionary; behaves as `consumers.deciding.store.Store`."""

    def __init__(self, disk: dict[Path, Image], path: Path, topic_id: str) -> None:
        entities, place = disk.get(path, ({}, Place(topic_id=topic_id)))
        self.place = place
        self._entities = dict(entities)
        self._disk, self._path, self._topic_id = disk, path, topic_id
        self._undo: dict[Key, Entity | None] = {}

    def find(self, kind: type[E], account_id: str, entity_id: str) -> E | None:
        """The entity, or None."""
        found = self._entities.get(Key(kind, account_id, entity_id))
        assert found is None or isinstance(found, kind)
        return found

    def prepare(self, account_ids: Iterable[str]) -> None:
        """Everything is here."""

    def meet_snapshot(self) -> None:
        """There is none."""

    def keep_snapshot(self) -> None:
        """There is none."""

    def apply(self, changes: Iterable[Change]) -> None:
        """Take over what an event changed."""
        for key, entity in changes:
            self._undo.setdefault(key, self._entities.get(key))
            self._entities[key] = entity

    def begin(self) -> None:
        """From here on `undo` can take back what is applied."""
        self._undo.clear()

    def undo(self) -> None:
        """Take back what was applied since `begin`."""
        for key, entity in self._undo.items():
            if entity is None:
                self._entities.pop(key, None)
            else:
                self._entities[key] = entity
        self._undo.clear()

    def save(self, from_offset: int, end: ChainEnd) -> None:
        """Entities and place, together."""
        self.place = Place(topic_id=self._topic_id, from_offset=from_offset, end=end)
        self._disk[self._path] = (dict(self._entities), self.place)

    def clear(self) -> None:
        """Forget everything."""
        self._entities.clear()
        self._disk.pop(self._path, None)
        self.place = Place(topic_id=self._topic_id)

    def close(self) -> None:
        """Nothing to let go of."""


class Disks:
    """Every slot's stores. `root` is a folder for real ones; None for dictionaries."""

    def __init__(self, root: Path | None, topic_id: str, faults: Faults, chance: Random) -> None:
        self._root = root
        self._topic_id = topic_id
        self._faults = faults
        self._chance = chance
        self._older: dict[Path, bytes | Image] = {}
        self._open: dict[Path, Store] = {}
        self._images: dict[Path, Image] = {}
        self.are_real = root is not None

    def open(
        self, slot: str, partition: int, snapshots: Snapshots | None, writer: Follower
    ) -> Store:
        """The slot's store of a partition, or whatever the disk has made of it."""
        folder = (self._root or Path()) / slot
        path = path_in(folder, partition)
        if path in self._open:
            self._open[path].close()
            self._befall(path)
        if self._root is None:
            self._open[path] = cast("Store", DictStore(self._images, path, self._topic_id))
        else:
            self._open[path] = Store(
                folder, partition, self._topic_id, snapshots=snapshots, writer=writer
            )
        return self._open[path]

    def close(self) -> None:
        """Let go of every file."""
        for store in self._open.values():
            store.close()

    def _befall(self, path: Path) -> None:
        """What may have happened to a store since it was last open."""
        others = sorted(each for each in self._open if each.name != path.name)
        if self._faults.strikes("store lost"):
            self._remove(path)
        elif path in self._older and self._faults.strikes("store stale"):
            self._put(path, self._older[path])
        elif others and self._faults.strikes("store of another partition"):
            self._put(path, self._image(self._chance.choice(others)))
        elif self._chance.random() < 0.6:
            self._older[path] = self._image(path)

    def _image(self, path: Path) -> bytes | Image:
        if self._root is None:
            return self._images.get(path, ({}, Place(topic_id=self._topic_id)))
        return path.read_bytes()

    def _put(self, path: Path, image: bytes | Image) -> None:
        self._remove(path)
        if isinstance(image, bytes):
            path.write_bytes(image)
        else:
            self._images[path] = image

    def _remove(self, path: Path) -> None:
        self._images.pop(path, None)
        for suffix in ("", "-wal", "-shm") if self._root is not None else ():
            Path(f"{path}{suffix}").unlink(missing_ok=True)

    def remove(self) -> None:
        """Nothing is left of the disks."""
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)
