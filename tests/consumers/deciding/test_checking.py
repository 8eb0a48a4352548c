"""The check of snapshots finds each planted fault, and passes what is sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from consumers.deciding.checking import Finding, check_snapshots
from consumers.deciding.files import Place, Row
from ledger.log.seam import Topic
from tests.consumers.deciding.snapshots.in_memory import Snapshot
from tests.consumers.deciding.snapshots.test_restoring import Machines
from tests.consumers.ledgers import opening, record

Entities = dict[tuple[str, str, str], bytes]


@pytest.fixture
def machines(tmp_path: Path) -> Machines:
    """A ledger of two accounts with its snapshot, and later events."""
    machines = Machines(tmp_path)
    decider = machines.start("a")
    machines.publish(record(opening()), record(opening("acct-2", "open-2")))
    machines.decide(decider, range(4))
    machines.decide(decider, range(4), "acct-2")
    machines.writer.write()
    machines.decide(decider, range(4, 6))
    return machines


def checked(machines: Machines, snapshot: Snapshot | None = None) -> list[Finding]:
    known = snapshot or machines.snapshot()
    assert known.kept is not None
    rows: list[Row] = [(*key, value) for key, value in sorted(known.entities.items())]
    stored: dict[int, tuple[Place, list[Row]]] = {0: (known.kept.place, rows)}
    topic_id = machines.world.events_topic_id
    return check_snapshots(
        machines.records(Topic.EVENTS), stored, topic_id, machines.root / "scratch"
    )


def _missing(entities: Entities) -> None:
    del entities["acct-2", "SeenCommand", "s-3"]


def _surplus(entities: Entities) -> None:
    entities["acct-1", "SeenCommand", "s-9"] = b""


def _other(entities: Entities) -> None:
    entities["acct-1", "Stream", ""] = b"\x82"


def test_a_sound_snapshot_passes(machines: Machines) -> None:
    (found,) = checked(machines)
    assert (found.wrong, found.log_sequence) == ("", 10)
    assert found.entities == len(machines.snapshot().entities)


@pytest.mark.parametrize(
    ("plant", "says"),
    [
        (_missing, "SeenCommand 's-3' of account 'acct-2' is missing"),
        (_surplus, "SeenCommand 's-9' of account 'acct-1' is surplus"),
        (_other, "Stream '' of account 'acct-1' has another value"),
    ],
)
def test_a_planted_fault_is_found_and_named(
    machines: Machines, plant: Callable[[Entities], None], says: str
) -> None:
    known = machines.snapshot()
    entities = dict(known.entities)
    plant(entities)
    (found,) = checked(machines, replace(known, entities=entities))
    assert found.wrong == says


def test_a_snapshot_of_another_history_is_found(machines: Machines) -> None:
    known = machines.snapshot()
    assert known.kept is not None
    end = replace(known.kept.place.end, last_hash=bytes(32))
    kept = replace(known.kept, place=replace(known.kept.place, end=end))
    (found,) = checked(machines, replace(known, kept=kept))
    assert "where the snapshot has 10:0000" in found.wrong


def test_a_snapshot_of_another_topic_is_left_out(machines: Machines) -> None:
    known = machines.snapshot()
    assert known.kept is not None
    kept = replace(known.kept, place=replace(known.kept.place, topic_id="another"))
    assert checked(machines, replace(known, kept=kept)) == []
