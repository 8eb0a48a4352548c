"""How long a decider takes to start: from its file, from a snapshot, from the first event.

Run it as `python -m benchmarks.restore [--events N ...] [--fold-to N]`. A ledger of N events in one
partition is made of one real history that is repeated under other account ids; the last events are
decided by a real decider after the snapshot was written. Each way of starting restores the
partition and decides the next commands, on a log in memory and a real database. The processor time
of this process and of its database session is what counts; what the clock shows is printed beside.

It also tells what writing the snapshots costs a command, and what a copy of the whole file would
take instead.
"""

from __future__ import annotations

import argparse
import gc
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from benchmarks import kit
from benchmarks.deciding import START, world_of
from benchmarks.mix import commands
from consumers.deciding.decider import GROUP, PartitionDecider
from consumers.deciding.files import Place, Row, StateFile, view_of
from consumers.deciding.recording import ChainEnd
from consumers.deciding.snapshots.postgres import PostgresSnapshots
from consumers.deciding.snapshots.seam import Claim, Followed, Kept
from consumers.deciding.snapshots.writing import write_snapshot
from consumers.deciding.store import Store
from devstack.services import services
from ledger.log.memory import MemoryCluster
from ledger.log.seam import Committed, Outgoing, Topic
from ledger.vocabulary.envelope import RecordedEvent
from ledger.wire.avro.codec import (
    body_hash,
    decode_command,
    decode_event,
    encode_command,
    encode_event,
)
from projector.migrations import migrate

TEMPLATE_COMMANDS = 4_000
TAIL_COMMANDS = 3_000
NEXT_COMMANDS = 100
WRITTEN_AFTER = 2_000
"""Commands between two writes of the snapshot: what a busy partition decides in some seconds."""
WORLD = world_of(1)


class Template(Struct, frozen=True, kw_only=True):
    """A real history: its events without the opening, and the entities that they add up to."""

    events: list[RecordedEvent]
    rows: list[Row]


class History(Struct, frozen=True, kw_only=True):
    """A ledger of many events, of which the log has the last ones."""

    cluster: MemoryCluster
    place: Place
    copies: int


class Follower:
    """Takes note of what is to be written, and writes it when told to."""

    def __init__(self) -> None:
        self.followed: Followed | None = None

    def follow(self, followed: Followed) -> None:
        """Of the one partition."""
        self.followed = followed

    def leave(self, partition: int) -> None:
        """Nothing to do."""

    def check(self, partition: int) -> None:
        """Nobody takes it over."""


def main() -> None:
    """Run, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--fold-to", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    figures: dict[str, object] = {}
    template = _template()
    with services() as running, tempfile.TemporaryDirectory(prefix="bench-restore-") as folder:
        migrate(running.database_url)
        for events in asked.events:
            history = _history(template, events)
            ways = _ways(history, template, running.database_url, Path(folder), asked.rounds)
            if events <= asked.fold_to:
                ways["fold"] = _fold(template, events)
            for way, told in ways.items():
                print(f"{events:>10,} events  {way:<12} {told}", flush=True)
            figures[f"{events}"] = ways
        figures["writing"] = _writing(running.database_url, Path(folder) / "writing")
    figures["peak_megabytes"] = round(kit.peak_megabytes())
    print(figures["writing"])
    print(kit.keep("restore", settings=vars(asked), figures=figures))


def _ways(
    history: History, template: Template, database_url: str, folder: Path, rounds: int
) -> dict[str, object]:
    """Seconds of each start, the best of its rounds, from a snapshot and from a whole file."""
    claim = Claim(partition=0, owner="bench")
    folder = folder / str(history.place.end.log_sequence)
    with closing(PostgresSnapshots.for_writing(database_url)) as snapshots:
        snapshots.take_over(claim)
        began = time.process_time()
        with snapshots.writing(claim) as draft:
            draft.clear()
            draft.put(_all_rows(template, history.copies))
            draft.move(Kept(place=history.place, owner="bench", revision=1))
        copied = time.process_time() - began
        _advance(history, folder / "before", snapshots)
        found: dict[str, object] = {
            "snapshot": _best(
                rounds, lambda number: _start(history, folder / f"empty-{number}", snapshots)
            )
        }
        _write_file(folder / "file", history, template)
        found["file"] = _start(history, folder / "file", None)
        found["whole copy"] = {
            "to_database_processor_s": round(copied, 2),
            **_copied(folder / "file" / "partition-0.sqlite"),
        }
    return found


def _best(rounds: int, start: Callable[[int], dict[str, float]]) -> dict[str, float]:
    runs = [start(number) for number in range(rounds)]
    return min(runs, key=lambda run: run["processor_s"])


def _start(history: History, folder: Path, snapshots: PostgresSnapshots | None) -> dict[str, float]:
    """Restore and decide the next commands; seconds of this process and of the database."""
    gc.collect()
    backend = None if snapshots is None else _backend(snapshots)
    clock, used, server = time.perf_counter(), time.process_time(), _seconds_of(backend)
    store = Store(folder, 0, WORLD.events_topic_id, snapshots=snapshots)
    log = history.cluster.consumer(GROUP, Topic.COMMANDS)
    decider = PartitionDecider(log, 0, store, WORLD)
    decider.restore()
    restored = time.process_time() - used
    history.cluster.publish(list(_more(NEXT_COMMANDS, f"{folder.name}-{clock}")))
    decided = decider.step(0)
    assert decided == NEXT_COMMANDS, decided
    told = {
        "processor_s": round(time.process_time() - used, 3),
        "of_it_restore_s": round(restored, 3),
        "database_processor_s": round(_seconds_of(backend) - server, 3),
        "clock_s": round(time.perf_counter() - clock, 3),
    }
    decider.close()
    return told


def _fold(template: Template, events: int) -> dict[str, float]:
    """The same from the first event on, without any state."""
    cluster = MemoryCluster(1, lambda: START)
    end = _opened(cluster)
    for copy in range(-(-events // len(template.events))):
        written, end = _renamed_events(template, copy, end)
        cluster.publish(written)
    cluster._committed[GROUP, Topic.COMMANDS, 0] = Committed(
        offset=end.source_offset + 1, metadata=end.text
    )
    log, used = cluster.consumer(GROUP, Topic.COMMANDS), time.process_time()
    with tempfile.TemporaryDirectory(prefix="bench-fold-") as folder:
        store = Store(Path(folder), 0, WORLD.events_topic_id)
        PartitionDecider(log, 0, store, WORLD).restore()
        store.close()
    return {"processor_s": round(time.process_time() - used, 3)}


def _writing(database_url: str, folder: Path) -> dict[str, float]:
    """What the snapshots of a growing ledger cost a command: here, and in the database."""
    cluster, follower, count = MemoryCluster(1, lambda: START), Follower(), 20_000
    with closing(PostgresSnapshots(database_url)) as snapshots:
        with snapshots.writing(_taken(snapshots)) as draft:
            draft.clear()
        store = Store(folder, 0, "bench-writing", snapshots=snapshots, writer=follower)
        decider = PartitionDecider(cluster.consumer(GROUP, Topic.COMMANDS), 0, store, WORLD)
        decider.restore()
        cluster.publish(list(commands(count, START, 1)))
        backend, here, there, deciding, entities = _backend(snapshots), 0.0, 0.0, 0.0, 0
        done, since = 0, -1
        while True:
            used = time.process_time()
            read = decider.step(0)
            deciding += time.process_time() - used
            done += read
            if done >= WRITTEN_AFTER or not read:
                assert follower.followed is not None
                with view_of(follower.followed.path) as view:
                    entities += sum(1 for _ in view.rows_since(since))
                    since = view.status.revision
                used, server = time.process_time(), _seconds_of(backend)
                write_snapshot(snapshots, follower.followed)
                here += time.process_time() - used
                there += _seconds_of(backend) - server
                done = 0
            if not read:
                break
        decider.close()
    return {
        "deciding_us": round(deciding / count * 1e6, 1),
        "decider_us": round(here / count * 1e6, 1),
        "database_us": round(there / count * 1e6, 1),
        "entities_a_command": round(entities / count, 2),
    }


def _taken(snapshots: PostgresSnapshots) -> Claim:
    claim = Claim(partition=0, owner="bench")
    snapshots.take_over(claim)
    return claim


def _copied(path: Path) -> dict[str, float]:
    """What a copy of the whole file takes, as a snapshot in files would for each turn."""
    used = time.process_time()
    target = path.with_suffix(".copy")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    told = {
        "file_processor_s": round(time.process_time() - used, 2),
        "file_mb": round(target.stat().st_size / 1e6, 1),
    }
    target.unlink()
    return told


def _template() -> Template:
    cluster = MemoryCluster(1, lambda: START)
    with tempfile.TemporaryDirectory(prefix="bench-template-") as folder:
        store = Store(Path(folder), 0, WORLD.events_topic_id)
        decider = PartitionDecider(cluster.consumer(GROUP, Topic.COMMANDS), 0, store, WORLD)
        decider.restore()
        cluster.publish(list(commands(TEMPLATE_COMMANDS, START, 1)))
        while decider.step(0):
            pass
        decider.close()
        with view_of(Path(folder) / "partition-0.sqlite") as view:
            rows = list(view.rows_in_order())
    events = [decode_event(found.value) for found in cluster.replay(Topic.EVENTS)]
    return Template(events=events[1:], rows=rows)


def _history(template: Template, events: int) -> History:
    """A log that begins with the opening and goes on, far behind it, with the last events."""
    copies = max(1, events // len(template.events))
    cluster = MemoryCluster(1, lambda: START)
    _opened(cluster)
    last = copies * len(template.events)
    before = ChainEnd(log_sequence=last - 1, last_hash=bytes(32), source_offset=last)
    anchor = replace(
        template.events[-1],
        meta=replace(
            template.events[-1].meta,
            log_sequence=last,
            prev_hash=before.last_hash,
            source_offset=last,
            index=0,
            count=1,
        ),
    )
    value, digest = encode_event(anchor)
    cluster._logs[Topic.EVENTS, 0].end = last
    cluster.publish([_outgoing(anchor, value)])
    end = before.after(anchor, digest)
    cluster._logs[Topic.COMMANDS, 0].end = last + 1
    cluster._committed[GROUP, Topic.COMMANDS, 0] = Committed(offset=last + 1, metadata=end.text)
    place = Place(topic_id=WORLD.events_topic_id, from_offset=last, end=end)
    return History(cluster=cluster, place=place, copies=copies)


def _advance(history: History, folder: Path, snapshots: PostgresSnapshots) -> None:
    """Decide what comes after the snapshot."""
    store = Store(folder, 0, WORLD.events_topic_id, snapshots=snapshots)
    log = history.cluster.consumer(GROUP, Topic.COMMANDS)
    decider = PartitionDecider(log, 0, store, WORLD)
    decider.restore()
    history.cluster.publish(list(_more(TAIL_COMMANDS, "tail")))
    while decider.step(0):
        pass
    decider.close()


def _more(count: int, name: str) -> Iterator[Outgoing]:
    """Commands for accounts of the first copies, under ids that nobody has used."""
    for number, given in enumerate(commands(count * 2, START, 1, accounts=40)):
        if 40 <= number < 40 + count:
            yield _renamed_command(given, name)


def _renamed_command(given: Outgoing, name: str) -> Outgoing:
    command = decode_command(given.key, given.value)
    meta = replace(command.meta, command_id=f"{name}-{command.meta.command_id}")
    return replace(given, value=encode_command(replace(command, meta=meta)))


def _opened(cluster: MemoryCluster) -> ChainEnd:
    """The opening of the ledger, by a decider that has nothing to do."""
    store = Store(None, 0, WORLD.events_topic_id)
    PartitionDecider(cluster.consumer(GROUP, Topic.COMMANDS), 0, store, WORLD).restore()
    return store.place.end


def _renamed_events(
    template: Template, copy: int, end: ChainEnd
) -> tuple[list[Outgoing], ChainEnd]:
    written, shift = [], copy * TEMPLATE_COMMANDS * 2
    for event in template.events:
        meta = replace(
            event.meta,
            account_id=_renamed(event.meta.account_id, copy),
            log_sequence=end.log_sequence + 1,
            prev_hash=end.last_hash,
            source_offset=event.meta.source_offset + shift,
        )
        renamed = replace(event, meta=meta)
        value, _ = encode_event(renamed)
        end = end.after(renamed, body_hash(value))
        written.append(_outgoing(renamed, value))
    return written, end


def _outgoing(event: RecordedEvent, value: bytes) -> Outgoing:
    key = event.meta.account_id.encode()
    return Outgoing(topic=Topic.EVENTS, partition=0, key=key, value=value)


def _renamed(account_id: str, copy: int) -> str:
    return account_id if copy == 0 else f"{account_id}-{copy}"


def _all_rows(template: Template, copies: int) -> Iterator[Row]:
    for copy in range(copies):
        for account_id, kind, entity_id, value in template.rows:
            yield _renamed(account_id, copy), kind, entity_id, value


def _write_file(folder: Path, history: History, template: Template) -> None:
    folder.mkdir(parents=True)
    file = StateFile(folder / "partition-0.sqlite", 1.0)
    for copy in range(history.copies):
        rows = [(_renamed(row[0], copy), *row[1:]) for row in template.rows]
        file.keep(rows, history.place)
    file.close()


def _backend(snapshots: PostgresSnapshots) -> int:
    assert snapshots._connection is not None
    return snapshots._connection.info.backend_pid


def _seconds_of(pid: int | None) -> float:
    return 0.0 if pid is None else kit.seconds_of(pid)


if __name__ == "__main__":
    main()
